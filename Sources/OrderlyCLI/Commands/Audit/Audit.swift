import Arguments
import Foundation

struct Audit: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check the platform's promises against what its databases and topics hold.",
    discussion: """
      Works on a running system and disturbs nothing: it reads the tables and the topics, and \
      shares no rules with the services but what each one reads. Orders that have ended are \
      judged; those that are still under way are counted as in flight. A second table counts for \
      each service what has become of every record on its topics.

      Exits with 0 when what could be judged keeps its promises, or when there is nothing at all \
      yet; with 1 when a promise is broken, when nothing has come to an end yet, and when Kafka \
      and Postgres do not belong together. Records and calls that wait for a service without a \
      worker break I9, and so do orders that are under way five minutes after their deadline, \
      unless they are parked or wait for a call.

      With --since only orders that came since then are judged, by the records since then; what \
      would have to be missed from older records, and the totals of the money, are left out.
      """,
    examples: [
      "orderly audit",
      "orderly publish order.placed --count 1000 --expect run.jsonl\norderly audit --expect run.jsonl",
      "orderly audit --since 1h -o json", "# All ids, not the first ten\norderly audit --all",
    ])

  enum Format: String, CaseIterable, ExpressibleByArgument {
    case table, json
  }

  @Option(
    help: ArgumentHelp(
      "Also hold the system to what 'orderly publish --expect' wrote here.", valueName: "file"),
    completion: .file())
  var expect: String?

  @Option(help: ArgumentHelp("Judge only orders since then: 15m, 2h, a time.", valueName: "time"))
  var since: Since?

  @Flag(help: "Name all ids of what is broken or stopped, not the first ten.")
  var all = false

  @Option(name: .shortAndLong, help: "How to print the result.")
  var output: Format = .table

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let expectations = try expect.map { path in try Expectations(file: path) }
    let facts = try await global.auditFacts(since: since?.date)
    let report = AuditReport(facts, expectations)
    switch output {
    case .table: printData(report.text(Style(global), all: all))
    case .json: printData(JSONText.pretty(report.object(all: all)) + "\n")
    }
    guard report.isGood else { throw ExitCode.failure }
  }
}
