import Contracts
import FleetPostgres
import Fulfilment
import Inventory
import Orders
import Payments
import Postgres
import Settings

/// The Postgres schemas of the platform: one for each service, and the fleet's.
enum Schemas {
  /// In the order in which they are made.
  static let all: [SchemaDefinition] = ServiceName.allCases.map(definition) + [.fleet]

  /// A service's schema: the tables that every service has, then its own.
  static func definition(of service: ServiceName) -> SchemaDefinition {
    SchemaDefinition(
      name: service.rawValue, role: service.databaseRole,
      components: [
        .init(name: "messages", migrations: CommonMigrations.all),
        .init(name: service.rawValue, migrations: migrations(of: service)),
      ])
  }

  private static func migrations(of service: ServiceName) -> [Migration] {
    switch service {
    case .orders: OrderStore.migrations
    case .inventory: InventoryStore.migrations
    case .payments: PaymentStore.migrations
    case .fulfilment: ShipmentStore.migrations
    }
  }

  /// The schemas by the database that they are in. They may be in one or each in its own.
  static func databases(_ settings: Settings) throws(SettingsError) -> [SchemaDatabase] {
    var databases: [SchemaDatabase] = []
    for schema in all {
      let configuration = try settings.migrationDatabase(
        of: ServiceName(rawValue: schema.name), applicationName: "orderly-cli")
      // User, host, port and database: what else a URL says makes no other database.
      let address = configuration.description
      if let index = databases.firstIndex(where: { $0.address == address }) {
        databases[index].schemas.append(schema)
      } else {
        databases.append(SchemaDatabase(configuration: configuration, schemas: [schema]))
      }
    }
    return databases
  }
}

/// A database and the schemas that belong in it.
struct SchemaDatabase: Sendable {
  let configuration: ConnectionConfiguration
  var schemas: [SchemaDefinition]

  /// `postgresql://user@host:port/database`, without the password.
  var address: String { configuration.description }

  /// Runs `body` with the migrator on a connection of its own.
  ///
  /// - Throws: ``CommandFailure`` when the database can't be reached or refuses.
  func withMigrator<R: Sendable>(
    _ body: @escaping @Sendable (Migrator, Connection) throws -> R
  ) async throws -> R {
    // The fleet's schema grants rights to the roles of all services, also of those that have their
    // schemas on another server.
    let isFleets = schemas.contains { $0.name == SchemaDefinition.fleet.name }
    let migrator = Migrator(
      schemas, roles: isFleets ? ServiceName.allCases.map(\.databaseRole) : [])
    do {
      return try await withConnection(configuration) { try body(migrator, $0) }
    } catch let error as PostgresError {
      throw CommandFailure(error.sentence(address))
    } catch let error as MigrationError {
      throw CommandFailure("\(address): \(error)")
    }
  }
}
