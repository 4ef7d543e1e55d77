/// The settings of a `Consumer`.
///
/// Not to be set: partitions are distributed by the range assignor with the eager protocol, offsets
/// are committed by the caller alone, and an offset that the broker no longer has is an error
/// rather than a silent jump.
public struct ConsumerConfiguration: Sendable {
  /// The cluster, and properties that win over all settings here.
  public var kafka: KafkaConfiguration
  /// The group's name; not empty.
  public var groupID: String
  /// How long the group waits for a sign of life before it gives the partitions to others.
  public var sessionTimeout: Duration
  /// How often signs of life are sent; a third of `sessionTimeout` at most.
  public var heartbeatInterval: Duration
  /// The longest time between two polls before the member leaves its group by itself. Not less
  /// than `sessionTimeout`.
  public var maxPollInterval: Duration
  /// How long a broker holds a request when there is nothing to read.
  public var fetchWait: Duration
  /// The most that is read of a partition in one request, in bytes.
  public var maxPartitionFetchBytes: Int
  /// How much is read ahead of the polls for each partition, in KiB.
  public var queuedMaxKilobytes: Int
  /// How many messages are read ahead of the polls for each partition, at least.
  public var queuedMinMessages: Int

  /// Takes the values as they are; nothing is checked before they are used.
  public init(
    kafka: KafkaConfiguration, groupID: String, sessionTimeout: Duration = .seconds(30),
    heartbeatInterval: Duration = .seconds(3),
    maxPollInterval: Duration = .seconds(300), fetchWait: Duration = .milliseconds(100),
    maxPartitionFetchBytes: Int = 1_048_576, queuedMaxKilobytes: Int = 16_384,
    queuedMinMessages: Int = 10_000
  ) {
    self.kafka = kafka
    self.groupID = groupID
    self.sessionTimeout = sessionTimeout
    self.heartbeatInterval = heartbeatInterval
    self.maxPollInterval = maxPollInterval
    self.fetchWait = fetchWait
    self.maxPartitionFetchBytes = maxPartitionFetchBytes
    self.queuedMaxKilobytes = queuedMaxKilobytes
    self.queuedMinMessages = queuedMinMessages
  }

  /// The name of the client in the brokers' view of the group.
  public var clientID: String {
    get { kafka.clientID }
    set { kafka.clientID = newValue }
  }

  func settings() -> [(name: String, value: String)] {
    kafka.settings() + Self.offsetsAreTheCallers + [
      ("group.id", groupID),
      ("partition.assignment.strategy", "range"),
      ("session.timeout.ms", String(sessionTimeout.milliseconds)),
      ("heartbeat.interval.ms", String(heartbeatInterval.milliseconds)),
      ("max.poll.interval.ms", String(maxPollInterval.milliseconds)),
      ("fetch.wait.max.ms", String(fetchWait.milliseconds)),
      ("max.partition.fetch.bytes", String(maxPartitionFetchBytes)),
      ("queued.max.messages.kbytes", String(queuedMaxKilobytes)),
      ("queued.min.messages", String(queuedMinMessages)),
    ]
  }

  /// Nothing is committed but by the caller, and an offset that the broker does not have is an
  /// error. `auto.offset.reset=earliest` would jump silently over what retention has deleted.
  static let offsetsAreTheCallers = [
    (name: "enable.auto.commit", value: "false"),
    (name: "enable.auto.offset.store", value: "false"),
    (name: "auto.offset.reset", value: "error"),
  ]
}
