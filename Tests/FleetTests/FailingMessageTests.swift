import Contracts
import FleetTesting
import Foundation
import Testing

@testable import Fleet

/// What becomes of messages that cannot be handled, and of those beside them.
@Suite(.timeLimit(.minutes(10))) struct FailingMessageTests {
  private let world = World()

  @Test func poisonIsDeadLetteredOnceAndThePartitionFlowsOn() async throws {
    world.broker.append(record(reservation("a")))
    world.broker.append(unreadableRecord())
    world.broker.append(record(reservation("b")))
    try await world.withRunner { _ in try await world.run { world.committed() == 3 } }
    #expect(world.captured() == ["a", "b"])
    #expect(world.deadLetters().count == 1)
    let letter = try #require(world.deadLetters().first)
    #expect(letter.value == [0xff, 0x00])
    #expect(letter.headers.contains(EventHeader("dlq-offset", "1")))
    // Read again, as after a crash before the offsets were committed.
    let again = InMemoryConsumer(
      world.broker, group: "elsewhere", topics: [Topic.inventory.rawValue], clock: world.clock)
    await again.close(timeout: .zero)
    #expect(world.store.deadLetters.count == 1)
  }

  @Test func whatTheDatabaseRefusesIsIsolated() async throws {
    for order in ["a", "b", "refused-1", "c", "a"] {
      world.broker.append(record(reservation(order, order)))
    }
    try await world.withRunner { _ in try await world.run { world.committed() == 5 } }
    #expect(world.captured() == ["a", "b", "c", "a"])
    #expect(world.store.deadLetters.map(\.reason) == ["rejected-by-database"])
    #expect(
      world.deadLetters().map { String(decoding: $0.key ?? [], as: UTF8.self) } == ["refused-1"])
  }

  @Test func transientFailuresAreRetriedInPlace() async throws {
    for event in [
      reservation("slow", "1", token: "flaky-2"), reservation("fine", "1"),
      reservation("slow", "2"),
    ] { world.broker.append(record(event)) }
    try await world.withRunner { _ in try await world.run { world.committed() == 3 } }
    #expect(world.handled("slow") == ["1", "2"])
    #expect(world.captured() == ["fine", "slow", "slow"])
    #expect(world.store.parkedKeys.isEmpty && world.deadLetters().isEmpty)
  }

  @Test func deadlinesAreHandledOnTicks() async throws {
    world.broker.append(record(reservation("late", "1", total: 0)))
    try await world.withRunner { _ in
      try await world.run { world.captured().count == 2 }
      #expect(world.handled("late") == ["1", "deadline"])
      try await world.run { world.committed() == 1 }
    }
    #expect(
      world.broker.records(Topic.payments.rawValue).map { EventCodec.type(in: $0.headers) }
        == [.paymentCaptured, .paymentDeclined])
  }

  @Test func whatTheServiceDoesNotConsumeIsPassedOver() async throws {
    world.broker.append(
      record(
        Event(
          id: UUID(), source: "/test", time: Date(timeIntervalSince1970: 1),
          payload: .inventoryReleased(
            InventoryReleased(orderId: OrderID(rawValue: "a"), reason: .declined)))))
    try await world.withRunner { _ in try await world.run { world.committed() == 1 } }
    #expect(world.store.inbox.isEmpty)
  }
}
