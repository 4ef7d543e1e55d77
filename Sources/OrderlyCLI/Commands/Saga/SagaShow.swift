import Arguments
import Contracts
import Foundation

struct SagaShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show where an order's saga stands, what keeps it, and what can be done.",
    discussion: """
      The steps that are done and those that are left, which service has to act next and since \
      when, and what keeps it: an event that failed, with how many are held behind it, a service \
      without a worker, or a row that is not published. Then what can still be undone, and the \
      commands that help.
      """,
    examples: ["orderly saga show s42-000017", "orderly saga show s42-000017 -o json"])

  @Argument(help: "The order's id.") var id: String

  @OptionGroup var format: OutputOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let details = try await OrderDetails.find(id, global)
    let outbox = try await OutboxRow.waiting(of: id, global)
    let workers = try await global.workersByService()
    let report = SagaReport(
      details: details, outbox: outbox, served: Set(workers.filter { $0.value > 0 }.keys),
      now: Date())
    printData(report.page.render(format.output))
  }
}
