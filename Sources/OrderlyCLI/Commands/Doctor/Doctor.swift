import Arguments
import Foundation
import Kafka
import Postgres
import Settings

/// `orderly doctor`: what is wrong with the environment, and what to do about it.
struct Doctor: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Look for what keeps the platform from working, and say what to do about it.",
    discussion: """
      Looks at versions, at Kafka and the topics, at each service's database, its rights and its \
      migrations, at the clocks, at who works on what is waiting, at what has stopped or waits for \
      a decision, whether Kafka and Postgres are of one system, and whether you may change \
      something. Changes nothing, takes seconds also when nothing answers, and exits with 1 if \
      something fails.
      """,
    examples: ["orderly doctor", "orderly doctor -o json --context staging"])

  @Option(name: .shortAndLong, help: "How the findings are printed.")
  var output = OutputFormat.table

  @OptionGroup var global: GlobalOptions

  func run() async throws {
    let settings = try global.settings()
    async let kafka = DoctorKafka.findings(settings)
    async let postgres = DoctorPostgres.findings(settings)
    async let alive = DoctorWorkers.alive(settings)
    async let looks = DoctorFlow.looks(settings)
    async let backlog = DoctorBacklog.looks(settings)
    async let rights = DoctorOperator.findings(settings)
    let workers = await alive
    var findings = await Self.versions(settings) + kafka + postgres + rights
    findings += workers.map { DoctorWorkers.findings($0) } ?? []
    findings += await DoctorFlow.findings(looks, alive: workers)
    findings += await DoctorBacklog.findings(backlog)
    printData(
      output == .table
        ? DoctorFinding.text(findings, Style(global))
        : DoctorFinding.table(findings).render(output))
    let failed = findings.count { $0.status == .fail }
    let warned = findings.count { $0.status == .warn }
    let warnings = warned > 0 ? "\(counted(warned, "warning"))" : "no warnings"
    if failed > 0 {
      throw CommandFailure("\(counted(failed, "failure")), \(warnings)")
    }
    printMessage("no failures, \(warnings)")
  }

  private static func versions(_ settings: Settings) -> [DoctorFinding] {
    let text =
      "orderly \(OrderlyVersion.current), librdkafka \(KafkaLibrary.version), libpq "
      + "\(PostgresLibrary.version); settings from the \(settings.origin)"
    // Older ones have no alterOffsets, and other names for some of the settings.
    guard KafkaLibrary.version.compare("2.0.2", options: .numeric) != .orderedAscending else {
      return [.fail("versions", text, advice: "Install librdkafka 2.0.2 or newer.")]
    }
    return [.ok("versions", text)]
  }
}
