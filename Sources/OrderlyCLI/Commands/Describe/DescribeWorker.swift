import Arguments
import Contracts
import Foundation

struct DescribeWorker: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker", abstract: "Show a worker: where it runs, and which lanes it owns.",
    examples: ["orderly describe worker host-1-4711"])

  @Argument(help: "The worker's id, or a beginning that only it has.") var id: String

  @OptionGroup var format: OutputOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let workers = try await global.readFleet { try WorkerRow.all(on: $0) }
    let found =
      workers.filter { $0.id == id }.first.map { [$0] } ?? workers.filter { $0.id.hasPrefix(id) }
    guard let worker = found.first else {
      throw CommandFailure("No worker has the id \(printable(id)). See 'orderly get workers'.")
    }
    guard found.count == 1 else {
      throw CommandFailure(
        "The id \(printable(id)) is ambiguous: "
          + "\(found.prefix(5).map { printable($0.id) }.joined(separator: ", "))"
          + "\(found.count > 5 ? ", …" : ""). Give more of it.")
    }
    printData(worker.page.render(format.output))
  }
}

extension WorkerRow {
  var page: Page {
    let now = heartbeatAt.addingTimeInterval(silence)
    return Page(
      name: "worker/\(id)",
      sections: [
        Page.Section(
          title: "",
          fields: [
            ("Worker", id), ("Condition", condition),
            ("Services", services.joined(separator: ", ")),
            ("Host", host), ("Process", "\(pid)"), ("Version", version),
            ("Address", address ?? "-"),
            ("Started", "\(Timestamp.format(startedAt)) (\(age(of: startedAt, at: now)) ago)"),
            (
              "Heartbeat", "\(Timestamp.format(heartbeatAt)) (\(age(of: heartbeatAt, at: now)) ago)"
            ),
          ]),
        Page.Section(
          title: "Lanes",
          fields: services.map { service in
            let owned = (lanes[service] ?? []).sorted().map { "\($0)" }
            return (printable(service), owned.isEmpty ? "none" : owned.joined(separator: ", "))
          }),
      ], object: object)
  }
}
