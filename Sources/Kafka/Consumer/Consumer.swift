internal import BlockingExecutor
internal import CRDKafka

/// A member of a consumer group.
///
/// The owner calls `poll` again and again, as long as the consumer is open and also while it works
/// on messages: rebalances and errors come through it, and librdkafka leaves the group when it is
/// not called for `maxPollInterval`. Partitions whose messages are not wanted for now are paused.
///
/// ```swift
/// let consumer = try Consumer(configuration)
/// try await consumer.subscribe(["orders.v1"])
/// while running {
///   for event in try await consumer.poll(maxMessages: 500, timeout: .seconds(1)) {
///     switch event {
///     case .messages(let messages): ...
///     case .assigned(let partitions): try await consumer.assign(partitions)
///     case .revoked: try await consumer.unassign()
///     ...
///     }
///   }
/// }
/// await consumer.close(timeout: .seconds(10))
/// ```
///
/// Calls that wait for a broker run one after the other on the consumer's own thread; `wake` cuts
/// a poll short that they would have to wait for. The calls that never wait are `nonisolated`.
public actor Consumer {
  private nonisolated let executor: BlockingExecutor
  /// The consumer's own thread: its calls may block.
  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    executor.asUnownedSerialExecutor()
  }

  nonisolated let client: ClientHandle
  nonisolated let queue: ClientQueue
  /// The group's name.
  public nonisolated let groupID: String
  private var reader = EventReader()
  /// Where librdkafka sends the last events once it has been told to leave.
  private var closeQueue: ClientQueue?

  /// Starts a consumer that is not in its group yet. Does not wait for a broker.
  ///
  /// - Throws: `.invalidArgument` naming the property that is unknown or wrong.
  public init(_ configuration: ConsumerConfiguration) throws(KafkaError) {
    guard !configuration.groupID.isEmpty else {
      throw KafkaError(
        code: .invalidArgument, operation: "create a consumer", message: "groupID is empty")
    }
    executor = BlockingExecutor(label: "kafka.consumer.\(configuration.groupID)")
    groupID = configuration.groupID
    client = try ClientHandle(
      .consumer, settings: configuration.settings(), overrides: configuration.kafka.properties,
      events: ConsumerEvents.all)
    queue = try ConsumerEvents.queue(of: client)
  }

  /// Joins the group for these topics, in the place of any earlier ones.
  ///
  /// - Throws: `.invalidArgument` for an empty list or name.
  public func subscribe(_ topics: [String]) throws(KafkaError) {
    let operation = "subscribe group \(groupID) to \(topics.joined(separator: ", "))"
    let list = PartitionList(
      topics.map { TopicPartition(topic: $0, partition: unassignedPartition) })
    try client.borrow(operation) { (client) throws(KafkaError) in
      try KafkaError.check(rd_kafka_subscribe(client, list.pointer), operation)
    }
  }

  /// Waits up to `timeout` for the first event, then takes what is there without waiting.
  ///
  /// - Parameter maxMessages: the most messages to return; they are in `.messages` events of one
  ///   or more each.
  /// - Throws: `.clientClosed`. Everything else is an event.
  public func poll(
    maxMessages: Int = 500, timeout: Duration
  ) throws(KafkaError) -> [ConsumerEvent] {
    try client.borrow("poll for group \(groupID)") { client in
      reader.read(queue, client: client, maxMessages: maxMessages, timeout: timeout)
    }
  }

  /// Makes a `poll` in progress, or else the next one, return at once.
  public nonisolated func wake() {
    _ = client.borrowIfOpen { _ in queue.wake() }
  }

  /// Takes the partitions of an `.assigned` event and begins to read each at the group's committed
  /// offset, or at the oldest message where the group has none yet. None of them is paused.
  ///
  /// Committed offsets are looked up first, which waits for the coordinator.
  ///
  /// - Throws: when the look-up fails; the group then goes on waiting for an answer, so call again
  ///   or `unassign`.
  public func assign(
    _ partitions: [TopicPartition], timeout: Duration = .seconds(30)
  ) throws(KafkaError) {
    let committed = try committed(partitions, timeout: timeout)
    let operation = "assign \(partitions.count) partitions to group \(groupID)"
    let list = PartitionList(
      partitions.map { ($0, committed[$0] ?? Int64(RD_KAFKA_OFFSET_BEGINNING)) })
    try client.borrow(operation) { (client) throws(KafkaError) in
      try KafkaError.check(rd_kafka_assign(client, list.pointer), operation)
    }
  }

  /// Gives all partitions back, as a `.revoked` event asks. Messages of them that have been read
  /// ahead are dropped.
  public func unassign() throws(KafkaError) {
    let operation = "give back the partitions of group \(groupID)"
    try client.borrow(operation) { (client) throws(KafkaError) in
      try KafkaError.check(rd_kafka_assign(client, nil), operation)
    }
  }

  /// Begins to leave the group.
  ///
  /// The last `.revoked` comes through `poll` and is answered by `unassign`; after that, and some
  /// more polls, `hasLeft` is true. `close` does all of this by itself where the caller has nothing
  /// to finish. May be called again.
  public func leave() throws(KafkaError) {
    guard closeQueue == nil else { return }
    let operation = "leave group \(groupID)"
    closeQueue = try client.borrow(operation) { (client) throws(KafkaError) in
      // rd_kafka_consumer_close can wait forever in 2.0.2, this cannot. The consumer's queue is
      // forwarded to the new one, so that those who poll it see the events of both.
      let queue = ClientQueue(owning: rd_kafka_queue_new(client))
      if let error = rd_kafka_consumer_close_queue(client, queue.pointer) {
        queue.destroy()
        throw KafkaError(consuming: error, operation: operation)
      }
      return queue
    }
  }

  /// Whether the member has left its group, after `leave`.
  public nonisolated var hasLeft: Bool {
    client.borrowIfOpen { rd_kafka_consumer_closed($0) != 0 } ?? true
  }

  /// Leaves the group and ends the consumer. A poll in progress returns.
  ///
  /// Partitions that are still assigned are given back; nothing is committed. To commit before,
  /// call `leave` and go on polling. When the group cannot be left in time, the group finds out by
  /// `sessionTimeout`. The end of the client may take two seconds more than `timeout`.
  public nonisolated func close(timeout: Duration) async {
    wake()
    await end(timeout: timeout)
  }

  private func end(timeout: Duration) async {
    // Leaving fails where there is no group to leave: closed already, or failed for good.
    let isLeaving = (try? leave()) != nil
    let clock = ContinuousClock()
    let deadline = clock.now + timeout
    while isLeaving, !hasLeft, clock.now < deadline {
      let rest = min(deadline - clock.now, .milliseconds(100))
      let events = (try? poll(maxMessages: 10_000, timeout: rest)) ?? []
      if events.contains(where: \.isRebalance) { try? unassign() }
    }
    await client.destroy(
      flags: RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE,
      queues: [queue] + (closeQueue.map { [$0] } ?? []), timeout: .seconds(2))
  }
}

extension ConsumerEvent {
  fileprivate var isRebalance: Bool {
    switch self {
    case .assigned, .revoked: true
    default: false
    }
  }
}
