/// A named value that travels with a message.
public struct Header: Hashable, Sendable {
  /// The name.
  public let name: String
  /// The bytes; nil and empty are different things to Kafka.
  public let value: [UInt8]?

  /// Takes the values as they are; nothing is checked before they are used.
  public init(name: String, value: [UInt8]?) {
    self.name = name
    self.value = value
  }

  /// A header whose value is text in UTF-8.
  public init(_ name: String, _ value: String) {
    self.init(name: name, value: Array(value.utf8))
  }
}

/// A message read from a partition.
public struct Message: Sendable {
  /// Where it was read from.
  public let topicPartition: TopicPartition
  /// Its place in the partition.
  public let offset: Int64
  /// Milliseconds since 1970, set by the producer or by the broker as the topic has it; nil when
  /// the broker gave none.
  public let timestamp: Int64?
  /// What decides on the partition; nil for none.
  public let key: [UInt8]?
  /// nil for a tombstone.
  public let value: [UInt8]?
  /// In the order in which they were written; a name may occur more than once.
  public let headers: [Header]

  /// Takes the values as they are; nothing is checked before they are used.
  public init(
    topicPartition: TopicPartition, offset: Int64, timestamp: Int64? = nil, key: [UInt8]? = nil,
    value: [UInt8]?, headers: [Header] = []
  ) {
    self.topicPartition = topicPartition
    self.offset = offset
    self.timestamp = timestamp
    self.key = key
    self.value = value
    self.headers = headers
  }

  /// The topic that it was read from.
  public var topic: String { topicPartition.topic }
  /// The number of the partition.
  public var partition: Int32 { topicPartition.partition }
}

/// A message to be written.
public struct Record: Sendable, Equatable {
  /// The topic to write to.
  public var topic: String
  /// nil leaves the choice to the partitioner, which goes by the key as Java's default does.
  public var partition: Int32?
  /// What decides on the partition; nil for any.
  public var key: [UInt8]?
  /// nil writes a tombstone.
  public var value: [UInt8]?
  /// In this order; a name may occur more than once.
  public var headers: [Header]
  /// Milliseconds since 1970; nil is now.
  public var timestamp: Int64?

  /// Takes the values as they are; nothing is checked before they are used.
  public init(
    topic: String, partition: Int32? = nil, key: [UInt8]? = nil, value: [UInt8]?,
    headers: [Header] = [], timestamp: Int64? = nil
  ) {
    self.topic = topic
    self.partition = partition
    self.key = key
    self.value = value
    self.headers = headers
    self.timestamp = timestamp
  }
}

/// Where an acknowledged record is.
public struct RecordPosition: Hashable, Sendable, CustomStringConvertible {
  /// The topic's name.
  public let topic: String
  /// The partition's number, from 0.
  public let partition: Int32
  /// Its place in the partition.
  public let offset: Int64

  /// Takes the values as they are; nothing is checked before they are used.
  public init(topic: String, partition: Int32, offset: Int64) {
    self.topic = topic
    self.partition = partition
    self.offset = offset
  }

  /// The topic and the partition.
  public var topicPartition: TopicPartition { TopicPartition(topic: topic, partition: partition) }

  /// Such as `orders.v1[3]@17`.
  public var description: String { "\(topic)[\(partition)]@\(offset)" }
}
