import Foundation

/// The effects that a process has in hand for its lanes, and which of them are under way: a pure
/// value, so that each case is tested as a table. The database has them all; this is the part that
/// is worked on.
struct EffectQueue: Sendable {
  typealias LaneID = ObjectIdentifier

  /// A call to be made.
  struct Call: Sendable {
    let number: Int
    let effect: StoredEffect
    let lane: LaneID
    let permit: CircuitBreaker.Permit
  }

  private let policy: EffectPolicy
  private(set) var breaker: CircuitBreaker
  /// By lane: from when the lane hands an effect over until what has become of it is committed.
  private var held: [LaneID: Set<UUID>] = [:]
  private var waiting: [(lane: LaneID, effect: StoredEffect)] = []
  private var calls: [Int: Call] = [:]
  private var lastNumber = 0

  init(_ policy: EffectPolicy) {
    self.policy = policy
    breaker = CircuitBreaker(policy)
  }

  var callsUnderWay: Int { calls.count }

  mutating func begin(_ lane: LaneID) {
    held[lane] = []
  }

  /// Takes those of the effects for which there is room and that it does not have.
  ///
  /// - Returns: false when some were left out.
  mutating func add(_ effects: [StoredEffect], of lane: LaneID) -> Bool {
    // The lane is over: its successor finds them.
    guard var ids = held[lane] else { return true }
    for (index, effect) in effects.enumerated() {
      guard ids.count < policy.held else {
        held[lane] = ids
        return effects[index...].allSatisfy { ids.contains($0.id) }
      }
      if ids.insert(effect.id).inserted { waiting.append((lane, effect)) }
    }
    held[lane] = ids
    return true
  }

  /// The ids that a lane has handed over, and how many more it may.
  func standing(of lane: LaneID) -> (held: [UUID], room: Int) {
    let ids = held[lane, default: []]
    return (Array(ids), max(0, policy.held - ids.count))
  }

  /// The next call, if one may be made now: those that came first go first.
  mutating func next(at now: Date) -> Call? {
    guard calls.count < policy.concurrency, let first = waiting.first,
      let permit = breaker.admit(at: now)
    else { return nil }
    waiting.removeFirst()
    lastNumber += 1
    let call = Call(
      number: lastNumber, effect: first.effect, lane: first.lane, permit: permit)
    calls[call.number] = call
    return call
  }

  /// A call has ended.
  ///
  /// - Parameter failure: nil when the provider has answered.
  /// - Returns: false when nobody waits for it any more.
  mutating func ended(_ call: Call, _ failure: EffectFailure?, at now: Date) -> Bool {
    guard calls.removeValue(forKey: call.number) != nil else { return false }
    if let failure, failure.kind == .unavailable {
      breaker.failed(call.permit, retryAfter: failure.retryAfter, at: now)
    } else if failure?.reason == EffectFailure.unreadableRequest {
      // It has not come as far as the provider.
      breaker.abandoned(call.permit)
    } else {
      breaker.succeeded(call.permit)
    }
    return true
  }

  /// What has become of the effects is committed.
  mutating func settle(_ ids: [UUID], of lane: LaneID) {
    held[lane]?.subtract(ids)
  }

  /// The lane is over: forgets its effects.
  ///
  /// - Returns: its calls that are under way, in the order in which they began.
  mutating func end(_ lane: LaneID) -> [Int] {
    held[lane] = nil
    waiting.removeAll { $0.lane == lane }
    let own = calls.values.filter { $0.lane == lane }
    for call in own {
      calls[call.number] = nil
      breaker.abandoned(call.permit)
    }
    return own.map(\.number).sorted()
  }
}
