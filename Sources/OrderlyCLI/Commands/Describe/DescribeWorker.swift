import Arguments
import Contracts
import FleetPostgres
import Foundation

struct DescribeWorker: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker", abstract: "Show a worker: where it runs, and which lanes it owns.",
    examples: ["orderly describe worker host-1-4711"])

  @Argument(help: "The worker's id, or a beginning that only it has.") var id: String

  @OptionGroup var format: OutputOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let workers = try await global.workers()
    let exact = workers.filter { $0.record.id == id }
    let found = exact.isEmpty ? workers.filter { $0.record.id.hasPrefix(id) } : exact
    guard let worker = found.first else {
      throw CommandFailure("No worker has the id \(printable(id)). See 'orderly get workers'.")
    }
    guard found.count == 1 else {
      let ids = found.prefix(5).map { printable($0.record.id) }.joined(separator: ", ")
      throw CommandFailure(
        "The id \(printable(id)) is ambiguous: \(ids)\(found.count > 5 ? ", …" : ""). "
          + "Give more of it.")
    }
    printData(worker.page.render(format.output))
  }
}

extension WorkerRow {
  var page: Page {
    Page(
      name: "worker/\(record.id)",
      sections: [
        Page.Section(
          title: "",
          fields: [
            ("Worker", record.id), ("Condition", condition),
            ("Problems", record.problems.isEmpty ? "-" : record.problems.joined(separator: "; ")),
            ("Services", record.services.map(\.rawValue).joined(separator: ", ")),
            ("Host", record.host), ("Process", "\(record.processID)"),
            ("Version", record.version), ("Address", record.address),
            ("Started", when(record.startedAt)), ("Heartbeat", when(record.heartbeatAt)),
          ]),
        Page.Section(
          title: "Lanes",
          fields: record.services.map { service in
            let owned = lanes(of: service).map { "\($0)" }
            return (service.rawValue, owned.isEmpty ? "none" : owned.joined(separator: ", "))
          }),
      ], object: object)
  }

  private func when(_ date: Date) -> String {
    "\(Timestamp.format(date)) (\(age(of: date, at: now)) ago)"
  }
}
