import Arguments
import Contracts
import Fleet
import FleetPostgres
import Foundation
import JSONSchema

struct DeadLettersDiscard: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "discard",
    abstract: "Give dead letters up for good.",
    discussion: """
      The later events of a letter's order stay parked until 'orderly dlq release', or go on at \
      once with --release: they are then handled as if the discarded event had never come.

      Refused (4) for a call to a provider that was given up on, while its order is open: without \
      an answer the order could never end.
      """,
    examples: [
      "orderly dlq discard 3f2a91c0 --reason 'a test order'",
      "orderly dlq discard 3f2a 77b0 --release --reason 'sent twice' --yes",
    ])

  @Argument(help: "The dead letters, by the beginnings of their ids.")
  var ids: [DeadLetterPrefix]

  @Flag(help: "Let the later events of the orders go on.")
  var release = false

  @OptionGroup var mutation: MutationOptions
  @OptionGroup var format: OutputOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func validate() throws {
    guard !ids.isEmpty else { throw ValidationError("Name at least one dead letter.") }
  }

  func run() async throws {
    let rows = try await DeadLetterRow.find(ids, global)
    guard !mutation.dryRun else {
      printTable(DeadLetterRow.table(rows, at: Date()), format.output, noun: "dead letters")
      let open = try await ServiceDesks.with(global) { desks in
        var open = 0
        for row in rows where row.state == "open" {
          if let reason = try await row.reasonToKeep(desks) {
            printMessage("\(row.shortID): \(reason)")
          } else {
            open += 1
          }
        }
        return open
      }
      printMessage("dry run: \(counted(open, "open dead letter")) would be discarded")
      return
    }
    let held = rows.reduce(0) { $0 + $1.held }
    try mutation.confirm(
      "Discard \(counted(rows.count, "dead letter"))"
        + (held == 0
          ? "?"
          : ", behind which \(counted(Int(held), "event")) "
            + "\(held == 1 ? "waits" : "wait") and \(release ? "will go on" : "will stay")?"))
    try await mutation.record("dlq discard", on: .letters(rows), global) {
      try await ServiceDesks.with(global) { desks in
        var done: [LetterChange] = []
        for row in rows { done.append(try await discard(row, desks)) }
        return LetterChange.report(done, "discarded", format.output)
      }
    }
  }

  private func discard(_ row: DeadLetterRow, _ desks: ServiceDesks) async throws -> LetterChange {
    do {
      if let reason = try await row.reasonToKeep(desks) { throw Refusal(reason) }
      let result = try await desks.change(row.service) { desk in
        guard let fence = try await desk.discard(row.id) else { return "discarded" }
        guard release else {
          return "discarded; \(counted(fence.waiting, "event")) of \(fence.key.key) stay parked "
            + "until 'orderly dlq release --key \(fence.key.key)'"
        }
        let released = try await desk.release(fence.key.key)
        return "discarded; \(fence.key.key) goes on with \(counted(released.waiting, "event"))"
      }
      return LetterChange(row: row, isDone: true, result: result)
    } catch let refusal as Refusal {
      return LetterChange(row: row, isDone: false, result: refusal.description)
    }
  }
}

/// What has become of a letter that was to be changed.
struct LetterChange {
  let row: DeadLetterRow
  let isDone: Bool
  let result: String

  /// Prints all, and says how it went as a whole.
  static func report(
    _ changes: [LetterChange], _ participle: String, _ output: OutputFormat
  ) -> MutationResult {
    let table = ResultTable(
      [.init("id"), .init("service"), .init("about"), .init("result")],
      rows: changes.map { change in
        ResultTable.Row(
          name: "dlq/\(change.row.idText)",
          cells: [
            change.row.shortID, change.row.service.rawValue, change.row.about, change.result,
          ],
          object: [
            ("id", .string(change.row.idText)), ("service", .string(change.row.service.rawValue)),
            ("done", .bool(change.isDone)), ("result", .string(change.result)),
          ])
      })
    printTable(table, output, noun: "dead letters")
    let done = changes.count(where: \.isDone)
    return MutationResult(
      outcome: done == changes.count ? .done : done == 0 ? .refused : .partlyDone,
      summary: "\(done) of \(counted(changes.count, "dead letter")) \(participle)")
  }
}

extension DeadLetterRow {
  /// The letters of such ids, each once, in the order given.
  ///
  /// - Throws: ``CommandFailure`` when one names none, or more than one.
  static func find(
    _ ids: [DeadLetterPrefix], _ global: GlobalOptions
  ) async throws -> [DeadLetterRow] {
    var rows: [DeadLetterRow] = []
    for id in ids {
      let row = try await WholeDeadLetter.find(id, global).row
      if !rows.contains(where: { $0.id == row.id }) { rows.append(row) }
    }
    return rows
  }
}

extension OperatorAction.Target {
  /// Dead letters and their orders.
  static func letters(_ rows: [DeadLetterRow]) -> OperatorAction.Target {
    OperatorAction.Target(
      rows.count == 1 ? "dead letter \(rows[0].shortID)" : counted(rows.count, "dead letter"),
      services: ServiceName.allCases.filter { service in
        rows.contains { $0.service == service }
      }, orders: Set(rows.compactMap(\.orderID)).sorted(), letters: rows.map(\.id))
  }
}
