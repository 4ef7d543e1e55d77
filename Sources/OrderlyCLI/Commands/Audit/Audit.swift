import Arguments
import Foundation

struct Audit: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check the platform's promises against what its databases and topics hold.",
    discussion: """
      Works on a running system and disturbs nothing: it reads the tables and the topics, and \
      shares no code with the services. Orders that are still under way are counted as in flight, \
      not judged. Exits with 1 when a promise is broken.

      With --since only orders that came since then are judged, by the records since then; what \
      would have to be missed from older records is left out.
      """,
    examples: [
      "orderly audit",
      "orderly publish order.placed --count 1000 --expect run.jsonl\norderly audit --expect run.jsonl",
      "orderly audit --since 1h -o json",
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

  @Option(name: .shortAndLong, help: "How to print the result.")
  var output: Format = .table

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let expectations = try expect.map { path in try Expectations(file: path) }
    let facts = try await global.auditFacts(since: since?.date)
    let report = AuditReport(facts, expectations)
    switch output {
    case .table: printData(report.text(Style(global)))
    case .json: printData(JSONText.pretty(report.object) + "\n")
    }
    guard report.isKept else { throw ExitCode.failure }
  }
}
