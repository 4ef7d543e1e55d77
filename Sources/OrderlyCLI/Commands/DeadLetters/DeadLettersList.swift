import Arguments
import Contracts
import Fleet
import Foundation
import Postgres

struct DeadLettersList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List dead letters, the newest first.",
    examples: [
      "orderly dlq list",
      "orderly dlq list --service inventory --state open --since 1h",
      "orderly dlq list --key s42-000017 -o wide",
    ])

  @OptionGroup var options: DeadLetterListOptions
  @OptionGroup var format: OutputOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    printTable(try await options.table(global), format.output, noun: "dead letters")
  }
}

/// Which dead letters, but for why they were given up and their state.
struct DeadLetterMatchOptions: ParsableArguments {
  @Option(help: "Only those of this service.")
  var service: ServiceName?

  @Option(help: "Only those of this order or record key.")
  var key: String?

  @Option(help: "Only those of this type of event.")
  var type: String?

  @Option(help: "Only those that failed in this way; see -o wide.")
  var fingerprint: String?

  @Option(
    help: ArgumentHelp("Only those that failed since then: 15m, 2h, a time.", valueName: "time"))
  var since: Since?

  /// Whether all match.
  var isEmpty: Bool {
    service == nil && key == nil && type == nil && fingerprint == nil && since == nil
  }

  /// Where to look for those that match.
  var services: [ServiceName] { service.map { [$0] } ?? ServiceName.allCases }

  /// Those of one of ``services`` that match, the newest first, one more than `limit` at most,
  /// which shows that there are more.
  ///
  /// - Parameters:
  ///   - reasons: only those given up for one of these; for whatever reason when empty.
  ///   - state: nil for all.
  ///   - ids: only those among these; all for nil.
  ///   - limit: of each service.
  func rows(
    _ service: ServiceName, reasons: [String] = [], state: DeadLetter.State?, ids: [UUID]? = nil,
    limit: Int, on connection: Connection
  ) throws -> [DeadLetterRow] {
    try connection.execute(
      """
      SELECT \(DeadLetterRow.columns) FROM dead_letter
      WHERE ($1::text[] IS NULL OR reason = ANY($1))
        AND ($2::text IS NULL OR order_id = $2 OR key = convert_to($2, 'UTF8'))
        AND ($3::timestamptz IS NULL OR last_failed >= $3)
        AND ($4::text IS NULL OR state = $4)
        AND ($5::text IS NULL OR event_type = $5)
        AND ($6::text IS NULL OR fingerprint = $6)
        AND ($7::uuid[] IS NULL OR id = ANY($7))
      ORDER BY last_failed DESC, id DESC LIMIT $8
      """, reasons.isEmpty ? nil : reasons, key, since?.date, state?.rawValue, type, fingerprint,
      ids, Int64(limit + 1)
    ).map { try DeadLetterRow($0, of: service) }
  }
}

/// Which dead letters.
struct DeadLetterFilterOptions: ParsableArguments {
  @Option(help: "Only those given up for this reason; may be repeated.")
  var reason: [String] = []

  @OptionGroup var match: DeadLetterMatchOptions

  @Option(help: "Only those in this state.")
  var state: DeadLetter.State?
}

extension DeadLetterRow {
  /// Those of a service that are there, by their ids.
  static func all(
    _ ids: [UUID], of service: ServiceName, on connection: Connection
  ) throws -> [DeadLetterRow] {
    try connection.execute("SELECT \(columns) FROM dead_letter WHERE id = ANY($1)", ids)
      .map { try DeadLetterRow($0, of: service) }
  }

  /// An order's letters in a service that nothing has come of yet.
  static func unfinished(
    of order: String, in service: ServiceName, on connection: Connection
  ) throws -> [DeadLetterRow] {
    try connection.execute(
      """
      SELECT \(columns) FROM dead_letter
      WHERE (order_id = $1 OR key = convert_to($1, 'UTF8')) AND state IN ('open', 'replaying')
      """, order
    ).map { try DeadLetterRow($0, of: service) }
  }
}

/// Which dead letters, and how many of them.
struct DeadLetterListOptions: ParsableArguments {
  @OptionGroup var filter: DeadLetterFilterOptions

  @Option(help: "How many at most.")
  var limit: Int = 50

  func validate() throws {
    guard (1...1_000_000).contains(limit) else {
      throw ValidationError("--limit must be from 1 to 1000000.")
    }
  }

  /// Those that match; a notice tells that some are left out for the limit.
  func table(_ global: GlobalOptions) async throws -> ResultTable {
    var letters: [DeadLetterRow] = []
    for service in filter.match.services {
      letters += try await global.read(service) { [filter, limit] connection in
        try filter.match.rows(
          service, reasons: filter.reason, state: filter.state, limit: limit, on: connection)
      }
    }
    letters.sort { ($0.lastFailed, $0.id.uuidString) > ($1.lastFailed, $1.id.uuidString) }
    var table = DeadLetterRow.table(Array(letters.prefix(limit)), at: Date())
    if letters.count > limit {
      table.notices.append("Only the newest \(limit) are shown; see the others with --limit.")
    }
    return table
  }
}
