import Arguments
import Contracts
import Fleet
import Foundation

struct GetParked: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "parked",
    abstract: "List orders that wait behind an event that failed, the next to be tried first.",
    discussion: """
      An event that fails again and again stops its order in the service, and only that order: it \
      and the order's later events are parked. A waiting order is tried again by itself; one that \
      is dead waits for a decision about its dead letter.
      """,
    examples: [
      "orderly get parked", "orderly get parked --service payments --state dead -o wide",
      "orderly get parked -w",
    ])

  @Option(help: "Only those of this service.")
  var service: ServiceName?

  @Option(help: "Only those in this state.")
  var state: ParkedKey.State?

  @Option(help: "How many at most.")
  var limit: Int = 50

  @OptionGroup var list: ListOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func validate() throws {
    guard (1...1_000_000).contains(limit) else {
      throw ValidationError("--limit must be from 1 to 1000000.")
    }
  }

  func run() async throws {
    try await list.show("parked orders") {
      var keys: [ParkedKeyRow] = []
      for service in ServiceName.allCases where self.service == nil || self.service == service {
        keys += try await global.read(service) { [state, limit] connection in
          try ParkedKeyRow.all(of: service, state: state, limit: limit + 1, on: connection)
        }
      }
      keys.sort { $0.isTried(before: $1) }
      var table = ParkedKeyRow.table(Array(keys.prefix(limit)), at: Date())
      if keys.count > limit {
        table.notices.append("Only the first \(limit) are shown; see the others with --limit.")
      }
      return table
    }
  }
}
