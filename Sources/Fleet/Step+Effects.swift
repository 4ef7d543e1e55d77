import Contracts
import Foundation

/// Effects whose answer does not come within the step.
extension Step {
  /// What a step sends out.
  struct Emissions: Sendable {
    var events: [Event] = []
    var requests: [Request] = []

    mutating func append(_ other: Emissions) {
      events += other.events
      requests += other.requests
    }
  }

  /// An effect that is asked for, as the `index`-th of its cause.
  struct Request: Sendable {
    let effect: D.Effect
    let order: OrderID
    let cause: Cause
    let index: Int
  }

  /// - Throws: `EncodingError` for a request that is no JSON.
  func stored(_ request: Request, at now: Date) throws -> StoredEffect {
    try StoredEffect(
      request.effect, of: request.order, by: service, because: request.cause,
      index: request.index, at: now)
  }

  /// What the rules are to decide, and what it goes back to; nil for an item that they have no say
  /// in.
  ///
  /// - Throws: `StoreError.rejected` for an outcome that can't be read.
  func question(_ item: LaneItem, id: UUID) throws -> (Input<D.Outcome>, Cause)? {
    switch item {
    case .event(let event, _):
      (.event(event.payload), Cause(id: id, event: id, traceparent: event.traceparent))
    case .deadline(let order):
      (.deadline(order), Cause(id: id, event: id, traceparent: nil))
    case .effect(let effect):
      (
        .outcome(try outcome(of: effect), of: effect.order),
        Cause(id: id, event: effect.causationID, traceparent: effect.traceparent)
      )
    case .unreadable, .dead, .parked, .retry: nil
    }
  }

  private func outcome(of effect: StoredEffect) throws -> D.Outcome {
    do {
      return try JSONDecoder().decode(D.Outcome.self, from: Data((effect.outcome ?? "").utf8))
    } catch {
      throw StoreError.rejected("the outcome of \(effect.kind) can't be read: \(error)")
    }
  }

  /// Writes what has become of the effects among the items, and dead letters for those that are
  /// given up on.
  ///
  /// An answer is written although it is decided already: a former owner's may have been, after
  /// another one had given the effect up. The effect was then dead until somebody replayed it, and
  /// would otherwise be called for ever.
  func settle<T: StepTransaction<D.Rows>>(
    _ items: [LaneItem], isNew: [Bool], _ context: Context, in transaction: T,
    _ result: inout StepResult
  ) throws {
    let effects = zip(items, isNew).compactMap { item, isNew -> StoredEffect? in
      guard case .effect(let effect) = item, isNew || effect.state == .done else { return nil }
      return effect
    }
    guard !effects.isEmpty else { return }
    for effect in effects {
      switch (effect.state, effect.isReplayed) {
      case (.dead, false):
        result.deadLetters.append(DeadLetter(effect, of: service, lane: context.lane))
      case (.dead, true):
        result.reopened.append(DeadLetter(effect, of: service, lane: context.lane))
      case (.done, true):
        result.resolved.append(DeadLetter(effect, of: service, lane: context.lane).id)
      case (.done, false), (.pending, _): break
      }
    }
    try transaction.settle(effects)
    if !result.resolved.isEmpty { try transaction.resolve(result.resolved, at: context.now) }
  }
}
