import Arguments
import Contracts
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

  @OptionGroup var filter: DeadLetterFilterOptions
  @OptionGroup var format: OutputOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    printTable(try await filter.table(global), format.output, noun: "dead letters")
  }
}

/// Which dead letters.
struct DeadLetterFilterOptions: ParsableArguments {
  @Option(help: "Only those given up for this reason; may be repeated.")
  var reason: [String] = []

  @Option(help: "Only those of this service.")
  var service: ServiceName?

  @Option(help: "Only those of this order or record key.")
  var key: String?

  @Option(
    help: ArgumentHelp("Only those that failed since then: 15m, 2h, a time.", valueName: "time"))
  var since: Since?

  @Option(help: "Only those in this state.")
  var state: DeadLetterState?

  @Option(help: "How many at most.")
  var limit: Int = 50

  func validate() throws {
    guard (1...1_000_000).contains(limit) else {
      throw ValidationError("--limit must be from 1 to 1000000.")
    }
  }

  /// Those that match; what is left out for the limit is told on standard error.
  func table(_ global: GlobalOptions) async throws -> ResultTable {
    var letters: [DeadLetterRow] = []
    for service in ServiceName.allCases where self.service == nil || self.service == service {
      letters += try await global.read(service) { [self] connection in
        try matching(service, on: connection)
      }
    }
    letters.sort { ($0.lastFailed, $0.id.uuidString) > ($1.lastFailed, $1.id.uuidString) }
    if letters.count > limit {
      printMessage("Only the newest \(limit) are shown; see the others with --limit.")
    }
    return DeadLetterRow.table(Array(letters.prefix(limit)), at: Date())
  }

  /// One more than the limit at most, which shows that there are more.
  private func matching(
    _ service: ServiceName, on connection: Connection
  ) throws -> [DeadLetterRow] {
    try connection.execute(
      """
      SELECT \(DeadLetterRow.columns) FROM dead_letter
      WHERE ($1::text[] IS NULL OR reason = ANY($1))
        AND ($2::text IS NULL OR order_id = $2 OR key = convert_to($2, 'UTF8'))
        AND ($3::timestamptz IS NULL OR last_failed >= $3)
        AND ($4::text IS NULL OR state = $4)
      ORDER BY last_failed DESC, id DESC LIMIT $5
      """, reason.isEmpty ? nil : reason, key, since?.date, state?.rawValue, Int64(limit + 1)
    ).map { try DeadLetterRow($0, of: service) }
  }
}

/// What an operator has done about a dead letter.
enum DeadLetterState: String, CaseIterable, ExpressibleByArgument {
  case open, replaying, resolved, discarded
}
