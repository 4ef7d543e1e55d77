import Contracts
import Foundation

/// What is left of a batch, as units that are each handled in one step, in order. It knows how a
/// batch that fails is taken apart: a pure value, so that each way is tested as a table.
struct WorkList: Sendable {
  struct Unit: Sendable {
    var items: [LaneItem]
    /// Which attempt at these items the next one is, from 1.
    var attempt = 1
    var firstFailed: Date?
    /// How long to wait before it.
    var delay: Duration?
    /// Tries that ended for reasons that lie outside the items; for the backoff only.
    var interruptions = 0
  }

  private let service: ServiceName
  private let limits: FleetLimits
  /// The next unit is the last of the array.
  private var units: [Unit]

  init(_ items: [LaneItem], service: ServiceName, limits: FleetLimits) {
    self.service = service
    self.limits = limits
    units = items.isEmpty ? [] : [Unit(items: items)]
  }

  var next: Unit? { units.last }

  /// The next unit is committed.
  mutating func finish() {
    units.removeLast()
  }

  /// The next unit has to be tried again, for no fault of its items.
  mutating func delay(_ backoff: Backoff) {
    units[units.count - 1].interruptions += 1
    units[units.count - 1].delay = backoff.delay(afterAttempt: units[units.count - 1].interruptions)
  }

  /// Items of the next unit, by their places, have failed for now: the others go first, and what
  /// comes after a failed item in its order goes last. After the last attempt the failed ones are
  /// parked.
  ///
  /// They are tried together, because each is the first of its order: a provider that is down holds
  /// a lane up once for the batch, not once for each event.
  mutating func retry(_ causes: [Int: TransientFailure], at now: Date) {
    let unit = units.removeLast()
    var ready: [LaneItem] = []
    var failed: [LaneItem] = []
    var waiting: [LaneItem] = []
    var orders: Set<OrderID> = []
    for (index, item) in unit.items.enumerated() {
      if let cause = causes[index] {
        if let order = item.order { orders.insert(order) }
        if unit.attempt < limits.attempts {
          failed.append(item)
        } else if let last = parked(item, of: unit, because: cause, at: now) {
          failed.append(last)
        }
      } else if let order = item.order, orders.contains(order) {
        waiting.append(item)
      } else {
        ready.append(item)
      }
    }
    if !waiting.isEmpty { units.append(Unit(items: waiting)) }
    if !failed.isEmpty {
      let isLast = unit.attempt >= limits.attempts
      units.append(
        Unit(
          items: failed, attempt: unit.attempt + (isLast ? 0 : 1),
          firstFailed: unit.firstFailed ?? now,
          delay: isLast ? nil : Backoff.event.delay(afterAttempt: unit.attempt)))
    }
    if !ready.isEmpty {
      units.append(Unit(items: ready, attempt: unit.attempt, firstFailed: unit.firstFailed))
    }
  }

  /// The database refuses something of the next unit: halves it, or gives up on the item when it is
  /// alone. False when that item is itself a dead letter and nothing is left to try.
  mutating func split(because detail: String, at now: Date) -> Bool {
    let unit = units.removeLast()
    if unit.items.count > 1 {
      let middle = unit.items.count / 2
      for half in [unit.items[middle...], unit.items[..<middle]] {
        units.append(
          Unit(items: Array(half), attempt: unit.attempt, firstFailed: unit.firstFailed))
      }
      return true
    }
    switch unit.items[0] {
    case .event(let event, let message):
      let failure = failure(of: unit, DeadLetter.rejected, detail, at: now)
      let parked = ParkedEvent(event, message)
      units.append(Unit(items: [.dead(DeadLetter(parked, service: service, failure: failure))]))
    case .parked(let event):
      let failure = event.failing(DeadLetter.rejected, detail, at: now)
      units.append(Unit(items: [.dead(DeadLetter(event, service: service, failure: failure))]))
    case .deadline, .retry(_, .refused):
      // The lane finds it again at the next tick; until then the others flow on.
      break
    case .retry(let key, .queue):
      units.append(Unit(items: [.retry(key, .head)]))
    case .retry(let key, .head):
      units.append(Unit(items: [.retry(key, .refused(detail))]))
    case .effect(let effect) where effect.state == .done:
      units.append(Unit(items: [.effect(effect.refused(detail, at: now))]))
    case .dead, .unreadable, .effect:
      units.append(unit)
      return false
    }
    return true
  }

  /// What is left to do for an item that is not tried in place any more; nothing for a deadline,
  /// which the lane finds again at the next tick.
  private func parked(
    _ item: LaneItem, of unit: Unit, because cause: TransientFailure, at now: Date
  ) -> LaneItem? {
    switch item {
    case .event(let event, let message):
      let failure = failure(of: unit, cause.reason, cause.detail, at: now)
      return .parked(ParkedEvent(event, message, failure: failure))
    case .deadline: return nil
    case .dead, .unreadable, .parked, .retry, .effect: return item
    }
  }

  private func failure(
    of unit: Unit, _ reason: String, _ detail: String, at now: Date
  ) -> EventFailure {
    EventFailure(
      reason: reason, detail: detail, attempts: unit.attempt, first: unit.firstFailed ?? now,
      last: now)
  }
}
