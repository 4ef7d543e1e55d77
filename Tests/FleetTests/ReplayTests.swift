import Contracts
import FleetTesting
import Foundation
import Testing

@testable import Fleet

/// Dead letters that are put back, through whole runs.
@Suite(.timeLimit(.minutes(10))) struct ReplayTests {
  private let world: World

  /// Three tries in place and two while it is parked.
  init() {
    var world = World()
    world.limits.parking.standard.attempts = 2
    self.world = world
  }

  private func append(_ order: String, _ label: String, token: String = "ok") {
    world.broker.append(record(reservation(order, label, token: token)))
  }

  /// Waits of parked keys are long.
  private func wait(until condition: () async -> Bool) async throws {
    try await world.clock.run(inStepsOf: .milliseconds(500), until: condition)
  }

  /// Runs until `x` has stopped behind its first event, which succeeds at the attempt after
  /// `failures`; its second event waits.
  private func stop(after failures: Int) async throws -> DeadLetter {
    append("x", "1", token: "flaky-\(failures)")
    append("x", "2")
    try await wait { world.deadLetters().count == 1 && world.store.parkedEvents.count == 1 }
    return try #require(world.store.deadLetters.first)
  }

  private func state(_ letter: DeadLetter) -> DeadLetter.State? {
    world.store.deadLetters.first { $0.id == letter.id }?.state
  }

  private func expectNothingLeft() {
    #expect(world.store.parkedKeys.isEmpty && world.store.parkedEvents.isEmpty)
    #expect(world.store.allOutbox(lane: 0).isEmpty)
    // However often it was tried.
    #expect(world.deadLetters().count == 1 && world.store.deadLetters.count == 1)
  }

  /// Attempts are counted through.
  @Test func aReplayIsHandledBeforeWhatCameLater() async throws {
    try await world.withRunner { _ in
      let letter = try await stop(after: 5)
      let start = try await world.desk.replay(letter.id, at: world.clock.now)
      #expect(start == ReplayStart(order: OrderID(rawValue: "x"), lane: 0, waiting: 1))
      append("x", "3")
      try await wait { world.handled("x").count == 3 && world.store.parkedKeys.isEmpty }
      #expect(world.handled("x") == ["1", "2", "3"])
      #expect(state(letter) == .resolved)
      append("x", "4")
      try await world.run { world.handled("x").count == 4 && world.committed() == 4 }
    }
    expectNothingLeft()
  }

  @Test func aReplayThatFailsIsOpenAgainAndNoSecondRecord() async throws {
    try await world.withRunner { _ in
      let letter = try await stop(after: 8)
      for attempts in [5 + 2, 7 + 2] {
        #expect(state(letter) == .open)
        _ = try await world.desk.replay(letter.id, at: world.clock.now)
        await #expect(throws: Refusal.self) {
          try await world.desk.replay(letter.id, at: world.clock.now)
        }
        if attempts > 8 { break }
        try await wait { state(letter) == .open }
        let failed = try #require(world.store.deadLetters.first)
        #expect(failed.attempts == attempts && failed.reason == "provider-unavailable")
        #expect(failed.firstFailed == letter.firstFailed && failed.lastFailed > letter.lastFailed)
        #expect(world.store.parkedKeys.values.map(\.state) == [.dead])
        #expect(world.handled("x").isEmpty && world.store.parkedEvents.map(\.label) == ["x/2"])
      }
      try await wait { world.store.parkedKeys.isEmpty }
      #expect(world.handled("x") == ["1", "2"] && state(letter) == .resolved)
    }
    expectNothingLeft()
  }

  @Test func aReleasedOrderGoesOnAndItsLetterCanStillBeReplayed() async throws {
    try await world.withRunner { _ in
      let letter = try await stop(after: 5)
      _ = try await world.desk.release(OrderID(rawValue: "x"), at: world.clock.now)
      append("x", "3")
      try await wait { world.store.parkedKeys.isEmpty && world.handled("x").count == 2 }
      #expect(world.handled("x") == ["2", "3"] && state(letter) == .open)
      // No fence stands: the replay puts one up.
      _ = try await world.desk.replay(letter.id, at: world.clock.now)
      try await wait { state(letter) == .resolved }
      #expect(world.handled("x") == ["2", "3", "1"])
    }
    expectNothingLeft()
  }

  /// The replay has not made it worse.
  @Test func aReleasedOrderGoesOnWhenAReplayFails() async throws {
    try await world.withRunner { _ in
      let letter = try await stop(after: .max)
      _ = try await world.desk.release(OrderID(rawValue: "x"), at: world.clock.now)
      try await wait { world.store.parkedKeys.isEmpty }
      _ = try await world.desk.replay(letter.id, at: world.clock.now)
      append("x", "3")
      try await wait { state(letter) == .open && world.store.parkedKeys.isEmpty }
      append("x", "4")
      try await wait { world.handled("x") == ["2", "3", "4"] }
    }
    expectNothingLeft()
  }

  /// What waits behind one letter is not let through by the replay of another.
  @Test func anOrderStaysBehindTheLetterThatIsNotReplayed() async throws {
    try await world.withRunner { _ in
      let first = try await stop(after: 5)
      _ = try await world.desk.release(OrderID(rawValue: "x"), at: world.clock.now)
      try await wait { world.store.parkedKeys.isEmpty }
      append("x", "3", token: "flaky-5")
      append("x", "4")
      try await wait { world.deadLetters().count == 2 && world.store.parkedEvents.count == 1 }
      let second = try #require(world.store.deadLetters.last)
      _ = try await world.desk.replay(first.id, at: world.clock.now)
      try await wait { state(first) == .resolved }
      #expect(world.store.parkedKeys.values.map(\.state) == [.dead])
      #expect(world.store.parkedKeys.values.map(\.behind) == [second.id])
      _ = try await world.desk.replay(second.id, at: world.clock.now)
      try await wait { state(second) == .resolved && world.store.parkedKeys.isEmpty }
      #expect(world.handled("x") == ["2", "1", "3", "4"])
    }
  }

  @Test func anEditedMessageIsHandledOnceUnderANewId() async throws {
    var poison = record(reservation("x", "1"))
    let mended = poison.value ?? []
    poison.value = Array("{}".utf8)
    world.broker.append(poison)
    try await world.withRunner { _ in
      try await world.run { world.deadLetters().count == 1 }
      let letter = try #require(world.store.deadLetters.first)
      await #expect(throws: Refusal.self) {
        try await world.desk.replay(letter.id, lane: 0, at: world.clock.now)
      }
      let edited = try await world.desk.edit(
        letter, value: mended, headers: poison.headers, at: world.clock.now)
      // Whoever has seen it before that would edit what is not there any more.
      await #expect(throws: Refusal.self) {
        try await world.desk.edit(
          letter, value: mended, headers: poison.headers, at: world.clock.now)
      }
      _ = try await world.desk.replay(letter.id, lane: 0, at: world.clock.now)
      try await wait { state(letter) == .resolved }
      #expect(world.handled("x") == ["1"])
      let edit = try #require(edited.edit)
      #expect(world.store.inbox == [letter.id, edit.eventID])
      #expect(world.store.deadLetters.map(\.message.value) == [poison.value])
      // What follows from it names it as its cause.
      try await world.run { !world.captured().isEmpty }
      let emitted = try #require(world.broker.records(Topic.payments.rawValue).first)
      let event = try EventCodec.decode(
        key: emitted.key, value: emitted.value, headers: emitted.headers)
      #expect(event.causationID == edit.eventID)
    }
    expectNothingLeft()
  }

  /// From its first replay on it belongs to an order.
  @Test func anEditedMessageKeepsItsOrder() async throws {
    let down = record(reservation("x", "1", token: "down"))
    var poison = down
    poison.value = Array("{}".utf8)
    world.broker.append(poison)
    try await world.withRunner { _ in
      try await world.run { world.deadLetters().count == 1 }
      let letter = try #require(world.store.deadLetters.first)
      #expect(letter.order == nil)
      _ = try await world.desk.edit(
        letter, value: down.value ?? [], headers: down.headers, at: world.clock.now)
      _ = try await world.desk.replay(letter.id, lane: 0, at: world.clock.now)
      try await wait { state(letter) == .open }
      #expect(world.store.deadLetters.map(\.order) == [OrderID(rawValue: "x")])
      let reopened = try #require(world.store.deadLetters.first)
      let other = record(reservation("y", "1"))
      await #expect(throws: Refusal.self) {
        try await world.desk.edit(
          reopened, value: other.value ?? [], headers: other.headers, at: world.clock.now)
      }
    }
  }

  // MARK: - Crashes

  struct Fault: Sendable, CustomTestStringConvertible {
    let operation: StoreOperation
    let count: Int
    let fault: StoreFault
    var testDescription: String { "\(operation) \(count) \(fault)" }
  }

  static let faults: [Fault] =
    [
      .admit, .load, .save, .append, .dueKeys, .dueQueues, .unpark, .lift, .resolve, .record,
    ]
    .flatMap { (operation: StoreOperation) in
      (0..<2).map { Fault(operation: operation, count: $0, fault: .loseReply) }
    }
    // The first fence is the desk's.
    + (1..<4).map { Fault(operation: .fence, count: $0, fault: .loseReply) }
    + (0..<6).flatMap { count in
      [StoreFault.fail(.unavailable("away")), .loseReply, .commitLater].map {
        Fault(operation: .commit, count: count, fault: $0)
      }
    }

  /// Whatever fails on the way, the event is handled once, before the later one, and its letter is
  /// resolved; on the first replay it fails for the last time, so that it is also reopened once.
  @Test(arguments: faults) func everyCrashWindowIsSafe(_ fault: Fault) async throws {
    try await world.withRunner(world.runner(owner: "first")) { _ in
      let letter = try await stop(after: 8)
      world.store.setFaults(
        StoreFaults.at(fault.operation, fault.count..<fault.count + 1, fault.fault))
      _ = try await world.desk.replay(letter.id, at: world.clock.now)
      try await wait { state(letter) == .open }
    }
    let letter = try #require(world.store.deadLetters.first)
    #expect(letter.attempts == 7)
    world.store.setFaults(
      StoreFaults.at(fault.operation, fault.count..<fault.count + 1, fault.fault))
    _ = try await world.desk.replay(letter.id, at: world.clock.now)
    try await world.withRunner { runner in
      try await wait { world.store.parkedKeys.isEmpty && world.handled("x").count == 2 }
      append("x", "3")
      try await world.run {
        world.committed() == 3 && world.store.allOutbox(lane: 0).isEmpty
          && runner.runner.health.problems.isEmpty
      }
    }
    #expect(world.handled("x") == ["1", "2", "3"])
    #expect(state(letter) == .resolved)
    expectNothingLeft()
  }

  /// An operator who gets no answer asks again, and learns what has become of it.
  @Test(arguments: [StoreFault.fail(.unavailable("away")), .loseReply, .commitLater])
  func anUnansweredReplayIsThereOnceOrNotAtAll(_ fault: StoreFault) async throws {
    try await world.withRunner { _ in
      let letter = try await stop(after: 5)
      world.store.setFaults(StoreFaults.at(.change, 0..<1, fault))
      await #expect(throws: StoreError.self) {
        try await world.desk.replay(letter.id, at: world.clock.now)
      }
      if case .fail = fault {
        _ = try await world.desk.replay(letter.id, at: world.clock.now)
      } else {
        await #expect(throws: Refusal.self) {
          try await world.desk.replay(letter.id, at: world.clock.now)
        }
      }
      try await wait { world.store.parkedKeys.isEmpty && state(letter) == .resolved }
      #expect(world.handled("x") == ["1", "2"])
    }
    expectNothingLeft()
  }

  /// Many orders are replayed at once, while their lane works on others and changes its owner.
  @Test func replaysMayComeWhileTheLaneWorks() async throws {
    let orders = (0..<12).map { "order-\($0)" }
    for order in orders {
      append(order, "1", token: "flaky-5")
      append(order, "2")
    }
    try await world.withRunner(world.runner(owner: "first")) { _ in
      try await wait { world.deadLetters().count == 12 }
      await withTaskGroup { group in
        for letter in world.store.deadLetters {
          for _ in 0..<2 {
            group.addTask { _ = try? await world.desk.replay(letter.id, at: world.clock.now) }
          }
        }
        for order in orders {
          group.addTask { append(order, "3") }
        }
      }
      try await world.withRunner(world.runner(owner: "second")) { _ in
        try await wait { orders.allSatisfy { world.handled($0).count == 3 } }
      }
      try await wait { world.store.parkedKeys.isEmpty && world.committed() == 36 }
    }
    for order in orders { #expect(world.handled(order) == ["1", "2", "3"]) }
    #expect(world.store.deadLetters.allSatisfy { $0.state == .resolved })
    #expect(world.deadLetters().count == 12)
  }
}
