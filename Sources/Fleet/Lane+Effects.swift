import Contracts
import Foundation

/// Effects whose answer does not come within the step: the lane stores them, hands them to the
/// runner, and handles what has become of them.
extension Lane {
  /// Hands over what a step has stored.
  func begin(_ stored: [StoredEffect], _ tenure: inout Tenure) {
    guard let effects, !stored.isEmpty else { return }
    if !effects.take(stored, for: queue) { tenure.hasMoreEffects = true }
  }

  /// Decides on what has become of effects.
  func settle(_ settled: [StoredEffect], _ tenure: inout Tenure) async throws(Ended) {
    try await handle(settled.map(LaneItem.effect), &tenure)
    guard let effects else { return }
    effects.settle(settled.map(\.id), for: queue)
    // Not for each place that is free: the question names all that are held.
    let (held, room) = effects.standing(of: queue)
    if tenure.hasMoreEffects, room >= held.count { try await loadEffects(&tenure) }
  }

  /// Hands over what is due: effects that an earlier owner has left, whose next attempt has come,
  /// or for which there was no room before.
  func loadEffects(_ tenure: inout Tenure) async throws(Ended) {
    guard let effects else { return try await lookForAbandonedEffects(&tenure) }
    let (held, room) = effects.standing(of: queue)
    guard room > 0 else { return }
    let limit = min(room, limits.stepEvents)
    let now = clock.now
    let due = try await retrying("look for effects", &tenure) {
      try await store.dueEffects(lane: number, at: now, except: held, limit: limit)
    }
    tenure.hasMoreEffects = due.count == limit
    begin(due, &tenure)
  }

  /// Effects that a worker with a provider has stored wait for ever in a lane of one that has none,
  /// and so do their orders: somebody has to be told.
  private func lookForAbandonedEffects(_ tenure: inout Tenure) async throws(Ended) {
    // As seldom as into the outbox: usually there are none.
    guard tenure.ticks == 0 else { return }
    let pending = try await retrying("look for effects", &tenure) {
      try await store.dueEffects(lane: number, at: .distantFuture, except: [], limit: 1)
    }
    if pending.isEmpty {
      health.resolve(.provider)
    } else {
      health.report(
        .provider,
        "effects wait for a provider, and this worker has none: set ORDERLY_PAYMENT_PROVIDER_URL "
          + "or ORDERLY_CARRIER_URL as for the worker that has stored them")
    }
  }
}
