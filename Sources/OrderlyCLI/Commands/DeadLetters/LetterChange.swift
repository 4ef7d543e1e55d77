import Arguments
import Contracts
import Fleet
import FleetPostgres
import Foundation
import JSONSchema

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
      services: .distinct(rows.map(\.service)), orders: Set(rows.compactMap(\.orderID)).sorted(),
      letters: rows.map(\.id))
  }
}

extension GlobalOptions {
  /// Changes what is written about letters, on record like all changes; what is written is the
  /// reason.
  func annotate(
    _ command: String, _ rows: [DeadLetterRow], _ words: String, _ output: OutputFormat,
    _ change: (DeadLetterDesk<PostgresDeadLetterStore>, UUID) async throws -> Void
  ) async throws {
    let reason = try OperatorReason(String(words.prefix(500)))
    try await record(command, on: .letters(rows), reason: reason) {
      try await ServiceDesks.with(self) { desks in
        await LetterChange.each(rows, "changed", output) { row in
          await LetterChange(of: row) {
            try await desks.change(row.service) { try await change($0, row.id) }
            return (.done, words)
          }
        }
      }
    }
  }
}
