import Contracts
import FleetTesting
import Foundation
import Testing

@testable import Fleet

/// What is left when something fails between two of a lane's actions, and who finishes it.
@Suite(.timeLimit(.minutes(10))) struct CrashWindowTests {
  private let world = World()

  private func append(_ orders: String...) {
    for order in orders { world.broker.append(record(reservation(order))) }
  }

  /// Everything is handled once, published, deleted and committed.
  private func expectAllDone(_ orders: [String]) async throws {
    try await world.run {
      world.committed() == Int64(orders.count) && world.store.allOutbox(lane: 0).isEmpty
    }
    for order in Set(orders) {
      #expect(world.handled(order).count == orders.count { $0 == order })
    }
  }

  @Test func handlesPublishesDeletesAndCommits() async throws {
    append("a", "b", "c")
    try await world.withRunner { runner in
      try await expectAllDone(["a", "b", "c"])
      #expect(world.captured() == ["a", "b", "c"])
      #expect(runner.runner.health.problems.isEmpty)
      #expect(runner.runner.health.lanes == [0])
    }
    let published = world.broker.records(Topic.payments.rawValue)[0]
    let event = try EventCodec.decode(
      key: published.key, value: published.value, headers: published.headers)
    #expect(event.type == .paymentCaptured)
    #expect(event.source == "/orderly/payments")
  }

  @Test func aSuccessorPublishesWhatItsPredecessorLeftFirst() async throws {
    world.broker.setPublishOutcomes { _, _ in .failed }
    append("a", "b")
    let first = world.runner(owner: "first")
    try await world.withRunner(first) { _ in
      try await world.run { world.store.allOutbox(lane: 0).count == 2 }
    }
    // Its step is committed, nothing is published, so nothing may be committed at the broker.
    #expect(world.captured().isEmpty)
    #expect(world.committed() == nil)
    world.broker.setPublishOutcomes { _, _ in .acknowledged }
    append("c")
    try await world.withRunner { _ in try await expectAllDone(["a", "b", "c"]) }
    #expect(world.captured() == ["a", "b", "c"])
    #expect(world.store.epoch(of: 0) == 2)
  }

  @Test func aCommitWhoseAnswerIsLostIsPublishedOnce() async throws {
    world.store.setFaults(StoreFaults.at(.commit, 0..<1, .loseReply))
    append("a", "b")
    try await world.withRunner { _ in
      try await expectAllDone(["a", "b"])
      append("c")
      try await expectAllDone(["a", "b", "c"])
    }
    #expect(world.captured() == ["a", "b", "c"])
    #expect(world.deadLetters().isEmpty)
  }

  /// The connection is lost after COMMIT was sent, and the server works on it only after the lane
  /// has looked into the outbox. The lane has to wait for it: otherwise its rows stay unpublished
  /// until the next owner comes, and the next step takes their places in the order.
  @Test func aStepThatIsCommittedAfterItsConnectionIsPublished() async throws {
    world.store.setFaults(StoreFaults.at(.commit, 0..<1, .commitLater))
    append("a", "b")
    try await world.withRunner { _ in
      try await expectAllDone(["a", "b"])
      append("c")
      try await expectAllDone(["a", "b", "c"])
      #expect(world.captured() == ["a", "b", "c"])
    }
    #expect(world.deadLetters().isEmpty)
  }

  @Test(arguments: [
    StoreOperation.takeOver, .outbox, .removeFromOutbox, .admit, .load, .save, .append,
  ])
  func anUnavailableDatabaseIsWaitedFor(operation: StoreOperation) async throws {
    world.store.setFaults(
      StoreFaults.at(operation, 0..<3, .fail(.unavailable("the server is away"))))
    append("a", "b")
    try await world.withRunner { runner in
      try await expectAllDone(["a", "b"])
      #expect(runner.runner.health.problems.isEmpty)
    }
    #expect(world.captured() == ["a", "b"])
  }

  @Test(arguments: [StoreOperation.takeOver, .outbox, .removeFromOutbox])
  func aLostAnswerIsAskedForAgain(operation: StoreOperation) async throws {
    world.store.setFaults(StoreFaults.at(operation, 0..<2, .loseReply))
    append("a", "b")
    try await world.withRunner { _ in try await expectAllDone(["a", "b"]) }
    #expect(world.captured() == ["a", "b"])
  }

  @Test func conflictsAndMissingMigrationsBlameNoEvent() async throws {
    world.store.setFaults { operation, count in
      guard operation == .save, count < 20 else { return nil }
      return .fail(count % 2 == 0 ? .conflict("deadlock") : .misconfigured("no table"))
    }
    append("a", "b")
    try await world.withRunner { _ in try await expectAllDone(["a", "b"]) }
    #expect(world.deadLetters().isEmpty)
  }

  @Test func aFailureInTheMidstOfABatchRepublishesFromThereInOrder() async throws {
    // b fails once, c is written: c stands before b unless everything from b on is sent again.
    world.broker.setPublishOutcomes { _, count in count == 1 ? .failed : .acknowledged }
    append("a", "b", "c")
    try await world.withRunner { _ in try await expectAllDone(["a", "b", "c"]) }
    #expect(world.captured() == ["a", "c", "b", "c"])
  }

  @Test func aLostAcknowledgementIsPublishedTwiceAndHandledOnce() async throws {
    world.broker.setPublishOutcomes { _, count in
      count == 0 ? .acknowledgementLost : count == 2 ? .doubled : .acknowledged
    }
    append("a", "b")
    try await world.withRunner { _ in try await expectAllDone(["a", "b"]) }
    #expect(Set(world.captured()) == ["a", "b"])
    #expect(world.captured().first == "a")
  }

  @Test func redeliveredRecordsChangeNothing() async throws {
    let event = record(reservation("a"))
    for _ in 0..<3 { world.broker.append(event) }
    try await world.withRunner { _ in try await world.run { world.committed() == 3 } }
    #expect(world.handled("a") == ["a"])
    #expect(world.captured() == ["a"])
  }

  @Test func offsetsFollowOnlyAfterTheDeletion() async throws {
    world.store.setFaults(
      StoreFaults.at(.removeFromOutbox, 0..<Int.max, .fail(.unavailable("away"))))
    append("a")
    try await world.withRunner { _ in
      try await world.run { world.store.count(of: .removeFromOutbox) > 3 }
      #expect(world.committed() == nil)
      #expect(world.captured() == ["a"])
      world.store.setFaults(StoreFaults.none)
      try await expectAllDone(["a"])
    }
  }
}
