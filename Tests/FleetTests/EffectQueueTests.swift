import Contracts
import Foundation
import Testing

@testable import Fleet

/// A queue that an expectation can ask: macros don't take what changes a value.
private final class Subject {
  var queue: EffectQueue

  init(_ policy: EffectPolicy) { queue = EffectQueue(policy) }

  var breaker: CircuitBreaker.State { queue.breaker.state }
  func add(_ effects: [StoredEffect], of lane: EffectQueue.LaneID) -> Bool {
    queue.add(effects, of: lane)
  }
  func next(at now: Date) -> EffectQueue.Call? { queue.next(at: now) }
  func ended(_ call: EffectQueue.Call, _ failure: EffectFailure?, at now: Date) -> Bool {
    queue.ended(call, failure, at: now)
  }
  func end(_ lane: EffectQueue.LaneID) -> [Int] { queue.end(lane) }
}

/// What is called when, and how an effect stands after a call.
struct EffectQueueTests {
  private let now = Date(timeIntervalSince1970: 1_800_000_000)
  private let lanes = [LaneQueue(), LaneQueue()]

  private func lane(_ number: Int) -> EffectQueue.LaneID { ObjectIdentifier(lanes[number]) }

  private func effects(_ count: Int) -> [StoredEffect] {
    (0..<count).map { number in
      StoredEffect(
        id: UUID(), order: OrderID(rawValue: "order-\(number)"), kind: "payments.capture",
        request: "{}", causationID: UUID(), createdAt: now)
    }
  }

  private func queue(concurrency: Int = 2, held: Int = 5) -> Subject {
    var policy = EffectPolicy(concurrency: concurrency, failuresToOpen: 2)
    policy.held = held
    let subject = Subject(policy)
    for number in lanes.indices { subject.queue.begin(lane(number)) }
    return subject
  }

  private let down = EffectFailure(.unavailable, "down", "")

  @Test func callsInOrderWithinTheBound() throws {
    let subject = queue()
    let all = effects(3)
    #expect(subject.add(all, of: lane(0)))
    let first = try #require(subject.next(at: now))
    let second = try #require(subject.next(at: now))
    #expect([first, second].map(\.effect) == Array(all[0..<2]))
    #expect(subject.next(at: now) == nil && subject.queue.callsUnderWay == 2)
    #expect(subject.ended(second, nil, at: now))
    #expect(subject.next(at: now)?.effect == all[2])
  }

  @Test func anEffectIsHeldUntilItIsSettled() throws {
    let subject = queue()
    let all = effects(6)
    #expect(subject.add(Array(all[0..<2]), of: lane(0)))
    #expect(subject.add(Array(all[0..<2]), of: lane(0)))
    let call = try #require(subject.next(at: now))
    #expect(subject.ended(call, nil, at: now))
    #expect(subject.queue.standing(of: lane(0)).room == 3)
    #expect(!subject.add(all, of: lane(0)))
    #expect(Set(subject.queue.standing(of: lane(0)).held) == Set(all[0..<5].map(\.id)))
    // What it has is not left out, full or not.
    #expect(subject.add(Array(all[0..<5]), of: lane(0)))
    subject.queue.settle([all[0].id], of: lane(0))
    #expect(subject.add([all[5]], of: lane(0)))
    #expect(subject.queue.standing(of: lane(0)).room == 0)
  }

  @Test func aLaneThatIsOverIsForgotten() throws {
    let subject = queue(concurrency: 1)
    let all = effects(3)
    _ = subject.add(Array(all[0..<2]), of: lane(0))
    _ = subject.add([all[2]], of: lane(1))
    let call = try #require(subject.next(at: now))
    #expect(subject.end(lane(0)) == [call.number])
    #expect(!subject.ended(call, nil, at: now))
    #expect(subject.next(at: now)?.effect == all[2])
    // Its steps may still end.
    #expect(subject.add([all[0]], of: lane(0)))
    #expect(subject.queue.standing(of: lane(0)).held.isEmpty && subject.end(lane(0)).isEmpty)
  }

  @Test func failuresOfTheProviderOpenTheCircuit() throws {
    let subject = queue(concurrency: 5)
    _ = subject.add(effects(5), of: lane(0))
    for failure in [down, EffectFailure(.busy, "busy", ""), down, EffectFailure(.final, "no", "")] {
      let call = try #require(subject.next(at: now))
      #expect(subject.ended(call, failure, at: now))
    }
    #expect(subject.breaker == .closed)
    _ = subject.add(effects(2), of: lane(1))
    for _ in 0..<2 {
      #expect(subject.ended(try #require(subject.next(at: now)), down, at: now))
    }
    #expect(subject.breaker == .open && subject.next(at: now) == nil)
    #expect(subject.next(at: now + 1) != nil)
  }

  /// Only the provider's answer says that it works.
  @Test func aCallThatIsNotMadeClosesNoCircuit() throws {
    let subject = queue()
    _ = subject.add(effects(4), of: lane(0))
    for _ in 0..<2 {
      #expect(subject.ended(try #require(subject.next(at: now)), down, at: now))
    }
    let failure = EffectFailure(.final, EffectFailure.unreadableRequest, "")
    #expect(subject.ended(try #require(subject.next(at: now + 1)), failure, at: now + 1))
    #expect(subject.breaker == .open)
    #expect(subject.ended(try #require(subject.next(at: now + 1)), nil, at: now + 1))
    #expect(subject.breaker == .closed)
  }

  // MARK: - Attempts

  @Test func waitsGrowUpToTheCap() {
    let policy = EffectPolicy(backoff: Backoff(base: .seconds(1), cap: .seconds(8)))
    let id = UUID()
    for (attempts, longest) in [(1, 1.0), (2, 2), (3, 4), (4, 8), (9, 8)] {
      let wait = policy.nextAttempt(of: id, after: attempts, asked: nil, at: now)
        .timeIntervalSince(now)
      #expect(wait >= longest / 2 && wait <= longest)
      #expect(
        policy.nextAttempt(of: id, after: attempts, asked: nil, at: now) == now + wait)
    }
    #expect(policy.nextAttempt(of: id, after: 1, asked: .seconds(5), at: now) == now + 5)
    #expect(policy.nextAttempt(of: id, after: 1, asked: .seconds(1e18), at: now) == now + 8)
  }

  @Test func anEffectDiesAfterItsLastAttemptOrAFinalFailure() {
    let policy = EffectPolicy(attempts: 3)
    var effect = effects(1)[0]
    for attempt in 1...2 {
      effect = effect.failed(down, policy, at: now + Double(attempt))
      #expect(effect.state == .pending && effect.attempts == attempt)
      #expect(effect.nextAttempt > now + Double(attempt))
    }
    let dead = effect.failed(down, policy, at: now + 9)
    #expect(dead.state == .dead && dead.attempts == 3)
    #expect(dead.failure?.first == now + 1 && dead.failure?.last == now + 9)
    let refused = effects(1)[0].failed(EffectFailure(.final, "no", ""), policy, at: now)
    #expect(refused.state == .dead && refused.attempts == 1)
  }

  /// A repeated step must find the same, another call another.
  @Test func eachEndOfACallHasAnIDOfItsOwn() {
    let effect = effects(1)[0]
    let policy = EffectPolicy()
    let ends = [
      effect.answered("1", at: now), effect.failed(down, policy, at: now),
      effect.failed(down, policy, at: now).failed(down, policy, at: now),
      effect.failed(EffectFailure(.final, "no", ""), policy, at: now),
    ]
    #expect(Set(ends.map(\.settlementID)).count == ends.count)
    #expect(effect.answered("1", at: now).settlementID == ends[0].settlementID)
  }
}
