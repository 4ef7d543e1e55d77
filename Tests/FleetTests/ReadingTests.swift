import Contracts
import FleetTesting
import Foundation
import Testing

@testable import Fleet

/// What the inbox forgets, and what becomes of a group that has lost its offsets.
@Suite(.timeLimit(.minutes(10))) struct ReadingTests {
  private var world = World()
  private let topic = Topic.inventory.rawValue

  init() {
    world.limits.markInterval = .seconds(5)
    world.limits.forgetGrace = .zero
  }

  private func append(_ order: String) -> UUID {
    let event = reservation(order)
    world.broker.append(record(event))
    return event.id
  }

  /// Lets some marks be made.
  private func marks(_ count: Int = 3) async throws {
    let before = world.store.count(of: .mark)
    try await world.run { world.store.count(of: .mark) >= before + count }
  }

  @Test func theInboxForgetsWhatTheLogHasLost() async throws {
    let ids = ["a", "b", "c"].map { append($0) }
    try await world.withRunner { runner in
      try await world.run { world.committed() == 3 }
      try await marks()
      #expect(world.store.inbox == Set(ids))
      world.broker.deleteRecords(topic, before: 2)
      try await marks()
      // Which records had been handled at a mark is known for all of them together.
      #expect(world.store.inbox == Set(ids))
      let last = append("d")
      try await world.run { world.committed() == 4 }
      world.broker.deleteRecords(topic, before: 3)
      try await world.run { world.store.inbox == [last] }
      #expect(runner.runner.health.problems.isEmpty)
    }
    // Everything that is left is read again, and nothing is handled again.
    world.broker.rewind("payments", to: [Partition(topic: topic, number: 0): 3])
    try await world.withRunner { _ in try await world.run { world.committed() == 4 } }
    #expect(world.captured() == ["a", "b", "c", "d"])
  }

  @Test func manyIdsAreForgottenAFewAtATime() async throws {
    var world = world
    world.limits.forgetRows = 3
    for index in 0..<20 { _ = append("order-\(index)") }
    try await world.withRunner { _ in
      try await world.run { world.committed() == 20 }
      world.broker.deleteRecords(topic, before: 20)
      try await world.run { world.store.inbox.count <= 11 }
      #expect(world.store.inbox.count >= 2)
    }
    // The next owner goes on with it.
    try await world.withRunner { _ in try await world.run { world.store.inbox.isEmpty } }
  }

  /// What fails of it is no reason not to work.
  @Test func aFailingMarkHoldsNothingUp() async throws {
    world.store.setFaults { operation, count in
      switch operation {
      case .mark where count < 3: .fail(.rejected("no"))
      case .forget where count < 2: .fail(.unavailable("away"))
      default: nil
      }
    }
    _ = append("a")
    try await world.withRunner { runner in
      try await world.run { world.committed() == 1 }
      world.broker.deleteRecords(topic, before: 1)
      try await world.run { world.store.count(of: .mark) == 2 }
      #expect(runner.runner.health.problems.isEmpty)
      #expect(world.store.inbox.count == 1)
      try await world.run { world.store.inbox.isEmpty }
    }
  }

  // MARK: - Offsets that are lost

  /// As after a long stop: Kafka has forgotten the offsets, but the log still has all that was not
  /// handled.
  @Test func expiredOffsetsAreHarmlessWhileTheLogIsWhole() async throws {
    for order in ["a", "b"] { _ = append(order) }
    try await world.withRunner { _ in
      try await world.run { world.committed() == 2 }
      try await marks()
    }
    world.broker.expireOffsets(of: "payments")
    // What is gone was handled.
    world.broker.deleteRecords(topic, before: 2)
    _ = append("c")
    try await world.withRunner { runner in
      try await world.run { world.committed() == 3 }
      #expect(runner.runner.health.problems.isEmpty)
    }
    #expect(world.captured() == ["a", "b", "c"])
  }

  @Test func expiredOffsetsAreNoticedWhereRecordsWereDeleted() async throws {
    for order in ["a", "b"] { _ = append(order) }
    try await world.withRunner { _ in
      try await world.run { world.committed() == 2 }
      try await marks()
    }
    for order in ["c", "d"] { _ = append(order) }
    world.broker.expireOffsets(of: "payments")
    world.broker.deleteRecords(topic, before: 3)
    let problem =
      "topics: lane 0: inventory.v1[0] has no committed offset any more, and records were deleted "
      + "that may not have been handled: it had come to offset 2, the oldest one left is 3. Stop "
      + "the service's workers and decide where it is to go on, with 'orderly group seek payments "
      + "--partition 0 --to …'"
    try await world.withRunner { runner in
      try await world.run { runner.runner.health.problems == [problem] }
      world.clock.advance(by: .seconds(60))
      try await world.run { runner.runner.health.problems == [problem] }
    }
    #expect(world.captured() == ["a", "b"] && world.committed() == nil)
    // Somebody decides.
    let consumer = InMemoryConsumer(world.broker, service: .payments, clock: world.clock)
    try await consumer.commit([Partition(topic: topic, number: 0): 3])
    await consumer.close(timeout: .seconds(1))
    try await world.withRunner { runner in
      try await world.run { world.committed() == 4 && runner.runner.health.problems.isEmpty }
    }
    #expect(world.captured() == ["a", "b", "d"])
  }

  /// A group that has never committed because nothing has come yet has lost nothing.
  @Test func aFirstStartOnAnOldLogIsNoLoss() async throws {
    for order in ["a", "b", "c"] { _ = append(order) }
    world.broker.deleteRecords(topic, before: 1)
    try await world.withRunner { _ in try await world.run { world.committed() == 3 } }
    #expect(world.captured() == ["b", "c"])
  }

  /// A topic that was made anew, with the offsets of the group deleted.
  @Test func anotherLogIsNotTakenForTheOldOne() async throws {
    for order in ["a", "b"] { _ = append(order) }
    try await world.withRunner { _ in
      try await world.run { world.committed() == 2 }
      try await marks()
    }
    world.broker.createTopic(topic, partitions: 1)
    world.broker.expireOffsets(of: "payments")
    try await world.withRunner { runner in
      try await world.run {
        runner.runner.health.problems.contains {
          $0.contains("is not the log that was read before: it had come to offset 2, the log ends")
        }
      }
    }
  }

  @Test func aCommittedOffsetThatTheLogHasLostIsNoticed() async throws {
    for order in ["a", "b", "c"] { _ = append(order) }
    let first = InMemoryConsumer(world.broker, service: .payments, clock: world.clock)
    try await first.commit([Partition(topic: topic, number: 0): 1])
    await first.close(timeout: .seconds(1))
    world.broker.deleteRecords(topic, before: 2)
    try await world.withRunner { runner in
      try await world.run {
        runner.runner.health.problems
          == ["topics: inventory.v1[0]: offset 1 is no longer in the log"]
      }
    }
    #expect(world.captured().isEmpty && world.committed() == 1)
  }
}
