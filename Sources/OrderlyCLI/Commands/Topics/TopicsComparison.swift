import Kafka
import TopicCatalog

/// A topic as a cluster has it.
struct ClusterTopic: Equatable, Sendable {
  var name: String
  var partitions: Int
  /// The fewest replicas of any partition.
  var replicationFactor: Int
  /// The partitions that nobody can read or write at present.
  var leaderless: [Int32] = []
  /// The settings; nil where the cluster doesn't tell, as a mock.
  var configuration: [String: String]?
}

/// What a topic should be.
struct WantedTopic: Equatable, Sendable {
  var name: String
  var partitions: Int
  var replicationFactor: Int
  /// Whether the replicas are compared. Those of a manifest are for development, so that they are
  /// only where the operator has named the number.
  var comparesReplicas: Bool
  var configuration: [String: String]

  init(
    name: String, partitions: Int, replicationFactor: Int, comparesReplicas: Bool = false,
    configuration: [String: String] = [:]
  ) {
    self.name = name
    self.partitions = partitions
    self.replicationFactor = replicationFactor
    self.comparesReplicas = comparesReplicas
    self.configuration = configuration
  }

  init(_ manifest: TopicManifest, _ overrides: TopicOverrides? = nil) {
    self.init(
      name: manifest.name, partitions: overrides?.partitions ?? manifest.partitions,
      replicationFactor: overrides?.replicationFactor ?? manifest.replicas,
      comparesReplicas: overrides?.replicationFactor != nil, configuration: manifest.configuration)
  }
}

/// One way in which a cluster's topic is not as it should be.
enum TopicDifference: Hashable, Sendable, CustomStringConvertible {
  case missing
  case partitions(wanted: Int, found: Int)
  case replicas(wanted: Int, found: Int)
  case setting(String, wanted: String, found: String?)
  case leaderless([Int32])

  var description: String {
    switch self {
    case .missing: "does not exist"
    case .partitions(let wanted, let found): "has \(counted(found, "partition")), not \(wanted)"
    case .replicas(let wanted, let found): "has \(counted(found, "replica")), not \(wanted)"
    case .setting(let name, let wanted, let found):
      "\(name) is \(found ?? "not set"), not \(wanted)"
    case .leaderless(let partitions):
      "no broker leads partition \(partitions.map(String.init).joined(separator: ", "))"
    }
  }

  var isOfSettings: Bool { if case .setting = self { true } else { false } }
}

/// How a topic differs from what it should be; empty when it doesn't.
func differences(_ wanted: WantedTopic, _ found: ClusterTopic?) -> [TopicDifference] {
  guard let found else { return [.missing] }
  var differences: [TopicDifference] = []
  if found.partitions != wanted.partitions {
    differences.append(.partitions(wanted: wanted.partitions, found: found.partitions))
  }
  if wanted.comparesReplicas, found.replicationFactor != wanted.replicationFactor {
    differences.append(.replicas(wanted: wanted.replicationFactor, found: found.replicationFactor))
  }
  if let configuration = found.configuration {
    for (name, value) in wanted.configuration.sorted(by: { $0.key < $1.key })
    where !isSameSetting(value, configuration[name]) {
      differences.append(.setting(name, wanted: value, found: configuration[name]))
    }
  }
  if !found.leaderless.isEmpty { differences.append(.leaderless(found.leaderless)) }
  return differences
}

/// Lists are sets: `compact,delete` is `delete,compact`.
private func isSameSetting(_ wanted: String, _ found: String?) -> Bool {
  guard let found else { return false }
  return Set(wanted.split(separator: ",")) == Set(found.split(separator: ","))
}

/// What a cluster has of the topics that are asked for.
struct ClusterTopics: Sendable {
  var isMock: Bool
  /// Those that exist, by name, also ones that no manifest describes.
  var topics: [String: ClusterTopic]

  /// Looks at all topics, and at the settings of those named.
  ///
  /// - Parameter timeout: for each call.
  static func read(
    from admin: Admin, settingsOf names: [String], timeout: Duration = .seconds(5)
  ) async throws(KafkaError) -> ClusterTopics {
    let metadata = try await admin.metadata(timeout: timeout)
    var topics: [String: ClusterTopic] = [:]
    for topic in metadata.topics where topic.error == nil {
      topics[topic.name] = ClusterTopic(
        name: topic.name, partitions: topic.partitions.count,
        replicationFactor: topic.partitions.map(\.replicas.count).min() ?? 0,
        leaderless: topic.partitions.filter { $0.leader == nil }.map(\.partition).sorted())
    }
    // A mock has no settings to tell.
    if !metadata.isMock {
      for name in names where topics[name] != nil {
        let entries = try await admin.describeConfigs(topic: name, timeout: timeout)
        topics[name]?.configuration = Dictionary(
          entries.compactMap { entry in entry.value.map { (entry.name, $0) } }
        ) { $1 }
      }
    }
    return ClusterTopics(isMock: metadata.isMock, topics: topics)
  }
}
