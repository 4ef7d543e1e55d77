internal import CRDKafka

/// Takes events from a consumer's queue and copies them.
///
/// Each message is an event of its own in librdkafka. `rd_kafka_consume_batch_queue` would take
/// many at once, but it answers rebalances itself and has no place for commit results; taking them
/// one by one costs a lock and an unlock of the queue for each, little beside the copy.
struct EventReader {
  private var decoder = MessageDecoder()
  private var events: [ConsumerEvent] = []
  private var messages: [Message] = []

  /// Waits up to `timeout` for an event, then takes what is there, up to `maxMessages` messages.
  mutating func read(
    _ queue: ClientQueue, client: OpaquePointer, maxMessages: Int, timeout: Duration
  ) -> [ConsumerEvent] {
    messages.reserveCapacity(min(maxMessages, 1024))
    var count = 0
    var milliseconds = timeout.milliseconds
    while count < maxMessages {
      let isMessage = queue.poll(milliseconds) { event in take(event, client) }
      guard let isMessage else { break }
      if isMessage { count += 1 }
      milliseconds = 0
    }
    flush()
    defer { events = [] }
    return events
  }

  /// - Returns: whether it was a message.
  private mutating func take(
    _ event: borrowing ClientQueueEvent, _ client: OpaquePointer
  ) -> Bool {
    if event.type == RD_KAFKA_EVENT_FETCH {
      guard let message = rd_kafka_event_message_next(event.pointer) else { return false }
      messages.append(decoder.decode(message))
      return true
    }
    flush()
    switch event.type {
    case RD_KAFKA_EVENT_REBALANCE:
      decoder = MessageDecoder()
      events.append(Self.rebalance(event, client))
    case RD_KAFKA_EVENT_OFFSET_COMMIT:
      events.append(Self.commit(event))
    case RD_KAFKA_EVENT_ERROR:
      events.append(Self.error(event, client))
    default:
      switch event.clientEvent(client: client, operation: client.clientName) {
      case .log(let line): events.append(.log(line))
      case .statistics(let json): events.append(.statistics(json))
      case .error(let error): events.append(.error(error))
      case nil: break
      }
    }
    return false
  }

  /// Keeps the order between messages and what happened after them.
  private mutating func flush() {
    guard !messages.isEmpty else { return }
    events.append(.messages(messages))
    messages = []
  }

  private static func rebalance(
    _ event: borrowing ClientQueueEvent, _ client: OpaquePointer
  ) -> ConsumerEvent {
    let partitions = PartitionList.entries(of: rd_kafka_event_topic_partition_list(event.pointer))
      .map(\.partition)
    if event.error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS { return .assigned(partitions) }
    return .revoked(partitions, lost: rd_kafka_assignment_lost(client) != 0)
  }

  private static func commit(_ event: borrowing ClientQueueEvent) -> ConsumerEvent {
    var results: [TopicPartition: Result<Int64, KafkaError>] = [:]
    for entry in PartitionList.entries(of: rd_kafka_event_topic_partition_list(event.pointer)) {
      let error = entry.error == RD_KAFKA_RESP_ERR_NO_ERROR ? event.error : entry.error
      results[entry.partition] =
        error == RD_KAFKA_RESP_ERR_NO_ERROR
        ? .success(entry.offset)
        : .failure(
          KafkaError(error, operation: "commit offset \(entry.offset) of \(entry.partition)"))
    }
    return .committed(results)
  }

  private static func error(
    _ event: borrowing ClientQueueEvent, _ client: OpaquePointer
  ) -> ConsumerEvent {
    guard let pointer = rd_kafka_event_topic_partition(event.pointer) else {
      return .error(event.kafkaError(client: client, operation: client.clientName))
    }
    defer { rd_kafka_topic_partition_destroy(pointer) }
    let partition = TopicPartition(
      topic: String(cString: pointer.pointee.topic), partition: pointer.pointee.partition)
    let offset = pointer.pointee.offset
    let error = event.kafkaError(client: client, operation: "fetch from \(partition)")
    switch event.error {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      return .endOfPartition(partition, offset: offset)
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET where error.message.isAboutOffset:
      return .offsetOutOfRange(
        partition, offset: offset,
        KafkaError(
          code: .offsetOutOfRange, operation: "fetch offset \(offset) of \(partition)",
          message: error.message))
    default:
      return .error(error)
    }
  }
}

extension String {
  /// `_AUTO_OFFSET_RESET` wraps other causes too, such as a failed look-up of the log's beginning;
  /// the cause is in its text alone.
  fileprivate var isAboutOffset: Bool {
    contains(KafkaError.Code.offsetOutOfRange.text)
  }
}
