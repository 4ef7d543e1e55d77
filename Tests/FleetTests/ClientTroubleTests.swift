import Contracts
import FleetTesting
import Foundation
import Testing

@testable import Fleet

/// What the clients say about themselves, and what becomes of it.
@Suite(.timeLimit(.minutes(10))) struct ClientTroubleTests {
  private let world = World()

  private func runner(
    _ consumer: any EventConsumer, producer: (any EventProducer)? = nil
  ) -> ServiceRunner<SampleDecider, SampleStore, SamplePerformer> {
    ServiceRunner(
      service: .payments, decider: SampleDecider(), performer: SamplePerformer(),
      store: world.store, consumer: consumer, producer: producer ?? InMemoryProducer(world.broker),
      limits: world.limits, clock: world.clock, owner: "me", logger: quietLogger)
  }

  private var consumer: InMemoryConsumer {
    InMemoryConsumer(world.broker, service: .payments, clock: world.clock)
  }

  @Test func aProducerThatHasFailedForGoodEndsTheService() async throws {
    world.broker.append(record(reservation("a")))
    let runner = runner(consumer, producer: FatalProducer())
    let task = Task { await runner.run() }
    try await world.finish(task)
    #expect(runner.failure?.description == "the broker has lost the producer's sequence")
    #expect(world.committed() == nil)
    // What it has left is the next process's.
    try await world.withRunner { _ in try await world.run { world.committed() == 1 } }
    #expect(world.captured() == ["a"])
  }

  @Test func aConsumerThatHasFailedForGoodEndsTheService() async throws {
    let consumer = TellingConsumer(consumer)
    let runner = runner(consumer)
    let task = Task { await runner.run() }
    try await world.run { runner.health.lanes == [0] }
    consumer.tell(.fatal(FatalClientError("fenced")))
    try await world.finish(task)
    #expect(runner.failure?.description == "fenced")
  }

  /// A broker that answers says nothing about a topic that may not be read.
  @Test func aTopicsTroubleEndsWithAMessageOfIt() async throws {
    let consumer = TellingConsumer(consumer)
    let runner = runner(consumer)
    let task = Task { await runner.run() }
    try await world.run { runner.health.problems.isEmpty }
    consumer.tell(.topicTrouble(topic: Topic.inventory.rawValue, "not authorised"))
    consumer.tell(.topicTrouble(topic: Topic.fulfilment.rawValue, "not authorised"))
    try await world.run { runner.health.problems.count == 2 }
    consumer.tell(.trouble("away"))
    try await world.run { runner.health.problems.count == 3 }
    // The ping of a tick is answered.
    try await world.run { runner.health.problems.count == 2 }
    world.broker.append(record(reservation("a")))
    try await world.run { world.committed() == 1 }
    #expect(runner.health.problems == ["topics: fulfilment.v1: not authorised"])
    runner.stop()
    try await world.finish(task)
  }

  @Test func failedCommitsAreToldUntilOneSucceeds() async throws {
    world.broker.failCommits(of: "payments", count: 1_000_000)
    world.broker.append(record(reservation("a")))
    try await world.withRunner { runner in
      try await world.run {
        runner.runner.health.problems == ["commits: the coordinator is not available"]
      }
      world.broker.failCommits(of: "payments", count: 0)
      try await world.run { world.committed() == 1 && runner.runner.health.problems.isEmpty }
    }
  }

  /// The server has crashed before the deletion was on its disk, and no call of the lane failed.
  @Test func rowsThatComeBackAreFoundWithoutAnyReason() async throws {
    world.broker.append(record(reservation("a")))
    try await world.withRunner { _ in
      try await world.run { world.committed() == 1 }
      let row = OutboxRecord(reservationRow: "b")
      world.store.bringBack(row, lane: 0)
      try await world.run { world.store.allOutbox(lane: 0).isEmpty }
    }
    #expect(world.captured() == ["a", "b"])
  }

  @Test func aHeadersValueWeighs() {
    let header = EventHeader("name", [UInt8](repeating: 0, count: 1_000))
    let message = RawMessage(
      partition: Partition(topic: "t", number: 0), offset: 0, key: [1], value: [2, 3],
      headers: [header])
    #expect(message.weight == 256 + 1 + 2 + 4 + 1_000)
  }
}

extension OutboxRecord {
  /// A row for the topic of payments.
  fileprivate init(reservationRow order: String) {
    self.init(
      sequence: 1, id: UUID(), topic: Topic.payments.rawValue, key: Array(order.utf8), value: [],
      type: EventType.paymentCaptured.rawValue, source: "/test",
      time: Date(timeIntervalSince1970: 0))
  }
}
