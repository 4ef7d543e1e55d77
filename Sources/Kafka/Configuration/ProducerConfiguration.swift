/// The settings of a `Producer`.
///
/// Not to be set: a producer is always idempotent, waits for all replicas in step, and chooses
/// partitions by the murmur2 hash of the key as Java's does, so that every producer of a topic
/// agrees on the partition of a key.
public struct ProducerConfiguration: Sendable {
  /// How a batch of records is compressed.
  public enum Compression: String, Sendable {
    case none, gzip, snappy, lz4, zstd
  }

  /// The cluster, and properties that win over all settings here.
  public var kafka: KafkaConfiguration
  /// How long a record waits for others to share a request with, 0 s to 900 s.
  public var linger: Duration
  /// How long a record may take, with all attempts, until it counts as failed.
  public var messageTimeout: Duration
  /// How batches are compressed.
  public var compression: Compression
  /// The largest batch, in bytes before compression.
  public var batchSize: Int
  /// The largest batch, in records.
  public var batchNumberOfMessages: Int
  /// The largest record, in bytes, 1,000 to 1,000,000,000.
  public var maximumMessageSize: Int
  /// How many records may wait to be acknowledged before `send` waits for room.
  public var queuedMaximumMessages: Int
  /// How many KiB of records may wait to be acknowledged before `send` waits for room.
  public var queuedMaximumKibibytes: Int

  /// Takes the values as they are; nothing is checked before they are used.
  public init(
    kafka: KafkaConfiguration, linger: Duration = .milliseconds(2),
    messageTimeout: Duration = .seconds(30), compression: Compression = .lz4,
    batchSize: Int = 1_000_000, batchNumberOfMessages: Int = 10_000,
    maximumMessageSize: Int = 1_000_000, queuedMaximumMessages: Int = 100_000,
    queuedMaximumKibibytes: Int = 65_536
  ) {
    self.kafka = kafka
    self.linger = linger
    self.messageTimeout = messageTimeout
    self.compression = compression
    self.batchSize = batchSize
    self.batchNumberOfMessages = batchNumberOfMessages
    self.maximumMessageSize = maximumMessageSize
    self.queuedMaximumMessages = queuedMaximumMessages
    self.queuedMaximumKibibytes = queuedMaximumKibibytes
  }

  func settings() -> [(name: String, value: String)] {
    kafka.settings() + [
      ("enable.idempotence", "true"),
      ("acks", "all"),
      ("partitioner", "murmur2_random"),
      ("linger.ms", String(linger.milliseconds)),
      ("message.timeout.ms", String(messageTimeout.milliseconds)),
      ("compression.codec", compression.rawValue),
      ("batch.size", String(batchSize)),
      ("batch.num.messages", String(batchNumberOfMessages)),
      ("message.max.bytes", String(maximumMessageSize)),
      ("queue.buffering.max.messages", String(queuedMaximumMessages)),
      ("queue.buffering.max.kbytes", String(queuedMaximumKibibytes)),
    ]
  }
}
