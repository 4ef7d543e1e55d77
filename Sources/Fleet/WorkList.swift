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

  /// Orders of the next unit have failed for now: the others go first, then each item of the failed
  /// ones by itself, in order.
  mutating func retry(_ causes: [OrderID: TransientFailure], at now: Date) {
    var unit = units.removeLast()
    if unit.items.count == 1, let order = unit.items[0].order, let cause = causes[order] {
      unit.firstFailed = unit.firstFailed ?? now
      if unit.attempt >= limits.attempts {
        units.append(Unit(items: [dead(unit, cause.reason, cause.detail, at: now)]))
      } else {
        unit.delay = Backoff.event.delay(afterAttempt: unit.attempt)
        unit.attempt += 1
        units.append(unit)
      }
      return
    }
    let failed = unit.items.filter { $0.order.map { causes[$0] != nil } ?? false }
    let others = unit.items.filter { $0.order.map { causes[$0] == nil } ?? true }
    units.append(contentsOf: failed.reversed().map { Unit(items: [$0], firstFailed: now) })
    if !others.isEmpty { units.append(Unit(items: others)) }
  }

  /// The database refuses something of the next unit: halves it, or gives up on the item when it is
  /// alone. False when that item is itself a dead letter and nothing is left to try.
  mutating func split(because detail: String, at now: Date) -> Bool {
    let unit = units.removeLast()
    if unit.items.count > 1 {
      let middle = unit.items.count / 2
      units.append(Unit(items: Array(unit.items[middle...])))
      units.append(Unit(items: Array(unit.items[..<middle])))
      return true
    }
    switch unit.items[0] {
    case .event:
      units.append(Unit(items: [dead(unit, "rejected-by-database", detail, at: now)]))
      return true
    case .dead, .unreadable, .deadline:
      units.append(unit)
      return false
    }
  }

  private func dead(_ unit: Unit, _ reason: String, _ detail: String, at now: Date) -> LaneItem {
    guard case .event(let event, let message) = unit.items[0] else { return unit.items[0] }
    return .dead(
      DeadLetter(
        service: service, message: message, reason: reason, detail: detail,
        attempts: unit.attempt, firstFailed: unit.firstFailed ?? now, lastFailed: now,
        event: event))
  }
}
