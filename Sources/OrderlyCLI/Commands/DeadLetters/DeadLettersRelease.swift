import Arguments
import Contracts
import Fleet
import FleetPostgres
import Foundation

struct DeadLettersRelease: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "release",
    abstract: "Let an order go on without the event that is dead-lettered.",
    discussion: """
      The order's later events, which wait behind the dead letter, are handled as if its event had \
      never come. The letter stays as it is: an open one can still be replayed, out of order then.
      """,
    examples: [
      "orderly dlq release --key s42-000017 --reason 'the duplicate is gone'",
      "orderly dlq release --key s42-000017 --service payments --dry-run",
    ])

  @Option(help: ArgumentHelp("The order.", valueName: "order"))
  var key: String

  @Option(help: "Only in this service.")
  var service: ServiceName?

  @OptionGroup var mutation: MutationOptions
  @OptionGroup var format: OutputOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    var dead: [ParkedKeyRow] = []
    for service in ServiceName.allCases where self.service ?? service == service {
      let row = try await global.read(service) { [key] connection in
        try ParkedKeyRow.one(key, of: service, on: connection)
      }
      if let row, row.state == .dead { dead.append(row) }
    }
    guard !dead.isEmpty else {
      throw ExitCode.refused(
        "The order \(printable(key)) is dead in no service\(service.map { " \($0.rawValue)" } ?? ""): "
          + "nothing stops it there. See 'orderly get parked'.")
    }
    let names = dead.map(\.service.rawValue).joined(separator: ", ")
    let events = counted(Int(dead.reduce(0) { $0 + $1.events }), "parked event")
    guard !mutation.dryRun else {
      printTable(ParkedKeyRow.table(dead, at: Date()), format.output, noun: "parked orders")
      printMessage("dry run: \(key) would go on in \(names), with \(events)")
      return
    }
    try mutation.confirm("Let \(key) go on in \(names), with \(events)?")
    let target = OperatorAction.Target(
      "order \(key) in \(names)", services: dead.map(\.service), orders: [key])
    try await mutation.record("dlq release", on: target, global) {
      try await release(dead)
    }
  }

  private func release(_ dead: [ParkedKeyRow]) async throws -> MutationResult {
    var outcomes: [OperatorAction.Outcome] = []
    try await ServiceDesks.with(global) { desks in
      for row in dead {
        do {
          let release = try await desks.change(row.service) { desk in
            try await desk.release(OrderID(rawValue: key))
          }
          outcomes.append(.done)
          printMessage(
            "\(row.service.rawValue): \(key) goes on with \(counted(release.waiting, "event"))")
          if let letter = release.openLetter {
            printMessage(
              "The dead letter \(letter.shortText) is still open; "
                + "discard it if nothing is to come of it.")
          }
        } catch let error where error is Refusal || error is CommandFailure {
          outcomes.append(error is Refusal ? .refused : .failed)
          printMessage("\(row.service.rawValue): \(error)")
        }
      }
    }
    let released = outcomes.count { $0 == .done }
    return MutationResult(
      outcome: .ofAll(outcomes),
      summary: "released in \(released) of \(counted(dead.count, "service"))")
  }
}
