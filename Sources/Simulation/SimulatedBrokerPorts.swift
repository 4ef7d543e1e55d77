import Fleet
import FleetTesting
import Synchronization
import Workload

/// A process's member of a consumer group.
final class SimulatedConsumer: EventConsumer {
  let inner: InMemoryConsumer
  let process: SimulatedProcess
  private let idlePolls = Atomic(0)

  init(_ inner: InMemoryConsumer, _ process: SimulatedProcess) {
    self.inner = inner
    self.process = process
  }

  private func note(_ verb: Trace.Verb, _ value: Int) {
    process.world.scheduler.note(process.number, inner.group, verb, value)
  }

  /// Waits longer than it is told to when there is nothing to tell for long: time costs steps.
  func poll(maximum: Int, timeout: Duration) async throws -> [ConsumerEvent] {
    try await process.enter(.broker, inner.group)
    let events = try await inner.poll(maximum: maximum, timeout: .zero)
    guard !events.isEmpty else {
      let idle = idlePolls.add(1, ordering: .relaxed).newValue
      try await process.wait(min(10_000 << min(idle, 7), 1_000_000))
      return []
    }
    idlePolls.store(0, ordering: .relaxed)
    var offsets: [Partition: Int64] = [:]
    var count = 0
    for case .messages(let messages) in events {
      count += messages.count
      for message in messages { offsets[message.partition] = message.offset + 1 }
    }
    note(.polled, count)
    if process.world.bug == .commitsEarly, !offsets.isEmpty { try? await inner.commit(offsets) }
    // A client that has handed records out does not take them back: nothing is lost here but by
    // the death of the process.
    do { try await process.leave(.broker, inner.group) } catch  where !process.isDead {}
    return events
  }

  func assign(_ partitions: [Partition]) async throws {
    try await local {
      note(.assigned, partitions.count)
      try await inner.assign(partitions)
    }
  }

  func unassign() async throws {
    try await local {
      note(.unassigned, 0)
      try await inner.unassign()
    }
  }

  func pause(_ partitions: [Partition]) async throws {
    try await local { try await inner.pause(partitions) }
  }

  func resume(_ partitions: [Partition]) async throws {
    try await local { try await inner.resume(partitions) }
  }

  func commitInBackground(_ offsets: [Partition: Int64]) async throws {
    try await process.enter(.broker, inner.group)
    note(.committed, offsets.count)
    try await inner.commitInBackground(kept(offsets))
    try await process.leave(.broker, inner.group)
  }

  func commit(_ offsets: [Partition: Int64]) async throws {
    try await process.enter(.broker, inner.group)
    note(.committed, offsets.count)
    try await inner.commit(kept(offsets))
    try await process.leave(.broker, inner.group)
  }

  private func kept(_ offsets: [Partition: Int64]) -> [Partition: Int64] {
    guard process.world.bug == .forgetsOffsets else { return offsets }
    return offsets.filter { $0.key.number > 0 }
  }

  func partitionCounts() async throws -> [String: Int32] {
    try await process.enter(.broker, inner.group)
    return try await inner.partitionCounts()
  }

  func lag() async throws -> [Partition: Int64] { try await inner.lag() }

  func standings(of partitions: [Partition]) async throws -> [Partition: LogStanding] {
    try await process.enter(.broker, inner.group)
    let standings = try await inner.standings(of: partitions)
    try await process.leave(.broker, inner.group)
    return standings
  }

  func ping() async throws { try await process.enter(.broker, inner.group) }

  func close(timeout: Duration) async {
    guard !process.isDead else { return }
    note(.closed, 0)
    await inner.close(timeout: timeout)
  }

  /// A call that the client answers by itself: it fails only with the process.
  private func local(_ body: () async throws -> Void) async throws {
    try? await process.wait(1)
    guard !process.isDead else {
      throw SimulatedProcess.Unreachable(description: "the process was killed")
    }
    try await body()
  }
}

/// A process's producer. It keeps what the port promises: what reaches the log does so in order,
/// and after the first record of a call that failed no later one is reported as written.
struct SimulatedProducer: EventProducer {
  let process: SimulatedProcess

  private var world: World { process.world }

  func publish(_ records: [OutboundRecord]) async -> [(any Error)?] {
    do {
      try await process.enter(.broker, "producer")
    } catch {
      // Handed to the client before the process died, and on the wire.
      if process.isDead, world.strikes(.latePublish) { writeLater(records) }
      return Array(repeating: error, count: records.count)
    }
    let isPartial = world.strikes(.partialPublish)
    let written = isPartial ? world.scheduler.draw { $0.below(records.count + 1) } : records.count
    let acknowledged = isPartial ? world.scheduler.draw { $0.below(written + 1) } : written
    world.scheduler.note(process.number, "producer", .publishes, written)
    write(records.prefix(written))
    let failure: any Error
    do {
      try await process.leave(.broker, "producer")
      guard acknowledged < records.count else {
        return Array(repeating: nil, count: records.count)
      }
      failure = SimulatedProcess.Unreachable(description: "not acknowledged")
    } catch {
      failure = error
    }
    if world.bug == .deletesUnacknowledged { return Array(repeating: nil, count: records.count) }
    let count = process.isDead || acknowledged == records.count ? 0 : acknowledged
    return records.indices.map { $0 < count ? nil : failure }
  }

  private func write(_ records: some Sequence<OutboundRecord>) {
    let records = Array(records)
    for record in world.bug == .reordersRecords ? records.reversed() : records {
      if world.bug == .dropsRecords, world.scheduler.draw({ $0.chance(0.02) }) { continue }
      world.broker.append(record)
      if world.strikes(.doubledRecord) { world.broker.append(record) }
    }
  }

  private func writeLater(_ records: [OutboundRecord]) {
    let delay = world.scheduler.draw { $0.below(5_000_000) }
    let world = world
    world.scheduler.after(delay) {
      for record in records { world.broker.append(record) }
      world.scheduler.note(-1, "producer", .published, records.count)
    }
  }
}
