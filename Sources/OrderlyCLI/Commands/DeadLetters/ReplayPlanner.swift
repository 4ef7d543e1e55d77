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
    let letters = try await letters(of: rows)
    let orders = letters.map { letter in
      (letter?.effectID == nil ? (try? letter?.replayedEvent())?.orderID : letter?.order)?.rawValue
    }
    let sagas = try await SagaState.load(orders.compactMap { $0 }, desks)
    var judged: [Judged] = []
    let progress = ProgressBar("rehearsing", total: rows.count)
    for (index, row) in rows.enumerated() {
      let saga = orders[index].flatMap { sagas[$0] }
      let (verdict, detail) = try await judge(letters[index], saga)
      judged.append(
        Judged(row: row, order: orders[index], saga: saga, verdict: verdict, detail: detail))
      progress.show(index + 1)
    }
    progress.finish()
    return judged
  }

  /// How many letters are read with one statement: each comes with all that it carries.
  private static let batch = 500

  /// The letters of rows, in their order; nil for one that is gone.
  private func letters(of rows: [DeadLetterRow]) async throws -> [DeadLetter?] {
    var letters: [UUID: DeadLetter] = [:]
    let progress = ProgressBar("reading", total: rows.count)
    var read = 0
    for (service, own) in Dictionary(grouping: rows, by: \.service) {
      for start in stride(from: 0, to: own.count, by: Self.batch) {
        let ids = own[start..<min(start + Self.batch, own.count)].map(\.id)
        for letter in try await desks.letters(ids, of: service) { letters[letter.id] = letter }
        read += ids.count
        progress.show(read)
      }
    }
    progress.finish()
    return rows.map { letters[$0.id] }
  }

  private func judge(
    _ letter: DeadLetter?, _ saga: SagaState?
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
