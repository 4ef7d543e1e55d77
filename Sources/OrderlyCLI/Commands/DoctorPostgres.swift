import Contracts
import FleetPostgres
import Foundation
import Postgres
import Settings

/// What `orderly doctor` finds out about the services' databases: each is looked at as its service
/// would, with its URL and its role.
enum DoctorPostgres {
  /// What has been seen of one service's database.
  enum Look: Sendable {
    /// Nothing: the reason is the same for all services of one URL.
    case unusable(Trouble)
    /// The role or the schema has not been made.
    case notMigrated(address: String)
    case open(Server, pending: [MigrationStep])
  }

  /// What does not differ between the services of one server.
  struct Server: Hashable, Sendable {
    var address: String
    var version: Int
    var isReadOnly: Bool
    /// Seconds that the server's clock is ahead of this machine's.
    var clockAhead: Double
  }

  static func findings(_ settings: Settings) async -> [DoctorFinding] {
    let looks = await withTaskGroup(of: (ServiceName, Look).self) { group in
      for service in ServiceName.allCases {
        group.addTask { (service, await look(at: service, settings)) }
      }
      return await group.reduce(into: [ServiceName: Look]()) { $0[$1.0] = $1.1 }
    }
    return findings(
      ServiceName.allCases.compactMap { service in looks[service].map { (service, $0) } })
  }

  // MARK: - Looking

  private static func look(at service: ServiceName, _ settings: Settings) async -> Look {
    var configuration: ConnectionConfiguration
    do throws(SettingsError) {
      configuration = try settings.database(of: service, applicationName: "orderly-doctor")
    } catch {
      return .unusable(Trouble(text: error.description, advice: nil))
    }
    configuration.connectTimeout = .seconds(3)
    configuration.responseTimeout = .seconds(3)
    let address = configuration.description
    do {
      return try await withConnection(configuration) { connection in
        let server = try self.server(address, connection)
        guard try canUse(service, connection) else { return .notMigrated(address: address) }
        let pending = try Migrator([Schemas.definition(of: service)]).pending(on: connection)
        return .open(server, pending: pending)
      }
    } catch let error as PostgresError {
      // The role is taken while connecting, and is not there before the first migration.
      if error.operation == .connect, error.message.contains(service.databaseRole) {
        return error.message.contains("permission denied")
          ? .unusable(
            Trouble(
              text: "\(address): this user may not act as \(service.databaseRole)",
              advice: "Run 'GRANT \(service.databaseRole) TO …' as a superuser."))
          : .notMigrated(address: address)
      }
      return .unusable(error.trouble(at: address))
    } catch {
      return .unusable(Trouble(text: "\(service.rawValue) at \(address): \(error)", advice: nil))
    }
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
    _ service: ServiceName, _ connection: Connection
  ) throws(PostgresError) -> Bool {
    try connection.execute(
      """
      SELECT coalesce(
        (SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = $1), false)
      """, service.rawValue
    ).scalar(as: Bool.self)
  }

  // MARK: - Telling

  /// A line for each cause, not for each service that it strikes.
  static func findings(_ looks: [(service: ServiceName, look: Look)]) -> [DoctorFinding] {
    var findings: [DoctorFinding] = []
    var servers: [String: Server] = [:]
    var order: [String] = []
    var pending: [MigrationStep] = []
    var notMigrated: [ServiceName] = []
    for (service, look) in looks {
      switch look {
      case .unusable(let trouble):
        let finding = DoctorFinding.fail("postgres", trouble)
        if !findings.contains(finding) { findings.append(finding) }
      case .notMigrated: notMigrated.append(service)
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
            + notMigrated.map(\.rawValue).joined(separator: ", "),
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
