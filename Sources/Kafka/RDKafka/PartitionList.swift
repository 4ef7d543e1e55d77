internal import CRDKafka

/// An `rd_kafka_topic_partition_list_t`: partitions, each with an offset and an error.
///
/// Freed at the end of its scope, which is a matter of memory alone and cannot block.
struct PartitionList: ~Copyable {
  /// An element of the list, copied.
  struct Entry {
    let partition: TopicPartition
    let offset: Int64
    let error: rd_kafka_resp_err_t
  }

  let pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

  /// - Parameter pointer: a list that this object now owns.
  init(owning pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) {
    self.pointer = pointer
  }

  /// Partitions without offsets.
  init(_ partitions: some Collection<TopicPartition>) {
    self.init(partitions.lazy.map { ($0, Int64(RD_KAFKA_OFFSET_INVALID)) })
  }

  init(_ offsets: some Collection<(TopicPartition, Int64)>) {
    pointer = rd_kafka_topic_partition_list_new(Int32(offsets.count))
    for (partition, offset) in offsets {
      rd_kafka_topic_partition_list_add(pointer, partition.topic, partition.partition)
        .pointee.offset = offset
    }
  }

  init(_ offsets: [TopicPartition: Int64]) {
    self.init(offsets.map { ($0.key, $0.value) })
  }

  deinit {
    rd_kafka_topic_partition_list_destroy(pointer)
  }

  var entries: [Entry] { Self.entries(of: pointer) }

  /// Copies a list that belongs to someone else; none for nil.
  static func entries(
    of pointer: UnsafePointer<rd_kafka_topic_partition_list_t>?
  ) -> [Entry] {
    guard let list = pointer?.pointee, let elements = list.elems else { return [] }
    return UnsafeBufferPointer(start: elements, count: Int(list.cnt)).map { element in
      Entry(
        partition: TopicPartition(
          topic: String(cString: element.topic), partition: element.partition),
        offset: element.offset, error: element.err)
    }
  }

  static func entries(
    of pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
  ) -> [Entry] {
    entries(of: pointer.map { UnsafePointer($0) })
  }
}

extension PartitionList.Entry {
  /// The offset, or the error where the partition has one.
  func result(_ operation: String) -> Result<Int64, KafkaError> {
    error == RD_KAFKA_RESP_ERR_NO_ERROR
      ? .success(offset) : .failure(KafkaError(error, operation: "\(operation) \(partition)"))
  }
}

extension Collection<PartitionList.Entry> {
  /// The offset of each partition, or the first error.
  func offsets(_ operation: String) throws(KafkaError) -> [TopicPartition: Int64] {
    var offsets: [TopicPartition: Int64] = [:]
    for entry in self {
      offsets[entry.partition] = try entry.result(operation).get()
    }
    return offsets
  }
}
