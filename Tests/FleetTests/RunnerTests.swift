import Contracts
import FleetTesting
import Foundation
import Synchronization
import Testing

@testable import Fleet

/// The runner against slow lanes and failing clients.
@Suite(.timeLimit(.minutes(10))) struct RunnerTests {
  private func append(_ world: World, _ labels: Range<Int>, partition: Int32 = 0) {
    for label in labels {
      world.broker.append(
        record(
          reservation(world.order("p\(partition)", in: partition), "\(label)"),
          partition: partition))
    }
  }

  private func runner(
    _ world: World, consumer: any EventConsumer, producer: (any EventProducer)? = nil
  ) -> ServiceRunner<SampleDecider, SampleStore, SamplePerformer> {
    ServiceRunner(
      service: .payments, decider: SampleDecider(), performer: SamplePerformer(),
      store: world.store, consumer: consumer, producer: producer ?? InMemoryProducer(world.broker),
      limits: world.limits, clock: world.clock, owner: "me", logger: quietLogger)
  }

  @Test func aFullQueuePausesAndResumes() async throws {
    var world = World()
    world.limits.queueBytes = 2_000
    world.limits.pollMessages = 5
    world.store.setFaults(StoreFaults.at(.admit, 0..<Int.max, .fail(.unavailable("away"))))
    append(world, 0..<50)
    try await world.withRunner { runner in
      try await world.run { !runner.consumer.paused.isEmpty }
      #expect(Set(runner.consumer.paused.map(\.number)) == [0])
      world.store.setFaults(StoreFaults.none)
      try await world.run { world.committed() == 50 }
      try await world.run { runner.consumer.paused.isEmpty }
    }
    #expect(world.handled("p0") == (0..<50).map { "\($0)" })
  }

  /// An error of the client must not drop records that the same poll has brought: the offsets
  /// behind them would be committed over them.
  @Test func aFailingPauseAndResumeLoseNoRecords() async throws {
    var world = World(partitions: 4)
    world.limits.queueBytes = 1_000
    world.limits.pollMessages = 40
    for partition in Int32(0)..<4 { append(world, 0..<30, partition: partition) }
    let consumer = UnreliableConsumer(
      InMemoryConsumer(world.broker, service: .payments, clock: world.clock), failures: 7)
    let runner = runner(world, consumer: consumer)
    let task = Task { await runner.run() }
    try await world.run { (0..<4).allSatisfy { world.committed($0) == 30 } }
    runner.stop()
    try await world.finish(task)
    for partition in 0..<4 {
      let order = world.order("p\(partition)", in: Int32(partition))
      #expect(world.handled(order) == (0..<30).map { "\($0)" })
    }
  }

  /// librdkafka keeps a partition paused over a rebalance.
  @Test func aPausedPartitionFlowsAgainAfterARebalance() async throws {
    var world = World()
    world.limits.queueBytes = 1_000
    world.limits.pollMessages = 5
    world.store.setFaults(StoreFaults.at(.admit, 0..<Int.max, .fail(.unavailable("away"))))
    append(world, 0..<20)
    try await world.withRunner { runner in
      try await world.run { !runner.consumer.paused.isEmpty }
      try await world.withRunner(world.runner(owner: "second")) { second in
        try await world.run { second.runner.health.problems.count < 2 }
      }
      world.store.setFaults(StoreFaults.none)
      try await world.run { world.committed() == 20 }
    }
    #expect(world.handled("p0") == (0..<20).map { "\($0)" })
  }

  @Test func aFailedBackgroundCommitIsMadeAgain() async throws {
    let world = World()
    world.broker.failCommits(of: "payments", count: 3)
    append(world, 0..<2)
    try await world.withRunner { _ in try await world.run { world.committed() == 2 } }
  }

  @Test func stoppingLetsTheRunningStepFinish() async throws {
    let world = World()
    let producer = GatedProducer(InMemoryProducer(world.broker))
    let runner = runner(
      world, consumer: InMemoryConsumer(world.broker, service: .payments, clock: world.clock),
      producer: producer)
    let task = Task { await runner.run() }
    append(world, 0..<1)
    try await world.run { producer.isReached }
    runner.stop()
    try await world.run { runner.health.lanes.isEmpty }
    #expect(world.committed() == nil)
    producer.open()
    try await world.finish(task)
    #expect(world.committed() == 1)
    #expect(world.store.allOutbox(lane: 0).isEmpty)
    #expect(world.broker.isStable("payments"))
  }

  @Test func cancellationStopsInTheSameWay() async throws {
    let world = World()
    let producer = GatedProducer(InMemoryProducer(world.broker))
    let runner = runner(
      world, consumer: InMemoryConsumer(world.broker, service: .payments, clock: world.clock),
      producer: producer)
    let task = Task { await runner.run() }
    append(world, 0..<1)
    try await world.run { producer.isReached }
    task.cancel()
    try await world.run { runner.health.lanes.isEmpty }
    producer.open()
    try await world.finish(task)
    #expect(world.committed() == 1)
  }

  @Test func aStuckLaneIsLeftBehindWithinTheBound() async throws {
    var world = World()
    world.limits.stopTimeout = .seconds(5)
    let producer = GatedProducer(InMemoryProducer(world.broker))
    let runner = runner(
      world, consumer: InMemoryConsumer(world.broker, service: .payments, clock: world.clock),
      producer: producer)
    let task = Task { await runner.run() }
    append(world, 0..<1)
    try await world.run { producer.isReached }
    runner.stop()
    try await world.finish(task)
    #expect(world.committed() == nil)
    producer.open()
    // The next owner finds everything as after a crash.
    try await world.withRunner { _ in try await world.run { world.committed() == 1 } }
    #expect(world.handled("p0") == ["0"])
  }

  /// A failed answer to a rebalance would leave the member in the group, with nothing to read.
  @Test func aFailedAssignmentIsMadeAgainAndTheServiceIsNotReadyMeanwhile() async throws {
    let world = World()
    append(world, 0..<2)
    let consumer = UnreliableConsumer(
      InMemoryConsumer(world.broker, service: .payments, clock: world.clock), failing: [.assign],
      failures: 1_000_000)
    let runner = runner(world, consumer: consumer)
    let task = Task { await runner.run() }
    // Long enough for several ticks, whose pings succeed.
    try await world.run { consumer.hasFailed(5, of: 1_000_000) }
    #expect(
      runner.health.problems == [
        "broker: can't take the partitions that the group has assigned: the client is busy",
        "group: no partitions assigned yet",
      ])
    consumer.mend()
    try await world.run { world.committed() == 2 && runner.health.problems.isEmpty }
    runner.stop()
    try await world.finish(task)
    #expect(world.handled("p0") == ["0", "1"])
  }

  @Test func aFailedUnassignmentIsMadeAgain() async throws {
    let world = World(partitions: 2)
    let consumer = UnreliableConsumer(
      InMemoryConsumer(world.broker, service: .payments, clock: world.clock), failing: [.unassign],
      failures: 4)
    let runner = runner(world, consumer: consumer)
    let task = Task { await runner.run() }
    try await world.run { runner.health.lanes == [0, 1] }
    // The second gets its part only when the first has given up its own.
    try await world.withRunner(world.runner(owner: "second")) { second in
      try await world.run { second.runner.health.lanes == [1] && runner.health.lanes == [0] }
    }
    runner.stop()
    try await world.finish(task)
  }

  @Test func aLaneThatWaitsForTheBrokersForeverIsReported() async throws {
    var world = World()
    world.limits.stuckAfter = .seconds(30)
    let producer = GatedProducer(InMemoryProducer(world.broker))
    let runner = runner(
      world, consumer: InMemoryConsumer(world.broker, service: .payments, clock: world.clock),
      producer: producer)
    let task = Task { await runner.run() }
    append(world, 0..<1)
    try await world.run {
      runner.health.problems.contains {
        $0.hasPrefix("progress: lane 0: publishing to payments.v1[0], since ")
      }
    }
    producer.open()
    try await world.run { world.committed() == 1 }
    try await world.run { runner.health.problems.isEmpty }
    runner.stop()
    try await world.finish(task)
  }
}
