import Fleet
import FleetTesting
import Synchronization

/// Publishes when it is let.
final class GatedProducer: EventProducer {
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

/// A consumer that does what another one does, except for the calls that it has itself.
protocol WrappingConsumer: EventConsumer {
  var consumer: InMemoryConsumer { get }
}

extension WrappingConsumer {
  func poll(maximum: Int, timeout: Duration) async throws -> [ConsumerEvent] {
    try await consumer.poll(maximum: maximum, timeout: timeout)
  }
  func partitionCounts() async throws -> [String: Int32] {
    try await consumer.partitionCounts()
  }
  func assign(_ partitions: [Partition]) async throws { try await consumer.assign(partitions) }
  func unassign() async throws { try await consumer.unassign() }
  func pause(_ partitions: [Partition]) async throws { try await consumer.pause(partitions) }
  func resume(_ partitions: [Partition]) async throws { try await consumer.resume(partitions) }
  func commitInBackground(_ offsets: [Partition: Int64]) async throws {
    try await consumer.commitInBackground(offsets)
  }
  func commit(_ offsets: [Partition: Int64]) async throws { try await consumer.commit(offsets) }
  func lag() async throws -> [Partition: Int64] { try await consumer.lag() }
  func standings(of partitions: [Partition]) async throws -> [Partition: LogStanding] {
    try await consumer.standings(of: partitions)
  }
  func ping() async throws { try await consumer.ping() }
  func close(timeout: Duration) async { await consumer.close(timeout: timeout) }
}

/// A consumer some of whose calls fail at first.
final class UnreliableConsumer: WrappingConsumer {
  let consumer: InMemoryConsumer
  private let failures: Atomic<Int>

  private let failing: Set<Call>

  enum Call { case assign, unassign, pause, resume }

  init(
    _ consumer: InMemoryConsumer, failing: Set<Call> = [.pause, .resume], failures: Int
  ) {
    self.consumer = consumer
    self.failing = failing
    self.failures = Atomic(failures)
  }

  /// The calls fail no more.
  func mend() { failures.store(0, ordering: .relaxed) }

  /// How often it has failed.
  func hasFailed(_ count: Int, of total: Int) -> Bool {
    total - failures.load(ordering: .relaxed) >= count
  }

  private func fail(_ call: Call) throws {
    guard failing.contains(call) else { return }
    let left = failures.subtract(1, ordering: .relaxed).newValue
    if left >= 0 { throw InMemoryBrokerError(description: "the client is busy") }
  }

  func assign(_ partitions: [Partition]) async throws {
    try fail(.assign)
    try await consumer.assign(partitions)
  }
  func unassign() async throws {
    try fail(.unassign)
    try await consumer.unassign()
  }
  func pause(_ partitions: [Partition]) async throws {
    try fail(.pause)
    try await consumer.pause(partitions)
  }
  func resume(_ partitions: [Partition]) async throws {
    try fail(.resume)
    try await consumer.resume(partitions)
  }
}

/// A producer that fails for good at the first record.
final class FatalProducer: EventProducer {
  private let error = Mutex<FatalClientError?>(nil)
  var fatalError: FatalClientError? { error.withLock { $0 } }

  func publish(_ records: [OutboundRecord]) async -> [(any Error)?] {
    let error = FatalClientError("the broker has lost the producer's sequence")
    self.error.withLock { $0 = error }
    return records.map { _ in error }
  }
}

/// A consumer that tells something when it is told to.
final class TellingConsumer: WrappingConsumer {
  let consumer: InMemoryConsumer
  private let events = Mutex<[ConsumerEvent]>([])

  init(_ consumer: InMemoryConsumer) { self.consumer = consumer }

  func tell(_ event: ConsumerEvent) { events.withLock { $0.append(event) } }

  func poll(maximum: Int, timeout: Duration) async throws -> [ConsumerEvent] {
    let told = events.withLock { events in
      defer { events = [] }
      return events
    }
    return try await told + consumer.poll(maximum: maximum, timeout: timeout)
  }
}
