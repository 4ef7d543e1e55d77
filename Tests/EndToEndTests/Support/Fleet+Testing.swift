import Contracts
import FleetProcesses
import Foundation
import Kafka
import Postgres
import Testing

/// The servers that the tests are given.
enum Given {
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
}

extension Fleet {
  /// Runs `body` with a fleet that has no workers yet, and says what they complained of if it fails.
  ///
  /// - Parameter databaseURL: of a superuser; nil for a database of its own on the common server.
  static func with(
    broker: String, databaseURL: String? = nil, migrated isMigrated: Bool = true,
    _ body: (Fleet) async throws -> Void
  ) async throws {
    guard let databaseURL else {
      return try await Given.withDatabase { url in
        try await with(broker: broker, databaseURL: url, migrated: isMigrated, body)
      }
    }
    try await with(
      bootstrapServers: broker, databaseURL: databaseURL,
      sessionTimeout: broker == Given.kafka ? 6 : 3, migrated: isMigrated
    ) { fleet in
      do { try await body(fleet) } catch {
        fleet.showComplaints()
        throw error
      }
    }
  }

  /// The same, on the real Kafka with fresh topics.
  static func onKafka(_ body: (Fleet) async throws -> Void) async throws {
    let servers = try #require(Given.kafka)
    try await Servers.wipe(servers)
    try await with(broker: servers) { fleet in
      try await fleet.succeeding("topics", "apply")
      try await body(fleet)
    }
  }

  /// The same, on a mock cluster.
  static func onMock(_ body: (Fleet, MockCluster) async throws -> Void) async throws {
    try await Servers.withMock { mock in
      try await with(broker: mock.bootstrapServers) { try await body($0, mock) }
    }
  }

  /// What a failed test's workers had to say.
  private func showComplaints() {
    for worker in workers {
      for line in worker.complaints.filter({ $0.message != "message dead-lettered" }).suffix(10) {
        print("\(worker.name): \(line.text)")
      }
    }
  }

  /// Stops all workers that run, and holds them to a clean end.
  func stopAll() async {
    for (name, status) in await stopRunning() {
      Issue.record("\(name) ended with \(status)")
    }
  }
}

extension Orders {
  /// So many as a test about throughput and loss takes.
  static let many =
    ProcessInfo.processInfo.environment["ORDERLY_E2E_ORDERS"].flatMap(Int.init) ?? 3_000

  /// Lets the audit judge, and compares the orders in the database with what the seed says.
  func check(on fleet: Fleet) async throws {
    let audit = try await fleet.orderly(["audit", "--expect", expectations(fleet)])
    #expect(audit.status == 0, "\(audit)")
    // What is in flight is not judged.
    #expect(!audit.output.contains("the system is at work"), "\(audit.output)")
    #expect(try await wrongEnds(on: fleet).isEmpty)
    #expect(try await fleet.deadLetterRows() == deadLetters)
  }

  /// What has just been done to the fleet was done in the midst of its work, as the test means it.
  func expectUnderWay(on fleet: Fleet) async throws {
    let ended = try await ended(on: fleet)
    // Poison never becomes an order.
    #expect(ended < count * 9 / 10, "nothing was left to be disturbed; publish more orders")
  }
}

extension Fleet {
  fileprivate func deadLetterRows() async throws -> Int {
    var count = 0
    for service in ServiceName.allCases {
      count += Int(
        try await scalar(
          "SELECT count(*) FROM \(service.rawValue).dead_letter", as: Int64.self))
    }
    return count
  }
}
