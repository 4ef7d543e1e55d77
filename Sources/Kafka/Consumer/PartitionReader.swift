internal import BlockingExecutor
internal import CRDKafka

/// Reads partitions without being a member of a group: for tools that look at a topic.
///
/// Commits nothing and disturbs no group. A partition whose offset is out of range is told as
/// `.offsetOutOfRange` and not read further.
public actor PartitionReader {
  private nonisolated let executor: BlockingExecutor
  /// The reader's own thread: its calls may block.
  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    executor.asUnownedSerialExecutor()
  }

  private nonisolated let client: ClientHandle
  private nonisolated let queue: ClientQueue
  private var reader = EventReader()

  /// Starts a reader of nothing yet. Does not wait for a broker.
  ///
  /// - Throws: `.invalidArgument` naming the property that is unknown or wrong.
  public init(_ configuration: KafkaConfiguration) throws(KafkaError) {
    executor = BlockingExecutor(label: "kafka.reader")
    // librdkafka's assignments need a group's name. It is never joined and never committed to.
    let name = "\(configuration.clientID)-reader"
    client = try ClientHandle(
      .consumer,
      settings: configuration.settings() + ConsumerConfiguration.offsetsAreTheCallers + [
        ("group.id", name), ("fetch.wait.max.ms", "100"),
        ("enable.partition.eof", "true"),
      ], overrides: configuration.properties, events: ConsumerEvents.all)
    queue = try ConsumerEvents.queue(of: client)
  }

  /// Reads each partition from its offset, in the place of any earlier ones.
  public func assign(_ offsets: [TopicPartition: Int64]) throws(KafkaError) {
    let list = PartitionList(offsets)
    let operation = "assign partitions to a reader"
    try client.borrow(operation) { (client) throws(KafkaError) in
      try KafkaError.check(rd_kafka_assign(client, list.pointer), operation)
    }
    reader = EventReader()
  }

  /// Waits up to `timeout` for the first event, then takes what is there without waiting.
  ///
  /// - Throws: `.clientClosed`. Everything else is an event.
  public func poll(
    maxMessages: Int = 500, timeout: Duration
  ) throws(KafkaError) -> [ConsumerEvent] {
    try client.borrow("read partitions") { client in
      reader.read(queue, client: client, maxMessages: maxMessages, timeout: timeout)
    }
  }

  /// Makes a `poll` in progress, or else the next one, return at once.
  public nonisolated func wake() {
    _ = client.borrowIfOpen { _ in queue.wake() }
  }

  /// The oldest offset and the one after the newest.
  public func watermarks(
    _ partition: TopicPartition, timeout: Duration = .seconds(30)
  ) throws(KafkaError) -> Range<Int64> {
    try client.watermarks(partition, timeout: timeout)
  }

  /// For each partition the offset of the first message of that time or later; partitions without
  /// one have -1, the end.
  ///
  /// - Parameter times: milliseconds since 1970.
  public func offsets(
    forTimes times: [TopicPartition: Int64], timeout: Duration = .seconds(30)
  ) throws(KafkaError) -> [TopicPartition: Int64] {
    try client.offsets(forTimes: times, timeout: timeout)
  }

  /// Ends the reader. A poll in progress returns.
  public nonisolated func close(timeout: Duration = .seconds(2)) async {
    wake()
    await client.destroy(
      flags: RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE, queues: [queue], timeout: timeout)
  }
}
