import Contracts
import FleetTesting
import Foundation
import Testing

@testable import Fleet

/// Who works a lane when members come, go and are held up.
@Suite(.timeLimit(.minutes(10))) struct OwnershipTests {
  private func append(_ world: World, _ orders: [String], partition: Int32 = 0) {
    for order in orders {
      world.broker.append(
        record(reservation(world.order(order, in: partition)), partition: partition))
    }
  }

  /// A process that was held up sends its take-over long after the partition has gone to another.
  /// If the living owner took that as its end, nobody would work the lane any more.
  @Test func aLateTakeOverDoesNotEndTheLivingOwnersLane() async throws {
    let world = World()
    append(world, ["a"])
    try await world.withRunner { runner in
      try await world.run { world.committed() == 1 }
      _ = try await world.store.takeOver(lane: 0, owner: "held up")
      append(world, ["b", "c"])
      try await world.run { world.committed() == 3 }
      #expect(runner.runner.health.problems.isEmpty)
    }
    #expect(world.captured() == ["a", "b", "c"])
    #expect(world.store.epoch(of: 0) == 3)
  }

  /// A former owner that still holds messages commits no step, and no offset, once its successor
  /// has taken over.
  @Test func aFencedOwnerThatHasLostItsPartitionsStops() async throws {
    let world = World()
    let zombie = world.runner(owner: "zombie")
    let task = Task { await zombie.runner.run() }
    append(world, ["a"])
    try await world.run { world.committed() == 1 }
    world.broker.expel(zombie.consumer)
    try await world.withRunner(world.runner(owner: "successor")) { successor in
      append(world, ["b"])
      try await world.run { world.committed() == 2 && world.broker.isStable("payments") }
      try await zombie.stop(task, in: world)
      append(world, ["c"])
      try await world.run { world.committed() == 3 }
      #expect(successor.runner.health.lanes == [0])
    }
    #expect(world.captured() == ["a", "b", "c"])
  }

  @Test func aRevocationCommitsAndALossDoesNot() async throws {
    var world = World()
    // Nothing is committed in the background, only on revocation.
    world.limits.commitInterval = .seconds(1_000_000)
    append(world, ["a"])
    let first = world.runner(owner: "first")
    let task = Task { await first.runner.run() }
    try await world.run { world.captured() == ["a"] && world.store.allOutbox(lane: 0).isEmpty }
    #expect(world.committed() == nil)
    world.broker.expel(first.consumer)
    try await world.run { world.store.epoch(of: 0) == 2 }
    #expect(world.broker.commits("payments").isEmpty)
    // It has joined again and reads from the start; the inbox knows the event.
    append(world, ["b"])
    try await world.run {
      world.captured() == ["a", "b"] && world.store.allOutbox(lane: 0).isEmpty
    }
    try await world.withRunner(world.runner(owner: "second")) { _ in
      try await world.run { world.broker.isStable("payments") }
      #expect(world.committed() == 2)
    }
    try await first.stop(task, in: world)
    #expect(world.handled("a") == ["a"])
  }

  @Test func lanesMoveWhenMembersJoinAndLeave() async throws {
    let world = World(partitions: 3)
    try await world.withRunner { first in
      try await world.run { first.runner.health.lanes == [0, 1, 2] }
      try await world.withRunner(world.runner(owner: "second")) { second in
        try await world.run { second.runner.health.lanes == [2] }
        #expect(first.runner.health.lanes == [0, 1])
        for partition in Int32(0)..<3 { append(world, ["a", "b"], partition: partition) }
        try await world.run { (0..<3).allSatisfy { world.committed($0) == 2 } }
      }
      try await world.run { first.runner.health.lanes == [0, 1, 2] }
      append(world, ["c"], partition: 2)
      try await world.run { world.committed(2) == 3 }
      try await world.run { first.runner.health.problems.isEmpty }
    }
    #expect(world.captured(2) == ["a", "b", "c"].map { world.order($0, in: 2) })
  }

  @Test func aMemberWithoutPartitionsIsReady() async throws {
    let world = World(partitions: 1)
    try await world.withRunner { first in
      try await world.run { first.runner.health.lanes == [0] }
      try await world.withRunner(world.runner(owner: "second")) { second in
        try await world.run { second.runner.health.problems.isEmpty }
        #expect(second.runner.health.lanes.isEmpty)
      }
    }
  }

  @Test func unequalPartitionCountsAreRefused() async throws {
    let world = World(partitions: 2)
    world.broker.createTopic(Topic.fulfilment.rawValue, partitions: 3)
    append(world, ["a"])
    try await world.withRunner { runner in
      try await world.run { runner.runner.health.problems.contains { $0.hasPrefix("topics") } }
      #expect(
        runner.runner.health.problems.first
          == "topics: the topics inventory.v1 (2), fulfilment.v1 (3) have "
          + "different numbers of partitions; run 'orderly topics verify'")
    }
    #expect(world.store.epoch(of: 0) == nil)
  }

  /// With other partitions the events of an order would be in two lanes. Nothing is read until the
  /// topics are as they were.
  @Test func anotherNumberOfPartitionsThanAtFirstIsRefused() async throws {
    let world = World(partitions: 2)
    try await world.store.confirmPartitions(6)
    append(world, ["a"])
    try await world.withRunner { runner in
      try await world.run {
        runner.runner.health.problems.contains { $0.contains("2 partitions") && $0.contains("6") }
      }
    }
    #expect(world.store.epoch(of: 0) == nil)
    #expect(world.committed() == nil)
  }
}
