import Foundation
import Postgres
import Testing

/// The server that the tests use, and what they make in it.
enum Server {
  struct Missing: Error, CustomStringConvertible {
    let description =
      "ORDERLY_TEST_POSTGRES is not set: run Ops/test, which starts a Postgres, or give the URL of a "
      + "superuser"
  }

  static func configuration(_ change: (inout ConnectionConfiguration) -> Void = { _ in }) throws
    -> ConnectionConfiguration
  {
    guard let url = ProcessInfo.processInfo.environment["ORDERLY_TEST_POSTGRES"] else {
      throw Missing()
    }
    var configuration = try ConnectionConfiguration(url: url)
    change(&configuration)
    return configuration
  }

  /// A name that no other run has.
  static func randomName() -> String {
    "postgrestests_" + UUID().uuidString.lowercased().filter { $0 != "-" }
  }

  /// Runs the body with a connection of its own.
  static func with<R>(
    _ configuration: ConnectionConfiguration? = nil, _ body: (Connection) throws -> R
  ) throws -> R {
    try Connection.with(try configuration ?? Self.configuration(), body)
  }

  /// Runs the body with a connection that has an own schema, which is dropped in the end.
  static func withSchema<R>(_ body: (Connection, ConnectionConfiguration) throws -> R) throws -> R {
    let schema = try Identifier(randomName())
    return try with { admin in
      try admin.executeScript("create schema \(schema)")
      defer {
        #expect(throws: Never.self) { try admin.executeScript("drop schema \(schema) cascade") }
      }
      var configuration = try configuration()
      configuration.searchPath = schema.quoted
      return try Connection.with(configuration) { try body($0, configuration) }
    }
  }

  /// Runs the body with a schema of its own, for tests with a pool.
  static func withSchemaOnly<R>(_ body: (ConnectionConfiguration) async throws -> R) async throws
    -> R
  {
    let schema = try Identifier(randomName())
    var configuration = try configuration()
    try Connection.with(configuration) { try $0.executeScript("create schema \(schema)") }
    configuration.searchPath = schema.quoted
    let result: Result<R, any Error>
    do { result = .success(try await body(configuration)) } catch { result = .failure(error) }
    try Connection.with(Self.configuration()) {
      try $0.executeScript("drop schema \(schema) cascade")
    }
    return try result.get()
  }

  /// Ends the session of a connection from another one, and waits until the server has done it.
  static func terminate(_ connection: Connection) throws {
    try terminate(connection.processID)
  }

  static func terminate(_ processID: Int32) throws {
    try with { admin in
      // The second argument waits for the end, in milliseconds.
      let ended = try admin.execute("select pg_terminate_backend($1, 10000)", processID)
      try #require(try ended.scalar(as: Bool.self))
    }
  }
}

/// The error that the body throws, which has to be one of ours.
func postgresError<R>(
  sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> R
) throws -> PostgresError {
  try #require(throws: PostgresError.self, sourceLocation: sourceLocation) { _ = try body() }
}
