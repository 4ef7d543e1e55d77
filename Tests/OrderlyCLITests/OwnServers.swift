import Foundation
import Kafka
import Postgres
import Testing

/// The Postgres and the Kafka that the tests of commands use.
enum OwnServers {
  struct Missing: Error, CustomStringConvertible {
    let description =
      "ORDERLY_TEST_POSTGRES is not set: run Ops/test, which starts a Postgres, or give the URL of a "
      + "superuser"
  }

  /// The bootstrap servers of a real Kafka; nil where there is none.
  static let kafka = ProcessInfo.processInfo.environment["ORDERLY_TEST_KAFKA"]
    .flatMap { $0.isEmpty ? nil : $0 }

  /// Runs `body` with an empty database of its own, given by its URL.
  static func withDatabase<R>(_ body: (String) async throws -> R) async throws -> R {
    guard let text = ProcessInfo.processInfo.environment["ORDERLY_TEST_POSTGRES"],
      var url = URLComponents(string: text)
    else { throw Missing() }
    let name = "clitests_" + UUID().uuidString.lowercased().filter { $0 != "-" }
    let server = try ConnectionConfiguration(url: text)
    try Connection.with(server) { try $0.executeScript("CREATE DATABASE \(name)") }
    url.path = "/\(name)"
    let result: Result<R, any Error>
    do { result = .success(try await body(try #require(url.string))) } catch {
      result = .failure(error)
    }
    try Connection.with(server) { try $0.executeScript("DROP DATABASE \(name) WITH (FORCE)") }
    return try result.get()
  }

  /// Runs `body` with a mock cluster that has the topics of the platform.
  static func withMock<R>(
    topics: [String] = ["orders.v1", "inventory.v1", "payments.v1", "fulfilment.v1"]
      + ["orders.dlq", "inventory.dlq", "payments.dlq", "fulfilment.dlq"],
    partitions: Int32 = 6, _ body: (MockCluster, OrderlyProcess) async throws -> R
  ) async throws -> R {
    let mock = try MockCluster()
    let result: Result<R, any Error>
    do {
      for topic in topics { try mock.createTopic(topic, partitions: partitions) }
      result = .success(
        try await body(
          mock, OrderlyProcess(environment: ["KAFKA_BOOTSTRAP_SERVERS": mock.bootstrapServers])))
    } catch { result = .failure(error) }
    await mock.close()
    return try result.get()
  }
}
