import Contracts
import FleetTesting
import Foundation
import Testing

@testable import Fleet

/// Orders whose events fail for longer than their lane can wait, through whole runs.
@Suite(.timeLimit(.minutes(10))) struct ParkingTests {
  private var world = World()

  private func append(_ order: String, _ labels: [String], token: String = "ok") {
    for label in labels { world.broker.append(record(reservation(order, label, token: token))) }
  }

  private func key(_ order: String) -> ParkedKey? {
    world.store.parkedKeys[OrderID(rawValue: order)]
  }

  /// Waits of parked keys are long.
  private func wait(until condition: () async -> Bool) async throws {
    try await world.clock.run(inStepsOf: .milliseconds(500), until: condition)
  }

  /// The payment ids that were published for an order, which tell the attempt that succeeded.
  private func references(_ order: String) throws -> [String] {
    try world.broker.records(Topic.payments.rawValue).compactMap { message in
      let event = try EventCodec.decode(
        key: message.key, value: message.value, headers: message.headers)
      guard case .paymentCaptured(let body) = event.payload, body.orderId.rawValue == order else {
        return nil
      }
      return body.paymentId
    }
  }

  @Test func aParkedOrderKeepsItsOrderAndTheOthersFlowOn() async throws {
    append("slow", ["1"], token: "flaky-6")
    append("fine", ["1"])
    append("slow", ["2"])
    try await world.withRunner { _ in
      try await world.run { world.committed() == 3 }
      #expect(world.handled("fine") == ["1"] && world.handled("slow").isEmpty)
      #expect(world.store.parkedEvents.map(\.label) == ["slow/1", "slow/2"])
      #expect(world.store.parkedEvents.map(\.failure?.attempts) == [3, nil])
      #expect(key("slow")?.state == .waiting)
      #expect(key("slow")?.reason == "provider-unavailable")
      append("slow", ["3"])
      append("fine", ["2"])
      try await world.run { world.handled("fine") == ["1", "2"] }
      #expect(world.handled("slow").isEmpty)

      try await wait { world.store.parkedKeys.isEmpty }
      #expect(world.handled("slow") == ["1", "2", "3"])
      append("slow", ["4"])
      try await world.run { world.handled("slow") == ["1", "2", "3", "4"] }
    }
    #expect(try references("slow") == ["ref-7", "ref-1", "ref-1", "ref-1"])
    #expect(world.store.parkedEvents.isEmpty && world.deadLetters().isEmpty)
  }

  @Test func afterTheLastAttemptTheLaterEventsStay() async throws {
    let start = world.clock.now
    append("down", ["1"], token: "down")
    append("down", ["2"])
    append("fine", ["1"])
    try await world.withRunner { _ in
      try await wait { world.deadLetters().count == 1 }
      #expect(key("down")?.state == .dead)
      #expect(key("down")?.attempts == 8)
      append("down", ["3"])
      append("fine", ["2"])
      try await world.run { world.committed() == 5 }
      #expect(world.store.parkedEvents.map(\.label) == ["down/2", "down/3"])
      #expect(world.handled("down").isEmpty && world.handled("fine") == ["1", "2"])

      // Somebody decides that the rest is to go on without the dead one.
      let release = try await world.desk.release(OrderID(rawValue: "down"), at: world.clock.now)
      #expect(release.waiting == 2)
      #expect(release.openLetter == world.store.deadLetters.first?.id)
      try await wait { world.store.parkedKeys.isEmpty }
      #expect(world.handled("down") == ["2", "3"])
    }
    let letter = try #require(world.store.deadLetters.first)
    #expect(world.store.deadLetters.count == 1)
    #expect(letter.attempts == world.limits.attempts + 8)
    #expect(letter.event?.label == "down/1")
    // 1 s … 15 min, each at least the half of it.
    #expect(letter.firstFailed.timeIntervalSince(start) < 60)
    #expect(letter.lastFailed.timeIntervalSince(letter.firstFailed) > 720)
    let headers = world.deadLetters()[0].headers
    #expect(headers.contains(EventHeader("dlq-attempts", "11")))
    #expect(headers.contains(EventHeader("dlq-first-failed", Timestamp.format(letter.firstFailed))))
  }

  @Test func attemptsAndTimesSurviveTheirOwners() async throws {
    append("down", ["1"], token: "down")
    var attempts: [Int] = []
    var firstFailed: Set<Date> = []
    while world.store.deadLetters.isEmpty {
      let before = key("down")
      try await world.withRunner(world.runner(owner: "owner \(attempts.count)")) { _ in
        try await wait { key("down") != before }
      }
      attempts.append(key("down")?.attempts ?? -1)
      if let first = key("down")?.firstFailed { firstFailed.insert(first) }
    }
    // Some owners see more than one attempt before they are stopped.
    #expect(zip(attempts, attempts.dropFirst()).allSatisfy { $0 < $1 })
    #expect(attempts.last == 8)
    #expect(firstFailed.count == 1)
    #expect(world.store.deadLetters.map(\.attempts) == [world.limits.attempts + 8])
  }

  /// One that is stopped, or that has no database, has not tried.
  @Test func anInterruptionCostsNoAttempt() async throws {
    append("down", ["1"], token: "down")
    try await world.withRunner { _ in try await world.run { key("down") != nil } }
    let before = try #require(key("down"))
    world.clock.advance(by: .seconds(3_600))
    world.store.setFaults { operation, _ in
      operation == .fence ? .fail(.unavailable("away")) : nil
    }
    try await world.withRunner { _ in
      try await world.run { world.store.count(of: .fence) > 3 }
    }
    #expect(key("down") == before)
    world.store.setFaults(StoreFaults.none)
    try await world.withRunner { _ in try await world.run { key("down") != before } }
    #expect(key("down")?.attempts == 1)
  }

  @Test func aParkedEventThatComesAgainDropsOut() async throws {
    let events = [reservation("slow", "1", token: "flaky-4"), reservation("slow", "2")]
    for event in events + events { world.broker.append(record(event)) }
    try await world.withRunner { _ in
      try await world.run { world.committed() == 4 }
      #expect(world.store.parkedEvents.map(\.label) == ["slow/1", "slow/2"])
      try await wait { world.store.parkedKeys.isEmpty }
      for event in events { world.broker.append(record(event)) }
      try await world.run { world.committed() == 6 }
    }
    #expect(world.handled("slow") == ["1", "2"])
    #expect(try references("slow") == ["ref-5", "ref-1"])
  }

  // MARK: - What the database refuses

  @Test func aRefusedEventKeepsTheLaterOnesOfItsOrder() async throws {
    append("refused-1", ["1", "2", "3"])
    append("fine", ["1"])
    try await world.withRunner { _ in
      try await world.run { world.committed() == 4 }
      #expect(key("refused-1")?.state == .dead)
      #expect(world.store.parkedEvents.map(\.label) == ["refused-1/2", "refused-1/3"])
      // Released, the next one is found to be refused, beside another order that is not.
      append("slow", ["1"], token: "flaky-3")
      try await world.run { key("slow") != nil }
      world.clock.advance(by: .seconds(60))
      _ = try await world.desk.release(OrderID(rawValue: "refused-1"), at: world.clock.now)
      try await wait { world.store.deadLetters.count == 2 && key("slow") == nil }
    }
    #expect(world.handled("slow") == ["1"] && world.handled("fine") == ["1"])
    #expect(key("refused-1")?.state == .dead)
    #expect(world.store.parkedEvents.map(\.label) == ["refused-1/3"])
    #expect(
      world.store.deadLetters.map(\.reason) == Array(repeating: DeadLetter.rejected, count: 2))
  }

  @Test func poisonParksNothing() async throws {
    var poison = record(reservation("a", "1"))
    poison.value = Array("{}".utf8)
    world.broker.append(poison)
    append("a", ["2"])
    try await world.withRunner { _ in try await world.run { world.committed() == 2 } }
    #expect(world.handled("a") == ["2"])
    #expect(world.store.parkedKeys.isEmpty && world.deadLetters().count == 1)
  }

  // MARK: - Crashes and rebalances

  struct Fault: Sendable, CustomTestStringConvertible {
    let operation: StoreOperation
    let counts: Range<Int>
    let fault: StoreFault
    var testDescription: String { "\(operation) \(counts) \(fault)" }
  }

  static let faults: [Fault] =
    [
      .admit, .load, .save, .append, .dueKeys, .dueQueues, .fence, .park, .unpark, .lift,
      .removeFromOutbox,
    ].flatMap { (operation: StoreOperation) in
      (0..<4).map { Fault(operation: operation, counts: $0..<$0 + 2, fault: .loseReply) }
    }
    + (0..<8).flatMap { count in
      [StoreFault.fail(.unavailable("away")), .loseReply, .commitLater].map {
        Fault(operation: .commit, counts: count..<count + 1, fault: $0)
      }
    }

  /// Whatever fails on the way, the order's events are handled once each and in order, no try is
  /// counted twice, and nothing is left behind.
  @Test(arguments: faults) func everyCrashWindowIsSafe(_ fault: Fault) async throws {
    world.store.setFaults(StoreFaults.at(fault.operation, fault.counts, fault.fault))
    append("slow", ["1"], token: "flaky-5")
    append("fine", ["1"])
    append("slow", ["2"])
    append("slow", ["3"], token: "flaky-1")
    try await world.withRunner { runner in
      try await wait { world.handled("slow").count == 3 && world.store.parkedKeys.isEmpty }
      try await world.run {
        world.committed() == 4 && world.store.allOutbox(lane: 0).isEmpty
          && runner.runner.health.problems.isEmpty
      }
    }
    #expect(world.handled("slow") == ["1", "2", "3"] && world.handled("fine") == ["1"])
    let references = try references("slow")
    // A publication may have been repeated.
    #expect(references.filter { $0 == "ref-6" }.count >= 1)
    #expect(Set(references) == ["ref-6", "ref-1", "ref-2"])
    #expect(world.store.parkedEvents.isEmpty && world.deadLetters().isEmpty)
  }

  @Test func membersMayComeAndGo() async throws {
    let orders = (0..<6).map { "order-\($0)" }
    for label in 0..<4 {
      for (index, order) in orders.enumerated() {
        append(order, ["\(label)"], token: label % 2 == 0 ? "flaky-\(index + 2)" : "ok")
      }
    }
    try await world.withRunner(world.runner(owner: "first")) { first in
      for round in 0..<8 {
        if round % 3 == 2 { world.broker.expel(first.consumer) }
        try await world.withRunner(world.runner(owner: "guest \(round)")) { _ in
          try await wait { world.broker.isStable("payments") }
          for order in orders { append(order, ["more \(round)"]) }
        }
      }
      try await wait {
        world.committed() == 72 && world.store.parkedKeys.isEmpty
      }
    }
    let expected = (0..<4).map { "\($0)" } + (0..<8).map { "more \($0)" }
    for order in orders { #expect(world.handled(order) == expected) }
    #expect(world.store.deadLetters.isEmpty)
  }
}
