import Contracts
public import Postgres

/// A Postgres schema as it is to be: its owner, and the files that make it.
public struct SchemaDefinition: Sendable {
  /// Migrations that are numbered by themselves, such as those that all services share.
  public struct Component: Sendable {
    /// As it stands in `schema_migration`: never renamed.
    public let name: String
    /// By their numbers, the lowest first.
    public let migrations: [Migration]

    public init(name: String, migrations: [Migration]) {
      self.name = name
      self.migrations = migrations.sorted { $0.number < $1.number }
    }
  }

  public let name: String
  /// The role that owns the schema and nothing else; nil where the migrating user is to own it.
  public let role: String?
  /// Roles that own nothing, to which the files grant rights.
  public let grantees: [String]
  /// In the order in which they are applied.
  public let components: [Component]

  public init(
    name: String, role: String?, grantees: [String] = [], components: [Component]
  ) {
    self.name = name
    self.role = role
    self.grantees = grantees
    self.components = components
  }
}

/// One migration of one schema, in the words of `orderly db migrate`.
public struct MigrationStep: Sendable, Hashable, CustomStringConvertible {
  /// As ``SchemaDefinition/name``.
  public let schema: String
  /// As ``SchemaDefinition/Component/name``.
  public let component: String
  /// As ``Migration/number``.
  public let number: Int
  /// As ``Migration/name``.
  public let name: String

  public var description: String { "\(schema): \(component) \(number) \(name)" }
}

/// Why the schemas can't be migrated.
public struct MigrationError: Error, Sendable, CustomStringConvertible {
  public let description: String
}

/// Makes and updates the schemas: numbered SQL files, each applied once, in a transaction of its
/// own, under an advisory lock, with its checksum kept.
public struct Migrator: Sendable {
  /// Any number that no other user of the database takes for its advisory lock.
  private static let lockKey: Int64 = 0x6f72_6465_726c_79  // "orderly"

  private let schemas: [SchemaDefinition]
  private let roles: [String]

  /// - Parameter roles: roles to make besides the schemas' owners and grantees: those to which a
  ///   file grants rights while their own schemas are on another server.
  public init(_ schemas: [SchemaDefinition], roles: [String] = []) {
    self.schemas = schemas
    self.roles = Set(schemas.compactMap(\.role) + schemas.flatMap(\.grantees) + roles).sorted()
  }

  /// What `migrate` would apply. Changes nothing.
  ///
  /// - Throws: ``MigrationError`` when an applied file has been edited, or the database is newer
  ///   than this program.
  public func pending(on connection: Connection) throws -> [MigrationStep] {
    try schemas.flatMap { schema in
      try pendingMigrations(of: schema, on: connection).map { $0.step }
    }
  }

  /// Applies what is missing and returns it, and makes the roles that are missing. Several at once
  /// wait for each other.
  ///
  /// - Throws: ``MigrationError`` as ``pending(on:)`` does, when a file fails, and when the user may
  ///   not make a role; `PostgresError`. The files that were applied before stay applied.
  public func migrate(on connection: Connection) throws -> [MigrationStep] {
    try connection.withAdvisoryLock(Self.lockKey) { connection in
      // Roles first: files of one schema may grant rights to the roles of others.
      for role in roles { try create(role: role, on: connection) }
      return try schemas.flatMap { schema in
        try create(schema, on: connection)
        let pending = try pendingMigrations(of: schema, on: connection)
        for (step, migration) in pending {
          try apply(migration, step, of: schema, on: connection)
        }
        return pending.map { $0.step }
      }
    }
  }

  // MARK: - One schema

  private func create(role: String, on connection: Connection) throws {
    let name = try Identifier(role)
    let exists = try !connection.execute("SELECT 1 FROM pg_roles WHERE rolname = $1", role).isEmpty
    if !exists {
      do {
        try connection.execute(Statement("CREATE ROLE \(name) LOGIN", cached: false))
      } catch {
        switch error.sqlState {
        case .duplicateObject?, .uniqueViolation?:
          // The roles belong to the whole server; another database's migration was faster.
          break
        case .insufficientPrivilege?:
          throw MigrationError(
            description: "The role \(role) does not exist and this user may not create roles. Run "
              + "'CREATE ROLE \(role) LOGIN' as one who may, or migrate as a user with CREATEROLE.")
        default:
          throw error
        }
      }
    }
    let isMember = try connection.execute(
      "SELECT pg_has_role(current_user, $1::name, 'MEMBER')", role
    ).scalar(as: Bool.self)
    if !isMember {
      try connection.execute(Statement("GRANT \(name) TO CURRENT_USER", cached: false))
    }
  }

  private func create(_ schema: SchemaDefinition, on connection: Connection) throws {
    let name = try Identifier(schema.name)
    let owner = try schema.role.map { try Identifier($0).quoted } ?? "CURRENT_USER"
    try connection.transaction { connection in
      try connection.executeScript(
        """
        CREATE SCHEMA IF NOT EXISTS \(name) AUTHORIZATION \(owner);
        REVOKE ALL ON SCHEMA \(name) FROM PUBLIC;
        CREATE TABLE IF NOT EXISTS \(name).schema_migration (
          component text NOT NULL,
          number int NOT NULL,
          name text NOT NULL,
          checksum text NOT NULL,
          applied_at timestamptz NOT NULL DEFAULT now(),
          PRIMARY KEY (component, number)
        );
        """)
      if schema.role != nil {
        // The service may look at its version (a health check does), not change it.
        try connection.executeScript("GRANT SELECT ON \(name).schema_migration TO \(owner)")
      }
    }
  }

  private func apply(
    _ migration: Migration, _ step: MigrationStep, of schema: SchemaDefinition,
    on connection: Connection
  ) throws {
    let name = try Identifier(schema.name)
    do {
      try connection.transaction { connection in
        try connection.executeScript("SET LOCAL search_path TO \(name)")
        if let role = schema.role {
          try connection.executeScript("SET LOCAL ROLE \(try Identifier(role))")
        }
        try connection.executeScript(migration.sql)
        try connection.executeScript("RESET ROLE")
        try connection.execute(
          """
          INSERT INTO \(name).schema_migration (component, number, name, checksum)
          VALUES ($1, $2, $3, encode(sha256(convert_to($4, 'UTF8')), 'hex'))
          """, step.component, Int32(step.number), step.name, migration.sql)
      }
    } catch let error as PostgresError {
      throw MigrationError(description: "\(step) failed and was rolled back: \(error)")
    }
  }

  private func pendingMigrations(
    of schema: SchemaDefinition, on connection: Connection
  ) throws -> [(step: MigrationStep, migration: Migration)] {
    let name = try Identifier(schema.name)
    let exists = try connection.execute(
      "SELECT to_regclass($1::text) IS NOT NULL", "\(name).schema_migration"
    ).scalar(as: Bool.self)
    var applied: [String: [Int: String]] = [:]
    if exists {
      for row in try connection.execute(
        "SELECT component, number, checksum FROM \(name).schema_migration")
      {
        applied[try row.decode(0), default: [:]][Int(try row[1, as: Int32.self])] =
          try row.decode(2)
      }
    }
    var pending: [(MigrationStep, Migration)] = []
    for component in schema.components {
      var rest = applied[component.name] ?? [:]
      for migration in component.migrations {
        let step = MigrationStep(
          schema: schema.name, component: component.name, number: migration.number,
          name: migration.name)
        guard let checksum = rest.removeValue(forKey: migration.number) else {
          pending.append((step, migration))
          continue
        }
        let expected = try connection.execute(
          "SELECT encode(sha256(convert_to($1, 'UTF8')), 'hex')", migration.sql
        ).scalar(as: String.self)
        guard checksum == expected else {
          throw MigrationError(
            description: "\(step) was applied with another text than this program has. A released "
              + "migration is never edited: use the program that fits the database.")
        }
      }
      if let newer = rest.keys.max() {
        throw MigrationError(
          description: "The database has \(schema.name): \(component.name) \(newer), which this "
            + "program does not know: it is older than the database.")
      }
    }
    return pending
  }
}
