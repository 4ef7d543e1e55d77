import Contracts
import Fleet
import Foundation
import JSONSchema

/// Finds out what a replay of each of some dead letters would do.
struct ReplayPlanner {
  /// A letter, and what is said about it.
  struct Judged: Sendable {
    let row: DeadLetterRow
    /// nil where the letter names none that could be trusted.
    let order: String?
    let saga: SagaState?
    let verdict: ReplayVerdict
    let detail: String

    var item: ReplayPlan.Item {
      ReplayPlan.Item(
        service: row.service, letter: row.id, order: order, letterDigest: row.digest,
        sagaDigest: saga?.digest ?? "", verdict: verdict, detail: detail)
    }
  }

  let desks: ServiceDesks

  /// - Parameter rows: in the order in which they are to be replayed.
  func judge(_ rows: [DeadLetterRow]) async throws -> [Judged] {
    var letters: [DeadLetter?] = []
    for row in rows {
      letters.append(try await desks.change(row.service) { try await $0.letter(row.id) })
    }
    let orders = letters.map { letter in
      (letter?.effectID == nil ? (try? letter?.replayedEvent())?.orderID : letter?.order)?.rawValue
    }
    let sagas = try await SagaState.load(orders.compactMap { $0 }, desks)
    var judged: [Judged] = []
    let progress = ProgressBar("rehearsing", total: rows.count)
    for (index, row) in rows.enumerated() {
      let saga = orders[index].flatMap { sagas[$0] }
      let (verdict, detail) = try await judge(row, letters[index], saga)
      judged.append(
        Judged(row: row, order: orders[index], saga: saga, verdict: verdict, detail: detail))
      progress.show(index + 1)
    }
    progress.finish()
    return judged
  }

  private func judge(
    _ row: DeadLetterRow, _ letter: DeadLetter?, _ saga: SagaState?
  ) async throws -> (ReplayVerdict, String) {
    guard let letter else { return (.closed, "it is gone") }
    switch letter.state {
    case .resolved: return (.closed, "it was replayed and handled")
    case .discarded: return (.closed, "it was discarded")
    case .replaying: return (.replaying, "a replay is under way")
    case .open: break
    }
    if letter.effectID == nil {
      do throws(Refusal) {
        _ = try letter.replayedEvent()
      } catch {
        return (.unreadable, error.description)
      }
    }
    if let ending = saga?.ending { return (.orderEnded, ending) }
    // What a provider would answer can't be rehearsed.
    if letter.effectID != nil {
      return (.handled, "the provider is asked again, with the same idempotency key")
    }
    do {
      return try await desks.rehearse(letter).verdict
    } catch let refusal as Refusal {
      return (.failsAgain, refusal.description)
    }
  }
}

extension ReplayPlanner.Judged {
  static func table(_ letters: [ReplayPlanner.Judged]) -> ResultTable {
    ResultTable(
      [
        .init("id"), .init("service"), .init("type"), .init("order"), .init("verdict"),
        .init("what a replay would do"), .init("actions"), .init("saga", wide: true),
      ],
      rows: letters.map { letter in
        let actions = letter.verdict.actions(
          letter.saga, in: letter.row.service,
          event: letter.row.eventType.flatMap { EventType(rawValue: $0) },
          isEffect: letter.row.isEffect
        ).map(\.rawValue)
        return ResultTable.Row(
          name: "dlq/\(letter.row.idText)",
          cells: [
            letter.row.shortID, letter.row.service.rawValue, letter.row.eventType ?? "-",
            letter.order ?? letter.row.about, letter.verdict.rawValue, letter.detail,
            actions.isEmpty ? "-" : actions.joined(separator: " "), letter.saga?.text ?? "-",
          ],
          object: [
            ("id", .string(letter.row.idText)), ("service", .string(letter.row.service.rawValue)),
            ("eventType", .text(letter.row.eventType)), ("order", .text(letter.order)),
            ("verdict", .string(letter.verdict.rawValue)), ("detail", .string(letter.detail)),
            ("actions", .array(actions.map { .string($0) })),
            ("saga", .text(letter.saga?.text)),
          ])
      })
  }
}
