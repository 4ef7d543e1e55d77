public import Contracts
public import Fleet
import Synchronization

/// What becomes of a record that is published to an ``InMemoryBroker``.
public enum PublishOutcome: Sendable {
  case acknowledged
  /// It is not in the log, and the producer says so.
  case failed
  /// It is in the log, but the producer says that it failed: its acknowledgement was lost.
  case acknowledgementLost
  /// It is in the log twice.
  case doubled
}

/// An error of an ``InMemoryBroker``.
public struct InMemoryBrokerError: Error, Sendable, CustomStringConvertible {
  public let description: String

  public init(description: String) {
    self.description = description
  }
}

/// Topics with partitions, and consumer groups with the range assignor and the eager protocol, in
/// memory. It has no thread: everything happens within the calls of its members and producers.
///
/// A partition can only be shared by publishing to it; what a member may read, and when, follows
/// the protocol: a member that joins or leaves makes all others give everything up first, and only
/// when the last of them has done so the partitions are assigned anew.
public final class InMemoryBroker: Sendable {
  let state = Mutex(BrokerState())

  public init() {}

  /// Adds a topic, or replaces it.
  public func createTopic(_ name: String, partitions: Int) {
    state.withLock { state in
      state.topics[name] = Array(repeating: [], count: partitions)
      state.starts = state.starts.filter { $0.key.topic != name }
    }
  }

  /// The topics that `service` reads and those that it writes, with equal numbers of partitions.
  public func createTopics(of service: ServiceName, partitions: Int) {
    for topic in service.subscriptions + [service.topic] {
      createTopic(topic.rawValue, partitions: partitions)
    }
    createTopic(service.deadLetterTopic, partitions: partitions)
  }

  /// Writes a record from outside and returns its offset. The topic must exist.
  @discardableResult
  public func append(_ record: OutboundRecord) -> Int64 {
    state.withLock { $0.append(record) }
  }

  /// The log of a partition, with the records that were deleted.
  public func records(_ topic: String, _ number: Int32 = 0) -> [RawMessage] {
    state.withLock { state in
      guard let logs = state.topics[topic], logs.indices.contains(Int(number)) else { return [] }
      return logs[Int(number)]
    }
  }

  /// The committed offset of a group: that of the next record to read.
  public func committed(_ group: String, _ topic: String, _ number: Int32 = 0) -> Int64? {
    state.withLock { $0.groups[group]?.committed[Partition(topic: topic, number: number)] }
  }

  /// The commits of a group in the order in which they came.
  public func commits(_ group: String) -> [[Partition: Int64]] {
    state.withLock { $0.groups[group]?.commits ?? [] }
  }

  /// Whether all members of the group have what the assignor gave them.
  public func isStable(_ group: String) -> Bool {
    state.withLock { $0.groups[group]?.isStable ?? true }
  }

  /// What becomes of published records from now on, by the partition and by how many records were
  /// published before.
  public func setPublishOutcomes(
    _ plan: @escaping @Sendable (_ record: OutboundRecord, _ count: Int) -> PublishOutcome
  ) {
    state.withLock { state in
      state.publishPlan = plan
      state.publishCount = 0
    }
  }

  /// What a poll reads from now on: of which of the member's partitions how many records at most,
  /// in which order. A plan names each at most once, and none that it was not given.
  public func setFetches(
    _ plan: @escaping @Sendable (_ readable: [Partition]) -> [(partition: Partition, limit: Int)]
  ) {
    state.withLock { $0.fetchPlan = plan }
  }

  /// Deletes the records of a partition before `offset`, as retention does.
  public func deleteRecords(_ topic: String, _ number: Int32 = 0, before offset: Int64) {
    let partition = Partition(topic: topic, number: number)
    state.withLock { state in
      let log = state.log(of: partition)
      state.starts[partition] = min(max(offset, log.lowerBound), log.upperBound)
    }
  }

  /// Deletes the committed offsets of a group, as Kafka does with those of one that has had no
  /// members for long.
  public func expireOffsets(of group: String) {
    state.withLock { $0.groups[group]?.committed = [:] }
  }

  /// Takes the committed offsets of a group back to `offsets` where they are further, and ends the
  /// sessions of all its members: a coordinator that takes over has lost the latest commits.
  public func rewind(_ group: String, to offsets: [Partition: Int64]) {
    state.withLock { state in
      for (partition, offset) in offsets {
        guard let committed = state.groups[group]?.committed[partition] else { continue }
        state.groups[group]?.committed[partition] = min(offset, committed)
      }
      for (id, _) in state.groups[group]?.members ?? [] {
        state.leave(id, of: group, expelled: true)
      }
    }
  }

  /// The next `count` commits of the group fail.
  public func failCommits(of group: String, count: Int) {
    state.withLock { $0.groups[group, default: BrokerGroup()].failingCommits = count }
  }

  /// Ends a member's session, as if it had not been heard of for too long: the others get its
  /// partitions, and it learns of it when it polls.
  public func expel(_ consumer: InMemoryConsumer) {
    state.withLock { $0.leave(consumer.id, of: consumer.group, expelled: true) }
  }

  /// Ends a member for good, whatever it was at: its process is gone.
  public func remove(_ consumer: InMemoryConsumer) {
    state.withLock { $0.leave(consumer.id, of: consumer.group, expelled: false) }
  }
}

/// Publishes to an ``InMemoryBroker``.
public struct InMemoryProducer: EventProducer {
  private let broker: InMemoryBroker

  public init(_ broker: InMemoryBroker) {
    self.broker = broker
  }

  public func publish(_ records: [OutboundRecord]) async -> [(any Error)?] {
    broker.state.withLock { state in
      records.map { record in
        let outcome = state.publishPlan(record, state.publishCount)
        state.publishCount += 1
        guard state.topics[record.partition.topic] != nil else {
          return InMemoryBrokerError(description: "there is no topic \(record.partition.topic)")
        }
        if outcome != .failed { state.append(record) }
        if outcome == .doubled { state.append(record) }
        switch outcome {
        case .acknowledged, .doubled: return nil
        case .failed: return InMemoryBrokerError(description: "the record was not written")
        case .acknowledgementLost:
          return InMemoryBrokerError(description: "the acknowledgement was lost")
        }
      }
    }
  }
}
