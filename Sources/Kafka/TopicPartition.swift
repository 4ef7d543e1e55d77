/// One partition of a topic.
public struct TopicPartition: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The topic's name.
  public let topic: String
  /// From 0.
  public let partition: Int32

  /// Takes the values as they are; nothing is checked before they are used.
  public init(topic: String, partition: Int32) {
    self.topic = topic
    self.partition = partition
  }

  /// The name and the number, as in `orders.v1[3]`.
  public var description: String { "\(topic)[\(partition)]" }

  /// By name, then by number.
  public static func < (left: TopicPartition, right: TopicPartition) -> Bool {
    (left.topic, left.partition) < (right.topic, right.partition)
  }
}
