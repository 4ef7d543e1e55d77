import Contracts
import FleetPostgres
import Foundation
import Postgres

/// Tables whose `load` does what the test says. The rows are of no interest.
struct SampleTables: ServiceStore {
  typealias Rows = [OrderID: Int]
  static let migrations: [Migration] = []

  var onLoad: @Sendable (Connection) throws -> Void = { _ in }

  func load(
    _ events: [EventPayload], orders: [OrderID], at now: Date, on connection: Connection
  ) throws -> Rows {
    try onLoad(connection)
    return [:]
  }

  func selection(by event: EventPayload, on connection: Connection) -> [RowSelection] { [] }

  func save(_ rows: Rows, lane: Int32, at now: Date, on connection: Connection) throws {}
}

/// A schema with the tables that all services share, and a store on it.
struct SampleSchema: Sendable {
  let name: String
  let configuration: ConnectionConfiguration

  init() throws {
    let name = try ScratchDatabase.randomName()
    let schema = SchemaDefinition(
      name: name, role: nil,
      components: [SchemaDefinition.Component(name: "common", migrations: CommonMigrations.all)])
    try ScratchDatabase.with { _ = try Migrator([schema]).migrate(on: $0) }
    self.name = name
    configuration = try ScratchDatabase.configuration(searchPath: name)
  }

  func withStore<R>(
    _ tables: SampleTables = SampleTables(),
    _ body: (PostgresLaneStore<SampleTables>) async throws -> R
  ) async throws -> R {
    let pool = Pool(configuration, maximum: 2)
    let result: Result<R, any Error>
    do {
      result = .success(try await body(PostgresLaneStore(pool: pool, tables: tables)))
    } catch {
      result = .failure(error)
    }
    await pool.close()
    return try result.get()
  }
}
