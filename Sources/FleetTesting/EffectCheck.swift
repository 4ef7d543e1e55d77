import Contracts
import Fleet
import Foundation

/// The checks of ``LaneStoreRule`` that are about effects.
struct EffectCheck<Store: LaneStore> {
  private let store: Store
  private let now = Date(timeIntervalSince1970: 1_800_000_000)

  init(_ store: Store) {
    self.store = store
  }

  func effectsComeBackAsTheyWere() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    var bare = effect(-1)
    bare.traceparent = nil
    bare.request = #"{"text":"quotes \" braces {} \u0000 ,NULL \ud83e\udd80","list":[ 1 ]}"#
    let effects = [bare, effect(0)]
    try await step(epoch) { try $0.store(effects, lane: 0) }
    try await expect(due(), effects, "the effects")
  }

  func aFailedStepStoresNoEffect() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    do {
      try await step(epoch) { step in
        try step.store([effect()], lane: 0)
        throw PlannedFailure()
      }
    } catch is PlannedFailure {}
    try await expect(due(), [], "after a failed step")
  }

  func anEffectIsStoredOnce() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    let effect = effect()
    try await step(epoch) { try $0.store([effect], lane: 0) }
    do {
      try await step(epoch) { try $0.store([effect], lane: 0) }
      throw ConformanceFailure("an effect was stored twice")
    } catch StoreError.rejected {}
    try await expect(due(), [effect], "the effect")
  }

  func dueEffectsAreTheLanesPendingOnes() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    let other = try await store.takeOver(lane: 1, owner: "a")
    let (first, second, third, later) = (effect(-900), effect(-2), effect(0), effect(0.001))
    try await step(epoch) { try $0.store([third, later, first, second], lane: 0) }
    try await store.step { step in
      _ = try step.admit([], lane: 1, epoch: other)
      try step.store([effect(-900)], lane: 1)
    }
    try await expect(due(), [first, second, third], "what is due")
    try await expect(
      due(at: .distantFuture), [first, second, third, later], "what is due one day")
    try await expect(due(limit: 1), [first], "the first due")
    try await expect(
      due(except: [first.id, UUID()], limit: 1), [second], "the first of the others")
  }

  func settledEffectsAreAsTheyWereLeft() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    let effects = (0..<4).map { effect(Double($0 - 9)) }
    try await step(epoch) { try $0.store(effects, lane: 0) }
    let failure = EventFailure(
      reason: "provider-unavailable", detail: "\u{0} \"{}\" \u{1F980}", attempts: 3, first: now - 9,
      last: now)
    var (done, dead, delayed) = (effects[0], effects[1], effects[2])
    (done.state, done.outcome, done.doneAt) = (.done, #"{"a":["\u0000"]}"#, now)
    (dead.state, dead.failure) = (.dead, failure)
    (delayed.failure, delayed.nextAttempt) = (failure, now + 60)
    let settled = [done, dead, delayed]
    try await expect(step(epoch) { try $0.settle(settled) }, settled, "what was pending")
    try await expect(due(), [effects[3]], "what is left")
    try await expect(due(at: now + 60), [effects[3], delayed], "what is due later")
    // What is not pending stays as it is.
    try await expect(
      step(epoch) { try $0.settle(Array(effects[0...1])) }, [], "what was pending the second time")
    try await expect(due(at: now + 60), [effects[3], delayed], "after the second time")
  }

  /// For a service called inventory.
  func aReplayedEffectIsCalledAgain(_ letters: some DeadLetterStore) async throws {
    let desk = DeadLetterDesk(service: .inventory, store: letters)
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    let effect = effect(-9)
    var dead = effect
    dead.state = .dead
    dead.failure = EventFailure(
      reason: "down", detail: "", attempts: 3, first: now - 9, last: now)
    let letter = DeadLetter(dead, of: .inventory, lane: 0)
    try await step(epoch) { [dead] step in
      try step.store([effect], lane: 0)
      _ = try step.settle([dead])
      try step.record([letter], lane: 0)
    }
    try await expect(due(), [], "before the replay")
    do {
      _ = try await desk.edit(letter, value: [], headers: [], at: now)
      throw ConformanceFailure("an effect was edited")
    } catch is Refusal {}
    let start = try await desk.replay(letter.id, at: now + 1)
    guard start == ReplayStart(order: effect.order, lane: 0, waiting: 0) else {
      throw ConformanceFailure("the replay: \(start)")
    }
    var again = effect
    (again.nextAttempt, again.isReplayed) = (now + 1, true)
    try await expect(due(), [], "before it is due")
    try await expect(due(at: now + 1), [again], "after the replay")
    do {
      _ = try await desk.replay(letter.id, at: now + 2)
      throw ConformanceFailure("an effect was replayed twice")
    } catch is Refusal {}
    // By a worker that has not heard of the replay, and whose clock is behind.
    var deadAgain = dead
    deadAgain.failure = EventFailure(
      reason: "no", detail: "", attempts: 1, first: now - 99, last: now - 99)
    let reopened = DeadLetter(deadAgain, of: .inventory, lane: 0)
    var replayed = deadAgain
    replayed.isReplayed = true
    try await expect(
      step(epoch) { [deadAgain] step in
        try step.record([reopened], lane: 0)
        return try step.settle([deadAgain])
      }, [replayed], "what was replayed")
    let found = try await desk.letter(letter.id)
    guard found?.state == .open, found?.reason == "no", found?.lastFailed == letter.firstFailed
    else {
      throw ConformanceFailure(
        "the letter after its replay has failed: \(String(describing: found))")
    }
  }

  /// For a service called inventory.
  func aPendingEffectIsCalledNow(_ letters: some DeadLetterStore) async throws {
    let desk = DeadLetterDesk(service: .inventory, store: letters)
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    _ = try await store.takeOver(lane: 1, owner: "a")
    let effect = effect(-9)
    var failed = effect
    failed.failure = EventFailure(
      reason: "down", detail: "", attempts: 3, first: now - 9, last: now)
    failed.nextAttempt = now + 900
    try await step(epoch) { [failed] step in
      try step.store([effect], lane: 0)
      _ = try step.settle([failed])
    }
    try await expect(due(at: now + 2), [], "before anybody asks for it")
    try await desk.tryNow(effect: effect.id, lane: 0, at: now + 2)
    // It is not put off again.
    try await desk.tryNow(effect: effect.id, lane: 0, at: now + 3)
    var hastened = failed
    hastened.nextAttempt = now + 2
    try await expect(due(at: now + 1), [], "before it is due")
    try await expect(due(at: now + 2), [hastened], "once it is due")
    try await expectNoTry(of: UUID(), lane: 0, desk)
    try await expectNoTry(of: effect.id, lane: 1, desk)
    var dead = hastened
    dead.state = .dead
    _ = try await step(epoch) { [dead] in try $0.settle([dead]) }
    try await expectNoTry(of: effect.id, lane: 0, desk)
    try await expect(due(at: .distantFuture), [], "once it is dead")
  }

  // MARK: - Tools

  private func expectNoTry(
    of effect: UUID, lane: Int32, _ desk: DeadLetterDesk<some DeadLetterStore>
  ) async throws {
    do { try await desk.tryNow(effect: effect, lane: lane, at: now) } catch is Refusal { return }
    throw ConformanceFailure("an effect was tried that the lane \(lane) has not pending")
  }

  private func effect(_ due: TimeInterval = 0) -> StoredEffect {
    StoredEffect(
      id: UUID(), order: OrderID(rawValue: "order"), kind: "payments.capture",
      request: #"{"capture":{"amount":1}}"#, causationID: UUID(),
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      createdAt: now - 900, nextAttempt: now + due)
  }

  private func due(
    at time: Date? = nil, except ids: [UUID] = [], limit: Int = 9
  ) async throws -> [StoredEffect] {
    try await store.dueEffects(lane: 0, at: time ?? now, except: ids, limit: limit)
  }

  private func step<Result: Sendable>(
    _ epoch: Int64, _ body: @Sendable (Store.Transaction) throws -> Result
  ) async throws -> Result {
    try await store.step { step in
      _ = try step.admit([], lane: 0, epoch: epoch)
      return try body(step)
    }
  }

  private func expect(
    _ value: [StoredEffect], _ expected: [StoredEffect], _ what: String
  ) throws {
    if value != expected { throw ConformanceFailure("\(what): \(value), not \(expected)") }
  }
}

private struct PlannedFailure: Error {}
