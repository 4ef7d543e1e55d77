import Contracts
import FleetPostgres
import Foundation
import Postgres
import Settings

/// What `orderly doctor` finds out about the databases: each is looked at as its service would,
/// with its URL and its role.
enum DoctorPostgres {
  /// What has been seen of the database of one schema.
  enum Look: Sendable {
    /// Nothing: the reason is the same for all schemas of one URL.
    case unusable(Trouble)
    /// The role or the schema has not been made.
    case notMigrated
    case open(Server, pending: [MigrationStep])
  }

  /// What does not differ between the schemas of one server.
  struct Server: Hashable, Sendable {
    var address: String
    var version: Int
    var isReadOnly: Bool
    /// Seconds that the server's clock is ahead of this machine's.
    var clockAhead: Double
  }

  static func findings(_ settings: Settings) async -> [DoctorFinding] {
    let looks = await withTaskGroup(of: (String, Look).self) { group in
      for schema in Schemas.all {
        group.addTask { (schema.name, await look(at: schema, settings)) }
      }
      return await group.reduce(into: [String: Look]()) { $0[$1.0] = $1.1 }
    }
    return findings(
      Schemas.all.compactMap { schema in looks[schema.name].map { (schema.name, $0) } })
  }

  // MARK: - Looking

  private static func look(at schema: SchemaDefinition, _ settings: Settings) async -> Look {
    let configuration: ConnectionConfiguration
    do throws(SettingsError) {
      configuration = try self.configuration(ServiceName(rawValue: schema.name), settings)
    } catch {
      return .unusable(Trouble(text: error.description, advice: nil))
    }
    let address = configuration.description
    do {
      return try await withConnection(configuration) { connection in
        let server = try self.server(address, connection)
        guard try canUse(schema.name, connection) else { return .notMigrated }
        return .open(server, pending: try Migrator([schema]).pending(on: connection))
      }
    } catch let error as PostgresError {
      return look(after: error, role: schema.role, at: address)
    } catch {
      return .unusable(Trouble(text: "\(schema.name) at \(address): \(error)", advice: nil))
    }
  }

  /// What an error says. The role is taken while connecting, after the user was let in, and is not
  /// there before the first migration.
  private static func look(after error: PostgresError, role: String?, at address: String) -> Look {
    // The codes of a setting with a wrong value and of a right that is missing have other causes
    // too, which don't name the role. A wrong password of a user of that name has a code of its own.
    if error.operation == .connect, error.kind != .authentication, let role,
      error.message.contains(role)
    {
      if error.sqlState == .invalidParameterValue { return .notMigrated }
      if error.sqlState == .insufficientPrivilege {
        return .unusable(
          Trouble(
            text: "\(address): this user may not act as \(role)",
            advice: "Run 'GRANT \(role) TO …' as a superuser."))
      }
    }
    return .unusable(error.trouble(at: address))
  }

  /// - Parameter service: nil for the fleet's schema.
  static func configuration(
    _ service: ServiceName?, _ settings: Settings
  ) throws(SettingsError) -> ConnectionConfiguration {
    let name = "orderly-doctor"
    var configuration =
      if let service {
        try settings.database(of: service, applicationName: name)
      } else {
        try settings.fleetDatabase(applicationName: name)
      }
    shorten(&configuration)
    return configuration
  }

  /// A server that does not answer is told of within seconds. One that answers slowly ends the
  /// statement itself, before the connection is given up.
  static func shorten(_ configuration: inout ConnectionConfiguration) {
    configuration.connectTimeout = .seconds(3)
    configuration.statementTimeout = .milliseconds(2500)
    configuration.responseTimeout = .seconds(3)
  }

  private static func server(
    _ address: String, _ connection: Connection
  ) throws(PostgresError) -> Server {
    let before = Date()
    let rows = try connection.execute(
      """
      SELECT extract(epoch FROM clock_timestamp())::float8,
        pg_is_in_recovery() OR current_setting('transaction_read_only')::bool
      """)
    // The server has read its clock somewhere between the two.
    let here = (before.timeIntervalSince1970 + Date().timeIntervalSince1970) / 2
    return Server(
      address: address, version: connection.serverVersion,
      isReadOnly: try rows[0].decode(1, as: Bool.self),
      clockAhead: try rows[0].decode(0, as: Double.self) - here)
  }

  /// Whether the schema is there, and the role may use it.
  private static func canUse(
    _ schema: String, _ connection: Connection
  ) throws(PostgresError) -> Bool {
    try connection.execute(
      """
      SELECT coalesce(
        (SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = $1), false)
      """, schema
    ).scalar(as: Bool.self)
  }

  // MARK: - Telling

  /// A line for each cause, not for each schema that it strikes.
  static func findings(_ looks: [(schema: String, look: Look)]) -> [DoctorFinding] {
    var findings: [DoctorFinding] = []
    var servers: [String: Server] = [:]
    var order: [String] = []
    var pending: [MigrationStep] = []
    var notMigrated: [String] = []
    for (schema, look) in looks {
      switch look {
      case .unusable(let trouble):
        let finding = DoctorFinding.fail("postgres", trouble)
        if !findings.contains(finding) { findings.append(finding) }
      case .notMigrated: notMigrated.append(schema)
      case .open(let server, let steps):
        if servers.updateValue(server, forKey: server.address) == nil {
          order.append(server.address)
        }
        pending += steps
      }
    }
    for server in order.compactMap({ servers[$0] }) { findings += self.findings(server) }
    if !notMigrated.isEmpty {
      findings.append(
        .fail(
          "schemas",
          "not made yet, or without rights: "
            + notMigrated.joined(separator: ", "),
          advice: "Run 'orderly db migrate'."))
    }
    if !pending.isEmpty {
      findings.append(
        .fail(
          "schemas", "\(counted(pending.count, "migration")) pending, the first is \(pending[0])",
          advice: "Run 'orderly db migrate'."))
    }
    if pending.isEmpty, notMigrated.isEmpty, !servers.isEmpty {
      findings.append(.ok("schemas", "up to date"))
    }
    return findings
  }

  private static func findings(_ server: Server) -> [DoctorFinding] {
    var findings: [DoctorFinding] = []
    let version = PostgresLibrary.text(server.version)
    if server.isReadOnly {
      findings.append(
        .fail(
          "postgres", "\(server.address) takes no writes: it is a standby, or set to read only",
          advice: "Point the URL to the primary."))
    } else if server.version < 130_000 {
      findings.append(
        .warn(
          "postgres", "\(server.address): version \(version)",
          advice: "Orderly is tested with Postgres 13 and newer."))
    } else {
      findings.append(.ok("postgres", "\(server.address): version \(version)"))
    }
    // Deadlines are written by one machine's clock and read by another's.
    let ahead = server.clockAhead
    let text =
      "Postgres is \(abs(ahead).formatted(.number.precision(.fractionLength(3)))) s "
      + "\(ahead < 0 ? "behind" : "ahead of") this machine"
    if abs(ahead) < 1 {
      findings.append(.ok("clock", text))
    } else {
      let advice =
        "Deadlines and retries come that much too early or late. Run a time service, "
        + "such as chrony, on both."
      findings.append(
        abs(ahead) < 60
          ? .warn("clock", text, advice: advice) : .fail("clock", text, advice: advice))
    }
    return findings
  }
}
