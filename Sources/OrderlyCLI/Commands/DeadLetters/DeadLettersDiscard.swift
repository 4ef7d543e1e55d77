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

      Refused (4) while the order is open for what it can't end without, however long somebody \
      waits: a call to a provider that was given up on, and the events by which an order is \
      accepted, ends, or gives its money and stock back.

      Without ids, the open letters that match are taken. --reason says why you discard, and \
      chooses none; --letter-reason is what --reason is in 'dlq list'.
      """,
    examples: [
      "orderly dlq discard 3f2a91c0 --reason 'a test order'",
      "orderly dlq discard 3f2a 77b0 --release --reason 'sent twice' --yes",
      "orderly dlq discard --fingerprint 1f0a3c2d --since 2h --reason 'no events, INC-42'",
      "orderly dlq discard --service payments --letter-reason invalid-body --reason 'INC-42'",
    ])

  @OptionGroup var selection: DeadLetterSelectionOptions

  @Flag(help: "Let the later events of the orders go on.")
  var release = false

  @OptionGroup var mutation: MutationOptions
  @OptionGroup var format: OutputOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let rows = try await selection.rows(global)
    try selection.check(mutation.reason, about: rows)
    guard !mutation.dryRun else {
      printTable(DeadLetterRow.table(rows, at: Date()), format.output, noun: "dead letters")
      let open = try await ServiceDesks.with(global) { desks in
        var open: [DeadLetterRow] = []
        for row in rows where row.state == "open" {
          if let reason = try await row.reasonToKeep(desks) {
            printMessage("\(row.shortID): \(reason)")
          } else {
            open.append(row)
          }
        }
        return open
      }
      printMessage(
        "dry run: \(counted(open.count, "open dead letter")) would be discarded"
          + (open.isEmpty ? "" : ": \(DeadLetterReasons(open).text)"))
      return
    }
    let held = rows.reduce(0) { $0 + $1.held }
    try mutation.confirm(
      "Discard \(counted(rows.count, "dead letter")) (\(DeadLetterReasons(rows).text))"
        + (held == 0
          ? "?"
          : ", behind which \(counted(Int(held), "event")) "
            + "\(held == 1 ? "waits" : "wait") and \(release ? "will go on" : "will stay")?"))
    try await mutation.record("dlq discard", on: .letters(rows), global) {
      try await ServiceDesks.with(global) { desks in
        await LetterChange.each(rows, "discarded", format.output) { await discard($0, desks) }
      }
    }
  }

  private func discard(_ row: DeadLetterRow, _ desks: ServiceDesks) async -> LetterChange {
    await LetterChange(of: row) {
      if let reason = try await row.reasonToKeep(desks) { throw Refusal(reason) }
      guard let fence = try await desks.change(row.service, { try await $0.discard(row.id) })
      else { return (.done, "discarded") }
      let key = fence.key.key
      let later = "'orderly dlq release --key \(key)'"
      guard release else {
        return (
          .done,
          "discarded; \(counted(fence.waiting, "event")) of \(key) stay parked until \(later)"
        )
      }
      do {
        let released = try await desks.change(row.service) { try await $0.release(key) }
        return (.done, "discarded; \(key) goes on with \(counted(released.waiting, "event"))")
      } catch let error where error is Refusal || error is CommandFailure {
        // The letter is discarded for good.
        return (.partlyDone, "discarded, but not released, which \(later) does: \(error)")
      }
    }
  }
}

/// What has become of a letter that was to be changed.
struct LetterChange {
  let row: DeadLetterRow
  /// Failed, where the trouble was not the letter's: others may be changed all the same.
  let outcome: OperatorAction.Outcome
  let result: String

  /// Changes the letter; what it throws is a result too, so that what is done is always told.
  init(
    of row: DeadLetterRow,
    _ change: () async throws -> (OperatorAction.Outcome, String)
  ) async {
    self.row = row
    do {
      (outcome, result) = try await change()
    } catch let refusal as Refusal {
      (outcome, result) = (.refused, refusal.description)
    } catch {
      (outcome, result) = (.failed, "\(error)")
    }
  }

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
            ("done", .bool(change.outcome == .done)),
            ("outcome", .string(change.outcome.rawValue)), ("result", .string(change.result)),
          ])
      })
    printTable(table, output, noun: "dead letters")
    let done = changes.count { [.done, .partlyDone].contains($0.outcome) }
    return MutationResult(
      outcome: .ofAll(changes.map(\.outcome)),
      summary: "\(done) of \(counted(changes.count, "dead letter")) \(participle)")
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
