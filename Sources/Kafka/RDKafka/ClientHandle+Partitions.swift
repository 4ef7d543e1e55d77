internal import CRDKafka
internal import Glibc

/// The calls on partitions that several kinds of clients have.
extension ClientHandle {
  func watermarks(
    _ partition: TopicPartition, timeout: Duration
  ) throws(KafkaError) -> Range<Int64> {
    let operation = "look up the offsets of \(partition)"
    let deadline = ContinuousClock.now + timeout
    return try borrow(operation) { (client) throws(KafkaError) in
      var low: Int64 = 0
      var high: Int64 = 0
      while true {
        let error = rd_kafka_query_watermark_offsets(
          client, partition.topic, partition.partition, &low, &high, timeout.milliseconds)
        // For a moment after a topic was made, its leader does not know yet that it is the leader.
        if error == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, .now < deadline {
          usleep(20_000)
          continue
        }
        try KafkaError.check(error, operation)
        return low..<max(low, high)
      }
    }
  }

  /// For each partition the first offset at or after a time; the end where there is none.
  ///
  /// - Parameter times: in milliseconds since 1970.
  func offsets(
    forTimes times: [TopicPartition: Int64], timeout: Duration
  ) throws(KafkaError) -> [TopicPartition: Int64] {
    guard !times.isEmpty else { return [:] }
    let operation = "look up offsets by time"
    let list = PartitionList(times)
    try borrow(operation) { (client) throws(KafkaError) in
      try KafkaError.check(
        rd_kafka_offsets_for_times(client, list.pointer, timeout.milliseconds), operation)
    }
    return try list.entries.offsets("look up an offset by time in")
  }

  var assignment: [TopicPartition] {
    get throws(KafkaError) {
      try borrow("look up the assignment") { (client) throws(KafkaError) in
        var pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
        try KafkaError.check(rd_kafka_assignment(client, &pointer), "look up the assignment")
        guard let pointer else { return [] }
        return PartitionList(owning: pointer).entries.map(\.partition)
      }
    }
  }

  func pauseOrResume(
    _ partitions: [TopicPartition], _ verb: String,
    _ call: (OpaquePointer?, UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?) ->
      rd_kafka_resp_err_t
  ) throws(KafkaError) {
    guard !partitions.isEmpty else { return }
    let list = PartitionList(partitions)
    try borrow(verb) { (client) throws(KafkaError) in
      try KafkaError.check(call(client, list.pointer), verb)
    }
    _ = try list.entries.offsets(verb)
  }
}
