import Arguments
import Contracts
import Fleet
import Foundation
import JSONSchema

struct DeadLettersPlan: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Freeze a selection of dead letters, and say what a replay of each would do.",
    discussion: """
      Each letter is rehearsed: the service's own rules decide on its event, in a transaction that \
      is rolled back. Nothing is replayed; 'orderly dlq apply' does that, and only for what is \
      as it was when the plan was made.

      Without ids and --state, the open letters are taken. The verdicts: handled, fails-again, \
      order-ended (nothing more may become of the order), unreadable (see 'orderly dlq edit'), \
      replaying, closed. The actions: retry ('dlq apply'), edit ('dlq edit'), skip \
      ('dlq discard --release'), compensate ('saga compensate'). --reason is the letters', as in \
      'dlq list'. Refused (4) where none matches, or more than --limit.
      """,
    examples: [
      "orderly dlq plan --service payments --reason provider-unavailable --since 2h",
      "orderly dlq plan 3f2a91c0 77b0 -o wide",
    ])

  @Argument(help: "Only those letters, by the beginnings of their ids.")
  var ids: [DeadLetterPrefix] = []

  @OptionGroup var filter: DeadLetterFilterOptions

  @Option(help: "How many at most; more than that are refused.")
  var limit: Int = 1_000

  @OptionGroup var format: OutputOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func validate() throws {
    guard (1...100_000).contains(limit) else {
      throw ValidationError("--limit must be from 1 to 100000.")
    }
  }

  func run() async throws {
    let judged = try await ServiceDesks.with(global) { desks in
      let rows = try await selected(desks)
      return try await ReplayPlanner(desks: desks).judge(rows)
    }
    guard !judged.isEmpty else {
      let noun = filter.state == nil && ids.isEmpty ? "open dead letter" : "dead letter"
      throw ExitCode.refused("No \(noun) matches. See 'orderly dlq list'.")
    }
    let items = judged.map(\.item)
    let plan = ReplayPlan(
      id: UUID(), createdAt: Date(), createdBy: global.operatorName, selection: selection,
      digest: ReplayPlan.digest(of: items), items: items)
    try await global.withOperatorTables { try plan.insert(on: $0) }
    printData(output(judged, plan))
    report(plan)
  }

  private func selected(_ desks: ServiceDesks) async throws -> [DeadLetterRow] {
    var filter = filter
    if filter.state == nil, ids.isEmpty { filter.state = .open }
    var chosen: [UUID]?
    if !ids.isEmpty {
      chosen = try await DeadLetterRow.find(ids, global).map(\.id)
    }
    var rows: [DeadLetterRow] = []
    for service in filter.match.services {
      rows += try await desks.read(service) { [filter, limit, chosen] connection in
        try filter.match.rows(
          service, reasons: filter.reason, state: filter.state, ids: chosen, limit: limit,
          on: connection)
      }
    }
    try rows.check(limit: limit)
    return rows.firstFailedFirst
  }

  /// The selection in words.
  private var selection: String {
    let match = filter.match
    let parts: [(String, String?)] = [
      ("ids", ids.isEmpty ? nil : "\(ids.count)"), ("service", match.service?.rawValue),
      ("reason", filter.reason.isEmpty ? nil : filter.reason.joined(separator: ",")),
      ("type", match.type), ("fingerprint", match.fingerprint), ("key", match.key),
      ("since", match.since.map { Timestamp.format($0.date) }),
      ("state", filter.state?.rawValue),
    ]
    let given = parts.compactMap { name, value in value.map { "\(name)=\($0)" } }
    return printable(given.isEmpty ? "all open" : given.joined(separator: " "))
  }

  private func output(_ judged: [ReplayPlanner.Judged], _ plan: ReplayPlan) -> String {
    let table = ReplayPlanner.Judged.table(judged)
    let isForPeople = format.output == .table || format.output == .wide
    if format.output == .name { return "plan/\(plan.id.lowercaseText)\n" }
    return isForPeople
      ? table.render(format.output)
      : Page(
        name: "", sections: [],
        object: [
          ("plan", .string(plan.id.lowercaseText)), ("digest", .string(plan.digest)),
          ("items", .array(table.rows.map { JSONValue(members: $0.object) })),
        ]
      ).render(format.output)
  }

  private func report(_ plan: ReplayPlan) {
    let counts = ReplayVerdict.allCases.compactMap { verdict in
      let count = plan.items.count { $0.verdict == verdict }
      return count == 0 ? nil : "\(count) \(verdict.rawValue)"
    }
    printMessage("plan \(plan.shortID): \(counts.joined(separator: ", "))")
    if plan.items.contains(where: { $0.verdict == .handled }) {
      printMessage("Next: orderly dlq apply \(plan.shortID) --reason '…'")
    } else {
      printMessage("Nothing of it can be replayed as it is; see the actions.")
    }
  }
}
