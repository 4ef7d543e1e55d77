import Contracts
import FleetTesting
import Foundation
import Synchronization
import Testing

@testable import Fleet

/// The runner against slow lanes and failing clients.
@Suite(.timeLimit(.minutes(1))) struct RunnerTests {
  private func append(_ world: World, _ labels: Range<Int>, partition: Int32 = 0) {
    for label in labels {
      world.broker.append(record(reservation("p\(partition)", "\(label)"), partition: partition))
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
      #expect(world.handled("p\(partition)") == (0..<30).map { "\($0)" })
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
}

/// Publishes when it is let.
private final class GatedProducer: EventProducer {
  private struct State {
    var isOpen = false
    var isReached = false
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())
  private let producer: any EventProducer

  init(_ producer: any EventProducer) { self.producer = producer }

  /// Somebody waits to publish.
  var isReached: Bool { state.withLock { $0.isReached } }

  func open() {
    let waiting = state.withLock { state in
      state.isOpen = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }

  func publish(_ records: [OutboundRecord]) async -> [(any Error)?] {
    await withCheckedContinuation { continuation in
      let isOpen = state.withLock { state in
        state.isReached = true
        if !state.isOpen { state.waiting.append(continuation) }
        return state.isOpen
      }
      if isOpen { continuation.resume() }
    }
    return await producer.publish(records)
  }
}

/// A consumer whose pauses and resumes fail at first.
private final class UnreliableConsumer: EventConsumer {
  private let consumer: InMemoryConsumer
  private let failures: Atomic<Int>

  init(_ consumer: InMemoryConsumer, failures: Int) {
    self.consumer = consumer
    self.failures = Atomic(failures)
  }

  private func fail() throws {
    let left = failures.subtract(1, ordering: .relaxed).newValue
    if left >= 0 { throw InMemoryBrokerError(description: "the client is busy") }
  }

  func poll(maximum: Int, timeout: Duration) async throws -> [ConsumerEvent] {
    try await consumer.poll(maximum: maximum, timeout: timeout)
  }
  func assign(_ partitions: [Partition]) async throws { try await consumer.assign(partitions) }
  func unassign() async throws { try await consumer.unassign() }
  func pause(_ partitions: [Partition]) async throws {
    try fail()
    try await consumer.pause(partitions)
  }
  func resume(_ partitions: [Partition]) async throws {
    try fail()
    try await consumer.resume(partitions)
  }
  func commitInBackground(_ offsets: [Partition: Int64]) async throws {
    try await consumer.commitInBackground(offsets)
  }
  func commit(_ offsets: [Partition: Int64]) async throws { try await consumer.commit(offsets) }
  func lag() async throws -> [Partition: Int64] { try await consumer.lag() }
  func ping() async throws { try await consumer.ping() }

  func close(timeout: Duration) async { await consumer.close(timeout: timeout) }
}
