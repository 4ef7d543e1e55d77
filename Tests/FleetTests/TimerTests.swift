import Contracts
import FleetTesting
import Foundation
import Testing

@testable import Fleet

/// What is to happen at a time: deadlines of orders, and the next attempts of parked ones. Both are
/// columns of rows that are there anyway, so they outlive whoever was to see to them.
@Suite(.timeLimit(.minutes(10))) struct TimerTests {
  private let world = World()

  private func append(_ order: String, total: Int = 1, token: String = "ok") {
    world.broker.append(record(reservation(order, "1", token: token, total: total)))
  }

  private func key(_ order: String) -> ParkedKey? {
    world.store.parkedKeys[OrderID(rawValue: order)]
  }

  private func wait(until condition: () async -> Bool) async throws {
    try await world.clock.run(inStepsOf: .seconds(5), until: condition)
  }

  /// The events that the deadlines of an order have emitted.
  private func firings(_ order: String) -> Int {
    world.store.outboxHistory.values.joined().count {
      $0.type == EventType.paymentDeclined.rawValue && $0.key == Array(order.utf8)
    }
  }

  @Test func aDeadlineOutlivesItsOwnersAndFiresOnce() async throws {
    append("late", total: 3_600)
    let due = world.clock.now + 3_600
    var owners = 0
    while world.clock.now < due {
      owners += 1
      try await world.withRunner(world.runner(owner: "owner \(owners)")) { runner in
        try await world.run { runner.runner.health.problems.isEmpty }
        if world.clock.now < due { #expect(firings("late") == 0) }
      }
      // Some are killed, and there is nobody for a while.
      world.clock.advance(by: .seconds(600))
    }
    try await world.withRunner { _ in
      try await world.run { firings("late") == 1 }
      try await wait { world.clock.now > due + 600 }
    }
    #expect(owners > 3)
    #expect(world.handled("late") == ["1", "deadline"])
    #expect(firings("late") == 1)
  }

  @Test func aDeadlineThatTwoOwnersSeeFiresOnce() async throws {
    append("late", total: 1_000)
    let zombie = world.runner(owner: "zombie")
    let task = Task { await zombie.runner.run() }
    try await world.run { world.committed() == 1 }
    world.broker.expel(zombie.consumer)
    try await world.withRunner(world.runner(owner: "successor")) { _ in
      try await world.run { world.store.epoch(of: 0) ?? 0 >= 2 }
      world.clock.advance(by: .seconds(1_000))
      try await world.run { firings("late") == 1 }
      try await zombie.stop(task, in: world)
      try await wait { world.clock.now.timeIntervalSince1970 > 1_800_002_000 }
    }
    #expect(firings("late") == 1)
    #expect(world.handled("late") == ["1", "deadline"])
  }

  /// Neither an event that comes again nor a lost answer makes it fire again.
  @Test func aRedeliveryDoesNotFireItAgain() async throws {
    let event = record(reservation("late", "1", total: 1_000))
    world.broker.append(event)
    try await world.withRunner { _ in
      try await world.run { world.committed() == 1 }
      world.store.setFaults(StoreFaults.at(.commit, 0..<2, .loseReply))
      world.clock.advance(by: .seconds(1_000))
      try await world.run { firings("late") >= 1 }
      world.broker.append(event)
      try await world.run { world.committed() == 2 }
      try await wait { world.clock.now.timeIntervalSince1970 > 1_800_003_000 }
    }
    #expect(firings("late") == 1)
    #expect(world.handled("late") == ["1", "deadline"])
  }

  @Test func aRetryOutlivesItsOwners() async throws {
    append("slow", token: "flaky-3")
    try await world.withRunner { _ in try await world.run { key("slow") != nil } }
    let due = try #require(key("slow")).nextAttempt
    world.clock.advance(by: .seconds(60))
    #expect(world.clock.now > due)
    try await world.withRunner(world.runner(owner: "second")) { _ in
      try await world.run { world.store.parkedKeys.isEmpty }
    }
    #expect(world.handled("slow") == ["1"])
  }

  /// The runner ticks, commits and watches by the time that has passed, whatever the time of day
  /// is. A clock that was set back by a day must not hold anything up for a day.
  @Test(arguments: [-86_400.0, 86_400]) func theRunnerWorksOnWhenTheTimeOfDayJumps(
    by seconds: Double
  ) async throws {
    var world = world
    world.limits.stuckAfter = .seconds(3_600)
    let firings = firings
    append("a", total: 0)
    try await world.withRunner { runner in
      try await world.run { world.committed() == 1 && firings("a") == 1 }
      let start = world.clock.uptime
      world.clock.set(world.clock.now + seconds)
      append("b", token: "ok")
      append("slow", token: "flaky-4")
      // A tick that finds the retry due, and commits.
      try await world.run { world.committed() == 3 && world.handled("b") == ["1"] }
      try await world.run { world.store.parkedKeys.isEmpty }
      #expect(world.clock.uptime - start < .seconds(3_600))
      #expect(runner.runner.health.problems.isEmpty)
    }
    #expect(world.handled("slow") == ["1"])
  }
}
