import Contracts
import Foundation
import Kafka
import Postgres
import Testing

/// The servers that the tests are given.
enum Servers {
  struct Missing: Error, CustomStringConvertible {
    let description =
      "ORDERLY_TEST_POSTGRES is not set: run Ops/test, which starts a Postgres, or give the URL of a "
      + "superuser"
  }

  /// The bootstrap servers of a real Kafka; nil where there is none.
  static let kafka: String? = {
    let servers = ProcessInfo.processInfo.environment["ORDERLY_TEST_KAFKA"]
    guard let servers, !servers.isEmpty else {
      print("EndToEndTests: what needs a real Kafka is left out; ORDERLY_TEST_KAFKA is not set")
      return nil
    }
    return servers
  }()

  static let partitions: Int32 = 6
  static let topics = Topic.allCases.map(\.rawValue) + ServiceName.allCases.map(\.deadLetterTopic)

  /// Runs `body` with an empty database of its own, given by its URL.
  static func withDatabase<R>(_ body: (String) async throws -> R) async throws -> R {
    guard let text = ProcessInfo.processInfo.environment["ORDERLY_TEST_POSTGRES"],
      var url = URLComponents(string: text)
    else { throw Missing() }
    let name = "endtoend_" + UUID().uuidString.lowercased().filter { $0 != "-" }.prefix(12)
    let server = try ConnectionConfiguration(url: text)
    try Connection.with(server) { try $0.executeScript("CREATE DATABASE \(name)") }
    url.path = "/\(name)"
    let own = try #require(url.string)
    let result = await catching { try await body(own) }
    try Connection.with(server) { try $0.executeScript("DROP DATABASE \(name) WITH (FORCE)") }
    return try result.get()
  }

  /// Runs `body` with a Postgres server of its own, given by a superuser's URL: for tests that
  /// change what concerns the whole server.
  static func withServer<R>(_ body: (String) async throws -> R) async throws -> R {
    let server = try Program("orderly", ["dev", "--postgres-only"], environment: [:])
    let result = await catching {
      try await eventually("a Postgres server of its own has started") {
        try #require(server.isRunning, "\(server.errorLines)")
        return !server.outputLines.isEmpty
      }
      return try await body(server.outputLines[0])
    }
    server.signal(SIGINT)
    await server.wait()
    return try result.get()
  }

  /// Runs `body` with a mock cluster of its own that has the topics of the platform.
  static func withMock<R>(_ body: (MockCluster) async throws -> R) async throws -> R {
    let mock = try MockCluster()
    let result = await catching {
      for topic in topics { try mock.createTopic(topic, partitions: partitions) }
      return try await body(mock)
    }
    await mock.close()
    return try result.get()
  }

  static func withAdmin<R: Sendable>(
    _ servers: String, _ body: (Admin) async throws -> R
  ) async throws -> R {
    let admin = try Admin(
      KafkaConfiguration(bootstrapServers: servers.split(separator: ",").map(String.init)))
    let result = await catching { try await body(admin) }
    await admin.close()
    return try result.get()
  }

  /// Takes the platform's topics and groups off the real Kafka: what an earlier test has left.
  static func wipe(_ servers: String) async throws {
    try await withAdmin(servers) { admin in
      // Members that were killed are in their groups until their session has timed out.
      try await eventually("the groups are gone") {
        try await admin.deleteGroups(ServiceName.allCases.map(\.rawValue)).values.allSatisfy {
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

func catching<R>(_ body: () async throws -> R) async -> Result<R, any Error> {
  do { return .success(try await body()) } catch { return .failure(error) }
}
