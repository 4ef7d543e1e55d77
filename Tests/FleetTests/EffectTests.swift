import Contracts
import FleetTesting
import Foundation
import Synchronization
import Testing

@testable import Fleet

/// Effects that are performed outside of the steps, through whole runs: whatever crashes or is lost
/// in between, the provider's books hold one charge for each order, and its outcome is decided once.
@Suite(.timeLimit(.minutes(10))) struct EffectTests {
  private let provider = SampleProvider()
  private var world = World()

  init() {
    world.provider = provider
    world.effectPolicy.backoff = Backoff(base: .seconds(1), cap: .seconds(5))
  }

  private func append(_ orders: String..., token: String = "ok") {
    for order in orders { world.broker.append(record(reservation(order, token: token))) }
  }

  private func states() -> [StoredEffect.State] { world.store.effects.values.map(\.state) }

  private func run(until condition: () async -> Bool) async throws {
    try await world.clock.run(inStepsOf: .milliseconds(100), until: condition)
  }

  /// Each order was charged once, and its outcome decided and published once.
  private func expectCharged(_ orders: [String]) async throws {
    try await run {
      !states().contains(.pending) && states().count == orders.count
        && world.store.allOutbox(lane: 0).isEmpty && world.committed() == Int64(orders.count)
    }
    #expect(world.captured().sorted() == orders.sorted())
    #expect(provider.charges.map(\.order.rawValue).sorted() == orders.sorted())
    #expect(states().allSatisfy { $0 == .done })
    #expect(world.deadLetters().isEmpty)
    for order in orders { #expect(world.handled(order) == ["a"]) }
  }

  @Test func anEffectIsStoredThenPerformedThenDecided() async throws {
    provider.close()
    append("a", "b")
    try await world.withRunner { runner in
      try await run { provider.waiting == 2 && world.committed() == 2 }
      // The step is done and its offset committed; nothing waits for the provider.
      #expect(world.handled("a") == ["a"] && world.captured().isEmpty)
      #expect(states() == [.pending, .pending])
      provider.open()
      try await expectCharged(["a", "b"])
      #expect(runner.runner.health.problems.isEmpty)
    }
    let published = world.broker.records(Topic.payments.rawValue)[0]
    let event = try EventCodec.decode(
      key: published.key, value: published.value, headers: published.headers)
    let effect = try #require(world.store.effects.values.first { $0.order == event.orderID })
    #expect(event.causationID == effect.causationID)
    #expect(event.traceparent == effect.traceparent && event.traceparent != nil)
    #expect(effect.kind == "payments.charge" && effect.outcome == "\"ref-\(effect.order)\"")
    #expect(world.store.inbox.contains(effect.settlementID))
  }

  // MARK: - Crashes

  /// The step that stores is the first to be committed, the one that decides the second.
  @Test(arguments: [0, 1, 2], [StoreFault.loseReply, .commitLater, .fail(.unavailable("away"))])
  func aCommitWhoseAnswerIsLostChargesOnce(commit: Int, fault: StoreFault) async throws {
    world.store.setFaults(StoreFaults.at(.commit, commit..<commit + 1, fault))
    append("a")
    try await world.withRunner { _ in
      try await expectCharged(["a"])
      append("b")
      try await expectCharged(["a", "b"])
    }
  }

  @Test(arguments: [StoreOperation.store, .settle, .dueEffects, .admit, .removeFromOutbox])
  func anUnavailableDatabaseIsWaitedFor(operation: StoreOperation) async throws {
    world.store.setFaults(
      StoreFaults.at(operation, 0..<3, .fail(.unavailable("the server is away"))))
    append("a", "b")
    try await world.withRunner { _ in try await expectCharged(["a", "b"]) }
  }

  @Test func anAnswerThatIsLostIsAskedForAgain() async throws {
    append("a", token: "lose-2")
    append("b")
    try await world.withRunner { _ in try await expectCharged(["a", "b"]) }
    #expect(provider.calls == 4)
  }

  /// It has stored the effect, and crashed before or after the provider has done the work.
  @Test(arguments: [false, true])
  func aSuccessorAsksAgainByTheSameKey(answersLate: Bool) async throws {
    provider.close(ignoringCancellation: answersLate)
    append("a", "b")
    try await world.withRunner(world.runner(owner: "first")) { _ in
      try await run { provider.waiting == 2 && world.committed() == 2 }
    }
    #expect(states() == [.pending, .pending] && provider.charges.count == 2)
    // An answer that comes now has nobody who waits for it.
    provider.open()
    #expect(states() == [.pending, .pending])
    try await world.withRunner { _ in try await expectCharged(["a", "b"]) }
    #expect(provider.calls == 4)
  }

  /// The process is stopped for a while, somebody else owns the lane in between, and it goes on.
  @Test func aLaneThatWasTakenOverWhileACallWasUnderWay() async throws {
    provider.close()
    append("a")
    try await world.withRunner { _ in
      try await run { provider.waiting == 1 && world.committed() == 1 }
      _ = try await world.store.takeOver(lane: 0, owner: "somebody else")
      provider.open()
      try await expectCharged(["a"])
    }
    #expect(world.store.epoch(of: 0) == 3)
  }

  /// One that performs its effects itself has no use for those of another.
  @Test func aWorkerWithoutAProviderTellsOfWhatWaits() async throws {
    provider.close()
    append("a")
    try await world.withRunner(world.runner(owner: "first")) { _ in
      try await run { provider.waiting == 1 && world.committed() == 1 }
    }
    var other = world
    other.provider = nil
    try await other.withRunner { runner in
      try await run { !runner.runner.health.limitations.isEmpty }
      #expect(runner.runner.health.limitations[0].contains("ORDERLY_PAYMENT_PROVIDER_URL"))
      append("b")
      try await run { world.captured() == ["b"] }
      #expect(states() == [.pending] && runner.runner.health.problems.isEmpty)
      #expect(!runner.runner.health.limitations.isEmpty)
    }
    provider.open()
    try await world.withRunner { _ in try await run { world.captured() == ["b", "a"] } }
  }

  // MARK: - Failures

  @Test func aCallThatFailsIsMadeAgainWhileOthersGoOn() async throws {
    append("slow", token: "flaky-3")
    append("held", token: "busy-2")
    append("fine")
    try await world.withRunner { _ in
      try await run { world.captured() == ["fine"] }
      try await expectCharged(["slow", "held", "fine"])
    }
    let effects = world.store.effects.values
    #expect(effects.first { $0.order.rawValue == "slow" }?.attempts == 3)
    #expect(effects.first { $0.order.rawValue == "held" }?.attempts == 2)
  }

  @Test mutating func aCallThatWaitsIsMadeWhenAnOperatorAsks() async throws {
    world.effectPolicy.backoff = Backoff(base: .seconds(3600), cap: .seconds(3600))
    append("a", token: "flaky-1")
    try await world.withRunner { _ in
      try await run { world.store.effects.values.first?.attempts == 1 }
      let effect = try #require(world.store.effects.values.first)
      let failed = world.clock.now
      #expect(effect.nextAttempt.timeIntervalSince(failed) > 1000)
      try await world.desk.tryNow(effect: effect.id, lane: 0, at: failed)
      try await expectCharged(["a"])
      #expect(world.clock.now.timeIntervalSince(failed) < 600)
    }
  }

  @Test mutating func afterTheLastAttemptAnOperatorIsTold() async throws {
    world.effectPolicy.attempts = 4
    append("down", token: "down")
    append("fine")
    try await world.withRunner { _ in
      try await run { world.deadLetters().count == 1 && world.captured() == ["fine"] }
      // The rules answer whatever comes: the order is not stopped.
      append("down")
      try await run { world.handled("down") == ["a", "a"] }
      try await run { world.captured() == ["fine", "down"] }
    }
    let effect = try #require(world.store.effects.values.first { $0.state == .dead })
    #expect(effect.attempts == 4 && effect.failure?.reason == "provider-unavailable")
    #expect(world.store.parkedKeys.isEmpty)
    let letter = try #require(world.store.deadLetters.first)
    #expect(letter.eventID == effect.id && letter.order == effect.order)
    #expect(letter.attempts == 4 && letter.eventType == "payments.charge")
    let record = world.deadLetters()[0]
    #expect(record.key == Array("down".utf8))
    #expect(record.value == Array(effect.request.utf8))
    func header(_ name: String) -> String? { record.headers.first { $0.name == name }?.text }
    #expect(header(HeaderName.id) == effect.id.uuidString.lowercased())
    #expect(header(HeaderName.type) == "payments.charge")
    #expect(header(HeaderName.DeadLetter.reason) == "provider-unavailable")
    #expect(header(HeaderName.DeadLetter.topic) == "payments.effects")
  }

  @Test mutating func aReplayAsksTheProviderAgain() async throws {
    world.effectPolicy.attempts = 2
    provider.set(isDown: true)
    append("a")
    func state() -> DeadLetter.State? { world.store.deadLetters.first?.state }
    try await world.withRunner { _ in
      try await run { state() == .open && world.deadLetters().count == 1 }
      let letter = world.store.deadLetters[0].id
      _ = try await world.desk.replay(letter, at: world.clock.now)
      #expect(state() == .replaying)
      try await run { state() == .open }
      provider.set(isDown: false)
      _ = try await world.desk.replay(letter, at: world.clock.now)
      try await run { state() == .resolved && world.captured() == ["a"] }
    }
    #expect(provider.calls == 5 && provider.charges.count == 1)
    // In its topic since it was first given up.
    #expect(world.deadLetters().count == 1)
    #expect(states() == [.done])
  }

  @Test func whatIsRefusedIsGivenUpAtOnce() async throws {
    append("a", token: "refused")
    try await world.withRunner { _ in try await run { world.deadLetters().count == 1 } }
    #expect(provider.calls == 1 && provider.charges.isEmpty)
    #expect(world.store.deadLetters.map(\.reason) == ["provider-refused"])
  }

  /// What the rules make of the answer can't be written: the money is taken, so somebody must look.
  @Test func anOutcomeThatTheDatabaseRefusesIsGivenUp() async throws {
    world.store.setFaults(StoreFaults.at(.commit, 1..<2, .fail(.rejected("a constraint"))))
    append("a")
    try await world.withRunner { _ in try await run { world.deadLetters().count == 1 } }
    #expect(states() == [.dead] && world.captured().isEmpty)
    #expect(world.store.deadLetters.map(\.reason) == [DeadLetter.rejected])
  }

  /// Which of the two it was is not known: it may have been charged.
  @Test mutating func aCallThatDoesNotEndIsMadeAgain() async throws {
    world.effectPolicy.deadline = .seconds(10)
    append("a", token: "hang-1")
    try await world.withRunner { _ in try await expectCharged(["a"]) }
    #expect(world.store.effects.values.first?.failure?.reason == "provider-timeout")
  }

  // MARK: - Bounds

  @Test func aProviderThatIsDownIsLeftAlone() async throws {
    let orders = (0..<40).map { "order-\($0)" }
    provider.set(isDown: true)
    for order in orders { append(order) }
    try await world.withRunner { runner in
      try await run { !runner.runner.health.limitations.isEmpty && world.committed() == 40 }
      // Ready for all that needs no provider.
      #expect(runner.runner.health.problems.isEmpty)
      #expect(runner.runner.health.limitations[0].contains("bank"))
      let before = world.clock.now
      try await run { world.clock.now.timeIntervalSince(before) > 120 }
      let failed = world.store.effects.values.filter { $0.attempts > 0 }.count
      #expect(failed < 40, "all were tried in vain")
      provider.set(isDown: false)
      try await expectCharged(orders)
      #expect(runner.runner.health.limitations.isEmpty)
    }
  }

  @Test mutating func whatThereIsNoRoomForWaitsInTheDatabase() async throws {
    world.effectPolicy.held = 3
    world.effectPolicy.concurrency = 2
    world.limits.stepEvents = 10
    let orders = (0..<60).map { "order-\($0)" }
    for order in orders { append(order) }
    provider.close()
    try await world.withRunner { _ in
      try await run { provider.waiting == 2 && world.committed() == 60 }
      provider.open()
      try await expectCharged(orders)
    }
    #expect(provider.mostUnderWay == 2)
    #expect(provider.calls == 60)
  }

  @Test mutating func waitingEffectsAreReadManyAtATime() async throws {
    world.effectPolicy.held = 20
    world.effectPolicy.concurrency = 1
    world.limits.tickInterval = .seconds(1_000_000)
    let orders = (0..<100).map { "order-\($0)" }
    for order in orders { append(order) }
    provider.close()
    let readings = Readings()
    world.store.setFaults { operation, _ in
      if operation == .dueEffects { readings.count.add(1, ordering: .relaxed) }
      return nil
    }
    try await world.withRunner { _ in
      try await run { provider.waiting == 1 && world.committed() == 100 }
      provider.open()
      try await expectCharged(orders)
    }
    // As the lane begins, and then half of the places each time.
    #expect(readings.count.load(ordering: .relaxed) <= 10)
  }
}

private final class Readings: Sendable {
  let count = Atomic(0)
}
