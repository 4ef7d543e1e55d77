internal import CRDKafka

extension Consumer {
  // MARK: Committing

  /// Commits offsets and waits for the group's answer.
  ///
  /// - Parameter offsets: of each partition the offset of the next message to be read, that is the
  ///   last handled one plus one.
  /// - Throws: the first partition's error. After `.illegalGeneration`, `.unknownMemberID`
  ///   or `.rebalanceInProgress` the partitions belong to someone else.
  public func commit(
    _ offsets: [TopicPartition: Int64], timeout: Duration = .seconds(30)
  ) throws(KafkaError) {
    guard !offsets.isEmpty else { return }
    let operation = "commit offsets of group \(groupID)"
    try client.borrow(operation) { (client) throws(KafkaError) in
      let list = PartitionList(offsets)
      // rd_kafka_commit has no bound of its own; an answer on a queue has one.
      let answers = ClientQueue(owning: rd_kafka_queue_new(client))
      defer { answers.destroy() }
      try KafkaError.check(
        rd_kafka_commit_queue(client, list.pointer, answers.pointer, nil, nil), operation)
      let error = answers.poll(timeout.milliseconds) { event in Self.firstError(in: event) }
      guard let error else {
        throw KafkaError(code: .timedOut, operation: operation)
      }
      try KafkaError.check(error, operation)
    }
  }

  /// Commits offsets without waiting. What became of it is a `.committed` event of `poll`.
  ///
  /// - Parameter offsets: as for `commit`.
  /// - Throws: when the commit could not even be begun.
  public nonisolated func commitInBackground(
    _ offsets: [TopicPartition: Int64]
  ) throws(KafkaError) {
    guard !offsets.isEmpty else { return }
    let operation = "commit offsets of group \(groupID)"
    try client.borrow(operation) { (client) throws(KafkaError) in
      let list = PartitionList(offsets)
      try KafkaError.check(
        rd_kafka_commit_queue(client, list.pointer, queue.pointer, nil, nil), operation)
    }
  }

  private static func firstError(in event: borrowing ClientQueueEvent) -> rd_kafka_resp_err_t {
    guard event.error == RD_KAFKA_RESP_ERR_NO_ERROR else { return event.error }
    let entries = PartitionList.entries(of: rd_kafka_event_topic_partition_list(event.pointer))
    return entries.first { $0.error != RD_KAFKA_RESP_ERR_NO_ERROR }?.error
      ?? RD_KAFKA_RESP_ERR_NO_ERROR
  }

  // MARK: Asking

  /// The offsets that the group has committed; partitions without one are left out.
  public func committed(
    _ partitions: [TopicPartition], timeout: Duration = .seconds(30)
  ) throws(KafkaError) -> [TopicPartition: Int64] {
    guard !partitions.isEmpty else { return [:] }
    let operation = "look up committed offsets of group \(groupID)"
    let list = PartitionList(partitions)
    try client.borrow(operation) { (client) throws(KafkaError) in
      try KafkaError.check(
        rd_kafka_committed(client, list.pointer, timeout.milliseconds), operation)
    }
    return try list.entries.offsets("look up the committed offset of").filter { $0.value >= 0 }
  }

  /// The offset after the last message that `poll` has returned; partitions of which none has been
  /// returned are left out.
  public nonisolated func position(
    _ partitions: [TopicPartition]
  ) throws(KafkaError) -> [TopicPartition: Int64] {
    let list = PartitionList(partitions)
    try client.borrow("look up positions") { (client) throws(KafkaError) in
      try KafkaError.check(rd_kafka_position(client, list.pointer), "look up positions")
    }
    return try list.entries.offsets("look up the position of").filter { $0.value >= 0 }
  }

  /// The oldest offset and the one after the newest as the last answers of the brokers told them,
  /// without asking; nil for a partition that has not been read yet.
  public nonisolated func knownWatermarks(_ partition: TopicPartition) -> Range<Int64>? {
    client.borrowIfOpen { client in
      var low: Int64 = 0
      var high: Int64 = 0
      let error = rd_kafka_get_watermark_offsets(
        client, partition.topic, partition.partition, &low, &high)
      guard error == RD_KAFKA_RESP_ERR_NO_ERROR, low >= 0, high >= low else { return nil }
      return low..<high
    } ?? nil
  }

  /// The partitions that are assigned to this member now.
  public nonisolated var assignment: [TopicPartition] {
    get throws(KafkaError) { try client.assignment }
  }

  // MARK: Reading

  /// Stops reading these partitions. Messages of theirs that have been read ahead are dropped and
  /// read again after `resume`.
  public nonisolated func pause(_ partitions: [TopicPartition]) throws(KafkaError) {
    try client.pauseOrResume(partitions, "pause", rd_kafka_pause_partitions)
  }

  /// Reads these partitions again.
  public nonisolated func resume(_ partitions: [TopicPartition]) throws(KafkaError) {
    try client.pauseOrResume(partitions, "resume", rd_kafka_resume_partitions)
  }
}
