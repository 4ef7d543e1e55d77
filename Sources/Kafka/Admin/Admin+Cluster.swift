internal import CRDKafka

extension Admin {
  /// The brokers and topics of the cluster.
  ///
  /// - Parameter topic: nil for all topics. A single one that does not exist is in the answer with
  ///   an error; asking a mock cluster for it makes it.
  /// - Throws: `.transport` or `.timedOut` when no broker answers.
  public func metadata(
    topic: String? = nil, timeout: Duration = .seconds(10)
  ) throws(KafkaError) -> ClusterMetadata {
    let operation = topic.map { "look up topic \($0)" } ?? "look up the cluster's topics"
    return try explaining(operation) { (client) throws(KafkaError) in
      // Metadata of one topic is asked by handle.
      let handle = topic.flatMap { rd_kafka_topic_new(client, $0, nil) }
      defer { if let handle { rd_kafka_topic_destroy(handle) } }
      var pointer: UnsafePointer<rd_kafka_metadata>?
      try KafkaError.check(
        rd_kafka_metadata(client, topic == nil ? 1 : 0, handle, &pointer, timeout.milliseconds),
        operation)
      guard let pointer else { throw KafkaError(code: .timedOut, operation: operation) }
      defer { rd_kafka_metadata_destroy(pointer) }
      let metadata = pointer.pointee
      return ClusterMetadata(
        clusterID: Self.clusterID(client, timeout: timeout),
        brokers: Self.copy(metadata.brokers, metadata.broker_cnt) {
          Broker(id: $0.id, host: String(cString: $0.host), port: $0.port)
        },
        topics: Self.copy(metadata.topics, metadata.topic_cnt, Self.topic))
    }
  }

  /// The oldest offset of each partition and the one after its newest.
  ///
  /// - Parameter timeout: for all of them together.
  /// - Throws: the first partition's error.
  public func watermarks(
    _ partitions: [TopicPartition], timeout: Duration = .seconds(30)
  ) throws(KafkaError) -> [TopicPartition: Range<Int64>] {
    try explaining("look up offsets") { (_) throws(KafkaError) in
      let deadline = ContinuousClock.now + timeout
      var watermarks: [TopicPartition: Range<Int64>] = [:]
      for partition in partitions {
        watermarks[partition] = try client.watermarks(
          partition, timeout: max(.milliseconds(1), deadline - .now))
      }
      return watermarks
    }
  }

  /// For each partition the first offset at or after a time; -1, the end, where there is none.
  ///
  /// - Parameter times: milliseconds since 1970.
  public func offsets(
    forTimes times: [TopicPartition: Int64], timeout: Duration = .seconds(30)
  ) throws(KafkaError) -> [TopicPartition: Int64] {
    try explaining("look up offsets by time") { (_) throws(KafkaError) in
      try client.offsets(forTimes: times, timeout: timeout)
    }
  }

  /// Deletes the messages before an offset.
  ///
  /// - Parameter offsets: the offset of the first message of each partition that is to stay.
  /// - Returns: the oldest offset of each partition now, or why nothing has been deleted.
  public func deleteRecords(
    before offsets: [TopicPartition: Int64], timeout: Duration = .seconds(30)
  ) throws(KafkaError) -> [TopicPartition: Result<Int64, KafkaError>] {
    guard !offsets.isEmpty else { return [:] }
    let list = PartitionList(offsets)
    var requests: [OpaquePointer?] = [rd_kafka_DeleteRecords_new(list.pointer)]
    defer { rd_kafka_DeleteRecords_destroy_array(&requests, requests.count) }
    return try call("delete records", RD_KAFKA_ADMIN_OP_DELETERECORDS, timeout: timeout) {
      client, options, answers in
      rd_kafka_DeleteRecords(client, &requests, requests.count, options, answers)
    } _: { (event) throws(KafkaError) in
      let result = rd_kafka_event_DeleteRecords_result(event)
      return PartitionList.entries(of: rd_kafka_DeleteRecords_result_offsets(result))
        .results("delete records of")
    }
  }

  // MARK: Copying

  private static func topic(_ topic: rd_kafka_metadata_topic) -> TopicMetadata {
    let name = String(cString: topic.topic)
    return TopicMetadata(
      name: name,
      partitions: copy(topic.partitions, topic.partition_cnt) { partition in
        PartitionMetadata(
          partition: partition.id, leader: partition.leader >= 0 ? partition.leader : nil,
          replicas: copy(partition.replicas, partition.replica_cnt) { $0 },
          error: error(partition.err, "use \(name)[\(partition.id)]"))
      },
      error: error(topic.err, "use topic \(name)"))
  }

  private static func error(_ error: rd_kafka_resp_err_t, _ operation: String) -> KafkaError? {
    error == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : KafkaError(error, operation: operation)
  }

  private static func copy<Source, Element>(
    _ start: UnsafeMutablePointer<Source>?, _ count: Int32, _ body: (Source) -> Element
  ) -> [Element] {
    UnsafeBufferPointer(start: start, count: start == nil ? 0 : Int(count)).map(body)
  }
}

extension Collection<PartitionList.Entry> {
  /// The offset or the error of each partition.
  func results(_ operation: String) -> [TopicPartition: Result<Int64, KafkaError>] {
    var results: [TopicPartition: Result<Int64, KafkaError>] = [:]
    for entry in self { results[entry.partition] = entry.result(operation) }
    return results
  }
}
