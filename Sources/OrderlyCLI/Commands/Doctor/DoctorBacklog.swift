import Contracts
import Foundation
import Postgres
import Settings

/// What `orderly doctor` finds out about what has stopped in the services' tables: what waits for a
/// decision, and what has waited for long.
enum DoctorBacklog {
  /// One thing of which there should be none, or none that is old. Each is counted by an index or
  /// in a table that is small, however much the service has handled.
  enum Kind: CaseIterable, Sendable {
    /// Dead letters that nobody has decided about.
    case letters
    /// Orders that wait for a decision about a dead letter, which may be made already.
    case dead
    /// Orders whose event fails again and again.
    case parked
    /// Calls to a provider that fail again and again.
    case calls
    /// Messages that are not published.
    case outbox
  }

  /// How many rows there are, or why that can't be told.
  enum Count: Hashable, Sendable {
    case known(Int64)
    case unknown(Trouble)
  }

  struct Look: Sendable {
    let service: ServiceName
    let kind: Kind
    let count: Count
  }

  /// How long something that is tried again by itself may go on failing, in seconds: failures that
  /// mend have done so by then.
  static let patience: TimeInterval = 600

  // MARK: - Looking

  /// Services whose tables can't be read are left out: ``DoctorPostgres`` says why.
  static func looks(_ settings: Settings) async -> [Look] {
    let found = await withTaskGroup(of: [Look].self) { group in
      for service in ServiceName.allCases {
        group.addTask {
          guard let configuration = try? DoctorPostgres.configuration(service, settings) else {
            return []
          }
          let address = configuration.description
          let looks = try? await withConnection(configuration) { connection in
            Kind.allCases.compactMap { kind in
              count(kind, on: connection, at: address)
                .map { Look(service: service, kind: kind, count: $0) }
            }
          }
          return looks ?? []
        }
      }
      return await group.reduce(into: [Look]()) { $0 += $1 }
    }
    return ServiceName.allCases.flatMap { service in found.filter { $0.service == service } }
  }

  /// nil where the table has not been made.
  private static func count(
    _ kind: Kind, on connection: Connection, at address: String
  ) -> Count? {
    do throws(PostgresError) {
      return .known(try connection.execute(kind.query).scalar(as: Int64.self))
    } catch {
      switch error.sqlState {
      case .undefinedTable?, .undefinedSchema?, .undefinedColumn?: return nil
      default: return .unknown(error.trouble(at: address))
      }
    }
  }

  // MARK: - Telling

  static func findings(_ looks: [Look]) -> [DoctorFinding] {
    var findings: [DoctorFinding] = []
    for kind in Kind.allCases {
      let counts = looks.filter { $0.kind == kind }.compactMap { look -> String? in
        guard case .known(let count) = look.count, count > 0 else { return nil }
        return "\(look.service.rawValue) \(count)"
      }
      guard !counts.isEmpty else { continue }
      findings.append(
        .warn(
          kind.area, "\(kind.text): \(counts.joined(separator: ", "))", advice: kind.advice))
    }
    return findings + uncounted(looks)
  }

  /// A line for each cause.
  private static func uncounted(_ looks: [Look]) -> [DoctorFinding] {
    var causes: [Trouble] = []
    var things: [Trouble: [String]] = [:]
    for look in looks {
      guard case .unknown(let cause) = look.count else { continue }
      if things[cause] == nil { causes.append(cause) }
      things[cause, default: []].append("\(look.kind.noun) of \(look.service.rawValue)")
    }
    return causes.map { cause in
      .warn(
        "backlog",
        "\((things[cause] ?? []).joined(separator: ", ")) could not be counted: "
          + cause.text,
        advice: cause.advice ?? "Ask again when Postgres has less to do.")
    }
  }
}

extension DoctorBacklog.Kind {
  fileprivate var query: String {
    switch self {
    case .letters: "SELECT count(*) FROM dead_letter WHERE state = 'open'"
    case .dead: "SELECT count(*) FROM parked_key WHERE state = 'dead'"
    case .parked:
      """
      SELECT count(*) FROM parked_key WHERE state = 'waiting'
        AND first_failed < now() - interval '\(Int(DoctorBacklog.patience)) s'
      """
    case .calls:
      """
      SELECT count(*) FROM effect WHERE state = 'pending'
        AND first_failed < now() - interval '\(Int(DoctorBacklog.patience)) s'
      """
    case .outbox:
      """
      SELECT count(*) FROM outbox
      WHERE created_at < now() - interval '\(Int(OutboxLane.patience)) s'
      """
    }
  }

  fileprivate var area: String {
    switch self {
    case .letters: "letters"
    case .dead, .parked: "parked"
    case .calls: "calls"
    case .outbox: "outbox"
    }
  }

  fileprivate var noun: String {
    switch self {
    case .letters: "dead letters"
    case .dead: "stopped orders"
    case .parked: "parked orders"
    case .calls: "provider calls"
    case .outbox: "waiting messages"
    }
  }

  fileprivate var text: String {
    let minutes = Int(DoctorBacklog.patience / 60)
    return switch self {
    case .letters: "dead letters that nobody has decided about"
    case .dead: "orders that have stopped behind a dead letter"
    case .parked: "orders parked for more than \(minutes) minutes"
    case .calls: "calls to a provider that have failed for more than \(minutes) minutes"
    case .outbox: "messages not published for more than \(Int(OutboxLane.patience)) seconds"
    }
  }

  fileprivate var advice: String {
    switch self {
    case .letters: "See 'orderly dlq summary', and 'orderly dlq list --state open'."
    case .dead:
      "See 'orderly get parked --state dead'. Where the letter is discarded, 'orderly dlq release' "
        + "lets the later events go on."
    case .parked:
      "See 'orderly get parked -o wide' for what fails; 'orderly saga retry' does not wait for the "
        + "next try."
    case .calls:
      "Is the provider up, and its URL right? The workers go on calling; 'orderly get sagas' has "
        + "the orders that wait."
    case .outbox: "See 'orderly outbox status'. Is a worker running, and can it reach Kafka?"
    }
  }
}
