import Arguments
import Contracts
import Foundation

struct TraceOrder: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace",
    abstract: "Show all that has happened to an order, in one timeline.",
    discussion: """
      The records on all topics with their causes, when each service took them in, what waits to \
      be published, what is parked or dead-lettered, and what operators have done. What follows \
      from an event stands below it and is indented. Only the order's partition of each topic is \
      read, and no group is joined. What the records carry is shown with --payload, without the \
      fields that their schemas mark as sensitive.
      """,
    examples: [
      "orderly trace s42-000017", "orderly trace s42-000017 --payload -o yaml",
    ])

  @Argument(help: "The order's id.") var id: String

  @Flag(help: "Show what the records carry, sensitive fields redacted.") var payload = false

  @OptionGroup var format: OutputOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let policy = payload ? try BodyPolicy(showsSensitive: false) : nil
    let records = try await TraceRecords.read(of: id, global)
    var entries = records.entries(policy)
    for service in ServiceName.allCases {
      entries += try await global.read(service) { [id] connection in
        try TraceRows(order: id, service: service, records: records).entries(on: connection)
      }
    }
    guard !entries.isEmpty else {
      throw CommandFailure(
        "Nothing has ever happened to an order \(printable(id)): no topic has a record of it, and "
          + "no service has heard of it. See 'orderly get orders'.")
    }
    entries += try await global.operatorActions(order: id).map { TraceEntry($0) }
    printData(
      Trace(order: id, entries).table(payloads: payload).render(format.output))
  }
}
