import Contracts
import Foundation
import Kafka

/// All that the promises are judged by: what the databases and the topics hold.
///
/// The system runs on while it is looked at, so the facts are gathered in an order that makes them
/// comparable: first the committed offsets and the ends of the topics, then each database as of one
/// moment (orders before the others), then the ends again, and at last the records up to there.
/// Whatever a record below a committed offset has caused is therefore in the databases, and so is
/// the cause of a record below the first ends; whatever the databases say was sent is in their
/// outboxes or on the topics. Where a promise is about more than that, an order that has ended is
/// judged and one that has not is counted as in flight.
struct AuditFacts: Sendable {
  var positions: AuditPositions
  var databases: DatabaseFacts
  var topics: TopicFacts
  /// How many workers that live work for each service; nil where that could not be found out.
  var workers: [ServiceName: Int]?
  /// For each lane of a service the time before which its inbox may have forgotten what it took in,
  /// where there is any; as of the end.
  var horizons: [ServiceName: [Int32: Date]] = [:]

  /// Whether nothing was under way: every group has read everything, all outboxes are empty, and
  /// were while the databases were read, and no parked order and no call is to be tried again.
  var isSettled: Bool {
    databases.outbox.isEmpty && positions.lag == 0 && !positions.haveGrown
      && databases.waitingKeys == 0 && !databases.calls.contains { !$0.isDead }
  }
}

/// Where the groups and the topics are.
struct AuditPositions: Sendable {
  /// What each group had committed before the databases were read.
  var committed: [ServiceName: [TopicPartition: Int64]] = [:]
  /// The records that there were before the databases were read.
  var before: [TopicPartition: Range<Int64>] = [:]
  /// The records that there were after it.
  var after: [TopicPartition: Range<Int64>] = [:]
  /// What each group had committed when all records had been read.
  var committedLast: [ServiceName: [TopicPartition: Int64]] = [:]

  /// Records that groups have not committed, of those that were there before.
  var lag: Int64 { ServiceName.allCases.reduce(0) { $0 + lag(of: $1) } }

  /// Whether records have come while the databases were read.
  var haveGrown: Bool {
    after.contains { $0.value.upperBound != before[$0.key]?.upperBound }
  }

  func lag(of service: ServiceName) -> Int64 {
    unread(by: service).reduce(0) { $0 + Int64($1.offsets.count) }
  }

  /// The records of each partition that the service has not committed, where there are any.
  func unread(
    by service: ServiceName
  ) -> [(partition: TopicPartition, offsets: Range<Int64>)] {
    subscribed(by: service).sorted().compactMap { partition in
      guard let log = before[partition] else { return nil }
      let start = max(committed[service]?[partition] ?? log.lowerBound, log.lowerBound)
      return start < log.upperBound ? (partition, start..<log.upperBound) : nil
    }
  }

  func subscribed(by service: ServiceName) -> [TopicPartition] {
    let topics = service.subscriptions.map(\.rawValue)
    return before.keys.filter { topics.contains($0.topic) }
  }

  /// Whether all records that were ever in the partition are still there: only then can one be
  /// missed.
  func isWhole(_ partition: TopicPartition) -> Bool {
    (after[partition] ?? before[partition]).map { $0.lowerBound == 0 } ?? true
  }
}

/// A record's place in the log.
struct Place: Hashable, Sendable, CustomStringConvertible {
  let partition: TopicPartition
  let offset: Int64

  /// `orders.v1[3]@17`.
  var description: String { "\(partition)@\(offset)" }
}

/// A set of types of events in four bytes.
struct EventTypeSet: Hashable, Sendable {
  private var bits: UInt32 = 0

  init(_ types: [EventType] = []) {
    for type in types { insert(type) }
  }

  var isEmpty: Bool { bits == 0 }

  func contains(_ type: EventType) -> Bool { bits & Self.bit(type) != 0 }
  func intersects(_ other: EventTypeSet) -> Bool { bits & other.bits != 0 }
  mutating func insert(_ type: EventType) { bits |= Self.bit(type) }

  private static let numbers = Dictionary(
    uniqueKeysWithValues: EventType.allCases.enumerated().map { ($0.element, UInt32($0.offset)) })

  /// The type's place among all of them, from 0.
  static func number(of type: EventType) -> UInt32 {
    // Every case is in allCases.
    numbers[type] ?? 0
  }

  private static func bit(_ type: EventType) -> UInt32 { 1 << number(of: type) }
}
