import Contracts
public import Fleet
public import Foundation

/// The table `effect` of an ``InMemoryDatabase``.
struct InMemoryEffects: Sendable {
  /// One statement of a step.
  enum Change: Sendable {
    case store([StoredEffect])
    case settle([StoredEffect])
    case revive(UUID, at: Date)
    case hasten(UUID, at: Date)
  }

  private(set) var rows: [UUID: StoredEffect] = [:]
  private(set) var lanes: [UUID: Int32] = [:]

  /// - Throws: `rejected` for an effect that is there already.
  mutating func apply(_ change: Change, lane: Int32) throws {
    switch change {
    case .store(let effects):
      for effect in effects {
        guard rows.updateValue(effect, forKey: effect.id) == nil else {
          throw StoreError.rejected("effect: \(effect.id) is there already")
        }
        lanes[effect.id] = lane
      }
    case .settle(let effects):
      for effect in effects where rows[effect.id]?.state == .pending { rows[effect.id] = effect }
    case .revive(let id, let now):
      rows[id]?.state = .pending
      rows[id]?.failure = nil
      rows[id]?.nextAttempt = now
      rows[id]?.isReplayed = true
    case .hasten(let id, let now):
      if let next = rows[id]?.nextAttempt { rows[id]?.nextAttempt = min(next, now) }
    }
  }

  /// Those that are pending, replayed or not as their rows say.
  func pending(among effects: [StoredEffect]) -> [StoredEffect] {
    effects.compactMap { effect in
      guard let row = rows[effect.id], row.state == .pending else { return nil }
      var effect = effect
      effect.isReplayed = row.isReplayed
      return effect
    }
  }

  func due(lane: Int32, at now: Date, except ids: [UUID], limit: Int) -> [StoredEffect] {
    let ids = Set(ids)
    return Array(
      rows.values
        .filter {
          $0.state == .pending && $0.nextAttempt <= now && lanes[$0.id] == lane
            && !ids.contains($0.id)
        }
        .sorted { ($0.nextAttempt, $0.id.uuidString) < ($1.nextAttempt, $1.id.uuidString) }
        .prefix(limit))
  }
}

extension InMemoryLaneStore {
  /// By id.
  public var effects: [UUID: StoredEffect] { lookAt { $0.effects.rows } }

  public func dueEffects(
    lane: Int32, at now: Date, except ids: [UUID], limit: Int
  ) async throws -> [StoredEffect] {
    try read(.dueEffects) { $0.effects.due(lane: lane, at: now, except: ids, limit: limit) }
  }
}

extension InMemoryStep {
  public func revive(effect id: UUID, at now: Date) throws -> Int32? {
    guard working.effects.rows[id]?.state == .dead else { return nil }
    try write { $0.effects.append(.revive(id, at: now)) }
    return working.effects.lanes[id]
  }

  public func hasten(effect id: UUID, lane: Int32, at now: Date) throws -> Bool {
    guard working.effects.rows[id]?.state == .pending, working.effects.lanes[id] == lane else {
      return false
    }
    try write { $0.effects.append(.hasten(id, at: now)) }
    return true
  }
}
