/// A topic to be made.
public struct NewTopic: Sendable, Hashable {
  /// The topic's name.
  public var name: String
  /// The number of partitions, from 1.
  public var partitions: Int32
  /// On how many brokers each partition is kept; nil leaves it to the cluster.
  public var replicationFactor: Int32?
  /// Settings of the topic, such as `retention.ms`.
  public var configuration: [String: String]

  /// Takes the values as they are; nothing is checked before they are used.
  public init(
    name: String, partitions: Int32, replicationFactor: Int32? = nil,
    configuration: [String: String] = [:]
  ) {
    self.name = name
    self.partitions = partitions
    self.replicationFactor = replicationFactor
    self.configuration = configuration
  }
}

/// What the brokers say of a cluster.
public struct ClusterMetadata: Sendable, Equatable {
  /// The cluster's own name for itself; nil when no broker has told it in time.
  public let clusterID: String?
  /// The brokers that are up.
  public let brokers: [Broker]
  /// The topics that were asked for.
  public let topics: [TopicMetadata]

  /// Whether it is librdkafka's mock cluster, which has no admin calls.
  public var isMock: Bool { clusterID?.hasPrefix("mockCluster") ?? false }
}

/// A broker of a cluster.
public struct Broker: Sendable, Hashable {
  /// The broker's number.
  public let id: Int32
  /// The name or address that it is reached at.
  public let host: String
  /// The port that it is reached at.
  public let port: Int32
}

/// A topic and its partitions.
public struct TopicMetadata: Sendable, Equatable {
  /// The name.
  public let name: String
  /// Empty when the topic cannot be used.
  public let partitions: [PartitionMetadata]
  /// Why the topic cannot be used, such as `.unknownTopicOrPartition`.
  public let error: KafkaError?
}

/// Where a partition is kept.
public struct PartitionMetadata: Sendable, Equatable {
  /// The partition's number, from 0.
  public let partition: Int32
  /// The broker that it is read from and written to; nil when it has none at present.
  public let leader: Int32?
  /// The brokers that keep a copy.
  public let replicas: [Int32]
  /// Why the partition cannot be used.
  public let error: KafkaError?
}

/// A setting of a topic or of a broker.
public struct ConfigurationEntry: Sendable, Hashable {
  /// The name.
  public let name: String
  /// nil where the broker keeps it to itself.
  public let value: String?
}

/// The state of a consumer group.
public enum GroupState: String, Sendable {
  case unknown = "Unknown"
  case preparingRebalance = "PreparingRebalance"
  case completingRebalance = "CompletingRebalance"
  case stable = "Stable"
  case dead = "Dead"
  case empty = "Empty"
}

/// A group in a list of groups.
public struct GroupListing: Sendable, Hashable {
  /// The group's name.
  public let groupID: String
  /// What the group is doing.
  public let state: GroupState
}

/// A consumer group and its members.
public struct GroupDescription: Sendable, Equatable {
  /// The group's name.
  public let groupID: String
  /// What the group is doing.
  public let state: GroupState
  /// How partitions are distributed, such as `range`; empty for a group without members.
  public let assignor: String
  /// The id of the broker that coordinates the group.
  public let coordinator: Int32?
  /// Its members, in the coordinator's order.
  public let members: [GroupMember]
}

/// A member of a consumer group.
public struct GroupMember: Sendable, Equatable {
  /// The name that the coordinator gave it.
  public let memberID: String
  /// The client's name for itself.
  public let clientID: String
  /// Its address as the broker sees it.
  public let host: String
  /// The partitions that it has.
  public let assignment: [TopicPartition]
}
