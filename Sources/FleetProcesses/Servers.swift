import Contracts
package import Kafka

/// The brokers that a fleet runs on.
package enum Servers {
  /// Of each topic, as the manifests have it.
  package static let partitions: Int32 = 6
  /// The names of those of events, and of those of dead letters.
  package static let topics = Topic.allNames

  /// All partitions of these topics, which have as many as the platform's.
  package static func partitions(of topics: [String]) -> [TopicPartition] {
    topics.flatMap { topic in
      (0..<partitions).map { TopicPartition(topic: topic, partition: $0) }
    }
  }

  /// Runs `body` with a mock cluster of its own that has the topics of the platform.
  package static func withMock<R>(_ body: (MockCluster) async throws -> R) async throws -> R {
    let mock = try MockCluster()
    let result = await catching {
      for topic in topics { try mock.createTopic(topic, partitions: partitions) }
      return try await body(mock)
    }
    await mock.close()
    return try result.get()
  }

  /// Runs `body` with a client for administration, which is closed in the end.
  ///
  /// - Parameter servers: `host:port` of each broker, with commas between them.
  package static func withAdmin<R: Sendable>(
    _ servers: String, _ body: (Admin) async throws -> R
  ) async throws -> R {
    let admin = try Admin(
      KafkaConfiguration(bootstrapServers: servers.split(separator: ",").map(String.init)))
    let result = await catching { try await body(admin) }
    await admin.close()
    return try result.get()
  }

  /// Takes the platform's topics and groups off the real Kafka: what an earlier test has left.
  package static func wipe(_ servers: String) async throws {
    try await withAdmin(servers) { admin in
      // Members that were killed are in their groups until their session has timed out.
      try await eventually("the groups are gone") {
        // Only those that there are: a new cluster has no coordinator to ask for the others, and
        // librdkafka 2.0.2 may abort while it looks for one.
        let groups = Set(try await admin.listGroups().map(\.groupID))
          .intersection(ServiceName.allCases.map(\.rawValue))
        return try await admin.deleteGroups(Array(groups)).values.allSatisfy {
          switch $0 {
          case .success: true
          case .failure(let error): error.code == .groupIDNotFound
          }
        }
      }
      _ = try await admin.deleteTopics(topics)
      try await eventually("the topics are gone") {
        let left = Set(try await admin.metadata().topics.map(\.name))
        return left.isDisjoint(with: topics)
      }
    }
  }
}

/// What the body has returned or thrown, for whoever has to clean up after either with an `await`,
/// which `defer` can't have.
package func catching<R>(_ body: () async throws -> R) async -> Result<R, any Error> {
  do { return .success(try await body()) } catch { return .failure(error) }
}
