internal import CRDKafka
internal import Glibc

/// The calls on partitions that several kinds of clients have.
extension ClientHandle {
  func watermarks(
    _ partition: TopicPartition, timeout: Duration
  ) throws(KafkaError) -> Range<Int64> {
    let operation = "look up the offsets of \(partition)"
    return try borrow(operation) { (client) throws(KafkaError) in
      try askingLeaders(client, timeout) { () throws(KafkaError) in
        var low: Int64 = 0
        var high: Int64 = 0
        try KafkaError.check(
          rd_kafka_query_watermark_offsets(
            client, partition.topic, partition.partition, &low, &high, timeout.milliseconds),
          operation)
        return low..<max(low, high)
      }
    }
  }

  /// Repeats a request that was sent to a broker which is not the leader of a partition: for a moment
  /// after the topic was made, which its leader does not know yet, or since the leader has changed.
  ///
  /// A client that reads and writes nothing has to ask for the new leaders itself: librdkafka 2.0.2
  /// looks them up only for topics that it has handles of, and else goes on with what it knows until
  /// that is 15 minutes old.
  private func askingLeaders<Result>(
    _ client: OpaquePointer, _ timeout: Duration, _ request: () throws(KafkaError) -> Result
  ) throws(KafkaError) -> Result {
    let deadline = ContinuousClock.now + timeout
    while true {
      do throws(KafkaError) {
        return try request()
      } catch {
        guard error.code == .notLeaderForPartition, .now < deadline else { throw error }
      }
      var metadata: UnsafePointer<rd_kafka_metadata>?
      // Where this fails the request will, and says why.
      _ = rd_kafka_metadata(client, 1, nil, &metadata, timeout.milliseconds)
      if let metadata { rd_kafka_metadata_destroy(metadata) }
      usleep(20_000)
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
    return try borrow(operation) { (client) throws(KafkaError) in
      try askingLeaders(client, timeout) { () throws(KafkaError) in
        // It comes back with the offsets in the place of the times.
        let list = PartitionList(times)
        try KafkaError.check(
          rd_kafka_offsets_for_times(client, list.pointer, timeout.milliseconds), operation)
        return try list.entries.offsets("look up an offset by time in")
      }
    }
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
