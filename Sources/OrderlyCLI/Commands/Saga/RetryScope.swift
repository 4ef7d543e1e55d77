import Contracts
import FleetPostgres
import Foundation

/// What `orderly saga retry` looks at: all that an order has stopped behind, or what it has stopped
/// behind in one service.
struct RetryScope {
  let state: SagaState
  /// The dead letters that are open or being replayed, the first to have failed first.
  let letters: [ReplayPlanner.Judged]
  /// Where the order waits for its next attempt.
  let waiting: [ParkedKeyRow]
  /// Calls to providers that have failed and wait for their next attempt.
  let calls: [EffectRow]
  /// Where the order stays, whatever is tried, until it is released.
  let unreleased: [ParkedKeyRow]

  /// - Parameter step: the service; nil for all.
  static func load(
    _ order: String, in step: ServiceName?, _ desks: ServiceDesks
  ) async throws -> RetryScope {
    func isMeant(_ service: ServiceName) -> Bool { step.map { $0 == service } ?? true }
    let stopped = try await StoppedOrder.load(order, desks)
    var failing: [EffectRow] = []
    for service in ServiceName.allCases where isMeant(service) {
      let effects = try await desks.read(service) { connection in
        try EffectRow.unanswered(of: order, in: service, on: connection)
      }
      failing += effects.filter(\.isFailing)
    }
    let calls = failing
    let parked = stopped.parked.filter { isMeant($0.service) }
    return RetryScope(
      state: stopped.state,
      letters: stopped.letters.filter { letter in
        // A call that is being replayed is among the calls.
        isMeant(letter.row.service)
          && !calls.contains { letter.verdict == .replaying && $0.id == letter.row.eventID }
      },
      waiting: parked.filter(\.isWaiting), calls: calls, unreleased: parked.filter(\.needsRelease))
  }

  /// For the record.
  var target: OperatorAction.Target {
    OperatorAction.Target(
      "order \(state.order)",
      services: .distinct(
        letters.map(\.row.service) + waiting.map(\.service) + calls.map(\.service)),
      orders: [state.order], letters: letters.map(\.row.id))
  }

  /// Those that are not tried with what waits: a letter that is being replayed is.
  var ownLetters: [ReplayPlanner.Judged] {
    letters.filter { letter in
      letter.verdict != .replaying || !waiting.contains { $0.service == letter.row.service }
    }
  }

  /// Whether there is nothing to be tried again.
  var isEmpty: Bool { letters.isEmpty && waiting.isEmpty && calls.isEmpty }
}

extension ParkedKeyRow {
  /// What lets a dead order go on without what it has stopped behind.
  var releaseCommand: String {
    "orderly dlq release --key \(order) --service \(service.rawValue) --reason '…'"
  }
}
