import Contracts
import FleetPostgres
import Foundation
import Postgres
import Synchronization
import Testing

/// A service's schema on the real server, under a name that no other run has.
struct StoreBench<Store: ServiceStore>: Sendable {
  private struct Missing: Error, CustomStringConvertible {
    let description =
      "ORDERLY_TEST_POSTGRES is not set: run Ops/test, which starts a Postgres, or give the URL of a "
      + "superuser"
  }

  let store: Store
  let configuration: ConnectionConfiguration
  private let server: ConnectionConfiguration
  private let schema: Identifier

  /// Runs the body with a schema that all of the store's migrations have made; drops it after.
  static func with<R>(_ store: Store, _ body: (StoreBench) throws -> R) throws -> R {
    let bench = try StoreBench(store)
    defer { bench.drop() }
    return try body(bench)
  }

  /// As ``with(_:_:)``, with connections to the schema.
  static func withPool<R>(
    _ store: Store, _ body: (Pool) async throws -> R
  ) async throws -> R {
    let bench = try StoreBench(store)
    defer { bench.drop() }
    let pool = Pool(bench.configuration, maximum: 2)
    let result: Result<R, any Error>
    do { result = .success(try await body(pool)) } catch { result = .failure(error) }
    await pool.close()
    return try result.get()
  }

  private init(_ store: Store) throws {
    guard let url = ProcessInfo.processInfo.environment["ORDERLY_TEST_POSTGRES"] else {
      throw Missing()
    }
    server = try ConnectionConfiguration(url: url)
    schema = try Identifier("storetests_" + UUID().uuidString.lowercased().filter { $0 != "-" })
    self.store = store
    var configuration = server
    configuration.searchPath = schema.quoted
    self.configuration = configuration
    try Connection.with(server) { try $0.executeScript("CREATE SCHEMA \(schema)") }
    do {
      try connect { connection in
        for migration in CommonMigrations.all + Store.migrations {
          try connection.executeScript(migration.sql)
        }
      }
    } catch {
      drop()
      throw error
    }
  }

  private func drop() {
    #expect(throws: Never.self) {
      try Connection.with(server) { try $0.executeScript("DROP SCHEMA \(schema) CASCADE") }
    }
  }

  /// Runs the body with a connection of its own.
  func connect<R>(_ body: (Connection) throws -> R) throws -> R {
    try Connection.with(configuration, body)
  }

  /// Loads, changes and saves in one transaction, as a step does.
  func step<R>(
    _ events: [EventPayload], also orders: [OrderID] = [], lane: Int32 = 0, at now: Date = noon,
    on connection: Connection, _ body: (inout Store.Rows) throws -> R
  ) throws -> R {
    try connection.transaction { connection in
      var rows = try store.load(
        events, orders: events.map(\.orderID) + orders, at: now, on: connection)
      let result = try body(&rows)
      try store.save(rows, lane: lane, at: now, on: connection)
      return result
    }
  }

  /// The rows of some orders as a later step finds them.
  func load(_ orders: [OrderID], at now: Date = noon, on connection: Connection) throws
    -> Store.Rows
  {
    try store.load([], orders: orders, at: now, on: connection)
  }
}

/// `count` orders with the ids `order-0`, `order-1`, …
func sampleOrders(_ count: Int) -> [OrderPlaced] {
  (0..<count).map { sampleOrder("order-\($0)") }
}

/// Order ids `order-0`, `order-1`, … for as many rows, each with the row.
func numbered<Row>(_ rows: [Row]) -> [(id: OrderID, row: Row)] {
  rows.enumerated().map { (OrderID(rawValue: "order-\($0)"), $1) }
}

/// The statements that a connection has sent to the server, as the server has seen them.
final class StatementLog: Sendable {
  private let lines = Mutex<[String]>([])

  var count: Int { lines.withLock { $0.count } }

  /// Runs the body with a connection whose statements are logged.
  func connect<R>(_ configuration: ConnectionConfiguration, _ body: (Connection) throws -> R) throws
    -> R
  {
    var configuration = configuration
    configuration.onNotice = { notice in
      guard notice.message.contains("execute") else { return }
      self.lines.withLock { $0.append(notice.message) }
    }
    return try Connection.with(configuration) { connection in
      // What the server logs it sends to the client as well, and keeps out of its own log.
      try connection.executeScript(
        "SET log_min_messages = panic; SET client_min_messages = log; SET log_statement = 'all'")
      return try body(connection)
    }
  }
}
