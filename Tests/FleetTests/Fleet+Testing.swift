import Contracts
import FleetTesting
import Foundation
import Synchronization
import Telemetry

@testable import Fleet

/// The world of one sample service: broker, database and clock.
struct World: Sendable {
  let broker = InMemoryBroker()
  let store = SampleStore(SampleTables())
  let clock = ManualClock()
  var limits = FleetLimits()
  /// Performs the effects outside of the steps; nil: within them.
  var provider: SampleProvider?
  var effectPolicy = EffectPolicy()
  private let partitions: Int

  init(partitions: Int = 1) {
    self.partitions = partitions
    // The clock runs ahead of the tasks that work, so only a test about a bound sets it.
    limits.stopTimeout = .seconds(1_000_000)
    limits.stuckAfter = .seconds(1_000_000)
    effectPolicy.deadline = .seconds(1_000_000)
    broker.createTopics(of: .payments, partitions: partitions)
  }

  func runner(owner: String = "me") -> SampleRunner {
    let consumer = InMemoryConsumer(broker, service: .payments, clock: clock)
    return SampleRunner(
      consumer: consumer,
      runner: ServiceRunner(
        service: .payments, decider: SampleDecider(), performer: SamplePerformer(),
        provider: provider, effectPolicy: effectPolicy, store: store, consumer: consumer,
        producer: InMemoryProducer(broker), limits: limits, clock: clock,
        owner: owner, logger: quietLogger))
  }

  var desk: DeadLetterDesk<SampleStore> { DeadLetterDesk(service: .payments, store: store) }

  /// Moves the clock until the condition holds.
  func run(until condition: () async -> Bool) async throws {
    try await clock.run(until: condition)
  }

  /// Runs the body beside a runner, and stops that one.
  func withRunner<R>(
    _ runner: SampleRunner? = nil, _ body: (SampleRunner) async throws -> R
  ) async throws -> R {
    let runner = runner ?? self.runner()
    let task = Task { await runner.runner.run() }
    let result: Result<R, any Error>
    do { result = .success(try await body(runner)) } catch { result = .failure(error) }
    try await runner.stop(task, in: self)
    return try result.get()
  }

  /// Waits until the task has ended, moving the clock.
  func finish(_ task: Task<Void, Never>) async throws {
    let hasEnded = Flag()
    Task {
      await task.value
      hasEnded.set()
    }
    try await run { hasEnded.isSet }
  }

  func committed(_ number: Int32 = 0) -> Int64? {
    broker.committed("payments", Topic.inventory.rawValue, number)
  }

  /// The orders of the published captures, in the order of the log.
  func captured(_ number: Int32 = 0) -> [String] {
    broker.records(Topic.payments.rawValue, number).map {
      String(decoding: $0.key ?? [], as: UTF8.self)
    }
  }

  func deadLetters(_ number: Int32 = 0) -> [RawMessage] {
    broker.records(ServiceName.payments.deadLetterTopic, number)
  }

  /// An id like `name` whose events belong in the partition.
  func order(_ name: String, in partition: Int32) -> String {
    var candidate = name
    var count = 0
    while KeyHash.partition(of: Array(candidate.utf8), count: Int32(partitions)) != partition {
      count += 1
      candidate = "\(name)-\(count)"
    }
    return candidate
  }

  func handled(_ order: String) -> [String] {
    store.tables.rows[OrderID(rawValue: order)]?.handled ?? []
  }
}

struct SampleRunner: Sendable {
  let consumer: InMemoryConsumer
  let runner: ServiceRunner<SampleDecider, SampleStore, SamplePerformer>

  /// Stops it and waits until it has ended.
  func stop(_ task: Task<Void, Never>, in world: World) async throws {
    runner.stop()
    try await world.finish(task)
  }
}

private final class Flag: Sendable {
  private let value = Atomic(false)
  var isSet: Bool { value.load(ordering: .acquiring) }
  func set() { value.store(true, ordering: .releasing) }
}

/// The tests provoke what is logged; it would only hide what fails.
let quietLogger: Logger = {
  var logger = Logger(label: "test")
  logger.logLevel = .critical
  return logger
}()
