public import Contracts
public import Fleet
import Synchronization

/// A member of a consumer group of an ``InMemoryBroker``. It joins when it is made.
public final class InMemoryConsumer: EventConsumer {
  public let group: String
  let id: Int
  private let broker: InMemoryBroker
  private let clock: any FleetClock

  public init(
    _ broker: InMemoryBroker, group: String, topics: [String], clock: any FleetClock
  ) {
    self.broker = broker
    self.group = group
    self.clock = clock
    id = broker.state.withLock { $0.join(group, topics: topics) }
  }

  /// A member of the service's group, on the topics that the service reads.
  public convenience init(
    _ broker: InMemoryBroker, service: ServiceName, clock: any FleetClock
  ) {
    self.init(
      broker, group: service.rawValue, topics: service.subscriptions.map(\.rawValue), clock: clock)
  }

  public var paused: Set<Partition> {
    broker.state.withLock { $0.groups[group]?[id]?.paused ?? [] }
  }

  public func poll(maximum: Int, timeout: Duration) async throws -> [ConsumerEvent] {
    let events = next(maximum)
    if !events.isEmpty { return events }
    try await clock.sleep(for: timeout)
    return next(maximum)
  }

  private func next(_ maximum: Int) -> [ConsumerEvent] {
    broker.state.withLock { state in
      guard var member = state.groups[group]?[id] else { return [] }
      defer { state.groups[group]?[id] = member }
      if !member.events.isEmpty {
        defer { member.events = [] }
        return member.events
      }
      guard member.phase == .assigned else { return [] }
      let deleted = member.positions.keys
        .filter {
          member.positions[$0]! < state.log(of: $0).lowerBound && !member.outOfRange.contains($0)
        }
        .sorted { ($0.topic, $0.number) < ($1.topic, $1.number) }
      guard deleted.isEmpty else {
        member.outOfRange.formUnion(deleted)
        return deleted.map {
          .offsetOutOfRange($0, "offset \(member.positions[$0]!) is no longer in the log")
        }
      }
      var messages: [RawMessage] = []
      let readable = member.positions.keys
        .filter { !member.paused.contains($0) && !member.outOfRange.contains($0) }
        .sorted { ($0.topic, $0.number) < ($1.topic, $1.number) }
      let fetches = state.fetchPlan?(readable) ?? readable.map { ($0, maximum) }
      for (partition, limit) in fetches {
        let log = state.topics[partition.topic]![Int(partition.number)]
        let new = log.dropFirst(Int(member.positions[partition]!))
          .prefix(min(limit, maximum - messages.count))
        messages += new
        member.positions[partition]! += Int64(new.count)
      }
      return messages.isEmpty ? [] : [.messages(messages)]
    }
  }

  public func assign(_ partitions: [Partition]) async throws {
    let starts = broker.state.withLock { $0.starts }
    try change { group, member in
      guard member.phase == .assigned else {
        // The group has moved on: the revocation comes with the next poll.
        return
      }
      // A paused partition stays paused, as in librdkafka.
      member.positions = Dictionary(
        uniqueKeysWithValues: partitions.map {
          ($0, group.committed[$0] ?? starts[$0, default: 0])
        })
      member.outOfRange = []
    }
  }

  public func partitionCounts() async throws -> [String: Int32] {
    broker.state.withLock { state in
      let topics = state.groups[group]?[id]?.topics ?? []
      return Dictionary(
        uniqueKeysWithValues: topics.compactMap { topic in
          state.topics[topic].map { (topic, Int32($0.count)) }
        })
    }
  }

  public func unassign() async throws {
    broker.state.withLock { state in
      state.groups[group]?.unassigned(id)
      state.rebalance(group)
    }
  }

  public func pause(_ partitions: [Partition]) async throws {
    try change { _, member in member.paused.formUnion(partitions) }
  }

  public func resume(_ partitions: [Partition]) async throws {
    try change { _, member in member.paused.subtract(partitions) }
  }

  public func commitInBackground(_ offsets: [Partition: Int64]) async throws {
    do {
      try await commit(offsets)
      try change { _, member in member.events.append(.committed) }
    } catch {
      try change { _, member in member.events.append(.commitFailed("\(error)")) }
    }
  }

  public func commit(_ offsets: [Partition: Int64]) async throws {
    try broker.state.withLock { state in
      guard var group = state.groups[group], let member = group[id], member.phase != .expelled
      else {
        throw InMemoryBrokerError(description: "not a member of the group any more")
      }
      defer { state.groups[self.group] = group }
      if group.failingCommits > 0 {
        group.failingCommits -= 1
        throw InMemoryBrokerError(description: "the coordinator is not available")
      }
      group.commits.append(offsets)
      group.committed.merge(offsets) { _, new in new }
    }
  }

  public func lag() async throws -> [Partition: Int64] {
    broker.state.withLock { state in
      var lag: [Partition: Int64] = [:]
      for (partition, position) in state.groups[group]?[id]?.positions ?? [:] {
        lag[partition] = state.end(of: partition) - position
      }
      return lag
    }
  }

  public func standings(of partitions: [Partition]) async throws -> [Partition: LogStanding] {
    broker.state.withLock { state in
      Dictionary(
        uniqueKeysWithValues: partitions.map {
          let committed = state.groups[group]?.committed[$0]
          return ($0, LogStanding(log: state.log(of: $0), committed: committed))
        })
    }
  }

  /// A broker in memory is always there.
  public func ping() async throws {}

  public func close(timeout: Duration) async {
    broker.state.withLock { $0.leave(id, of: group, expelled: false) }
  }

  private func change(
    _ body: (BrokerGroup, inout BrokerGroup.Member) throws -> Void
  ) throws {
    try broker.state.withLock { state in
      guard let group = state.groups[group], var member = group[id] else {
        throw InMemoryBrokerError(description: "not a member of the group any more")
      }
      try body(group, &member)
      state.groups[self.group]?[id] = member
    }
  }
}
