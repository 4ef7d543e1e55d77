import FleetPostgres
import Foundation
import Postgres
import Testing

/// A database of its own for a suite, made before and dropped after it, with the roles whose names
/// begin with the database's name.
struct ScratchDatabase: SuiteTrait, TestScoping {
  struct Missing: Error, CustomStringConvertible {
    let description =
      "ORDERLY_TEST_POSTGRES is not set: run Ops/test, which starts a Postgres, or give the URL of a "
      + "superuser"
  }

  @TaskLocal private static var current: ConnectionConfiguration?

  /// The suite's database, as a superuser.
  static func configuration(
    searchPath: String? = nil, role: String? = nil
  ) throws -> ConnectionConfiguration {
    guard var configuration = current else { throw Missing() }
    configuration.searchPath = searchPath
    configuration.role = role
    return configuration
  }

  /// A name that nobody else has; good for a schema or a role.
  static func randomName() throws -> String {
    guard let database = current?.database else { throw Missing() }
    return database + "_" + UUID().uuidString.lowercased().prefix(8)
  }

  /// Runs the body with a connection to the suite's database.
  static func with<R>(
    searchPath: String? = nil, role: String? = nil, _ body: (Connection) throws -> R
  ) throws -> R {
    try Connection.with(configuration(searchPath: searchPath, role: role), body)
  }

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    guard let url = ProcessInfo.processInfo.environment["ORDERLY_TEST_POSTGRES"] else {
      throw Missing()
    }
    let server = try ConnectionConfiguration(url: url)
    let name = "fleettests_" + UUID().uuidString.lowercased().filter { $0 != "-" }.prefix(12)
    let identifier = try Identifier(name)
    try Connection.with(server) { try $0.executeScript("CREATE DATABASE \(identifier)") }
    var configuration = server
    configuration.database = name
    let result: Result<Void, any Error>
    do {
      result = .success(try await Self.$current.withValue(configuration, operation: function))
    } catch {
      result = .failure(error)
    }
    try Connection.with(server) { connection in
      try connection.executeScript("DROP DATABASE \(identifier) WITH (FORCE)")
      for row in try connection.execute(
        "SELECT rolname::text FROM pg_roles WHERE starts_with(rolname, $1::text)", name)
      {
        let role = try Identifier(row[0, as: String.self])
        try connection.executeScript("DROP ROLE \(role)")
      }
    }
    try result.get()
  }
}

extension Trait where Self == ScratchDatabase {
  static var scratchDatabase: Self { ScratchDatabase() }
}

extension Connection {
  /// Waits until another session waits for a lock that the session `processID` holds. Gives up
  /// after so many questions that nobody can be on the way any more.
  func waitUntilSomebodyWaits(for processID: Int32) throws {
    for _ in 0..<20_000 {
      let waits = try execute(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid)))",
        processID)
      if try waits.scalar(as: Bool.self) { return }
    }
    throw NobodyWaits()
  }
}

struct NobodyWaits: Error {}
