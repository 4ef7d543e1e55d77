public import Contracts
public import Foundation

// What the runtime needs of the world. FleetPostgres and FleetKafka provide it on the real clients,
// FleetTesting in memory; one conformance suite holds the stores of both to the same behaviour.

/// The database of one service, as its lanes use it.
public protocol LaneStore<Rows>: Sendable {
  associatedtype Rows: Sendable
  associatedtype Transaction: StepTransaction where Transaction.Rows == Rows

  /// Writes down how many partitions the service's topics have, the first time, and from then on
  /// compares. With another number the events of an order would go to another lane than those
  /// before them.
  ///
  /// - Throws: ``StoreError/misconfigured(_:)`` when the number has changed.
  func confirmPartitions(_ count: Int32) async throws

  /// Makes `owner` the lane's owner and returns the lane's next epoch. From then on every step of
  /// an earlier owner fails with ``StoreError/fenced``.
  func takeOver(lane: Int32, owner: String) async throws -> Int64

  /// Runs `body` in one transaction and commits it. When this returns, it is committed; when it
  /// throws, it is not, except for ``StoreError/unavailable(_:)``, where it may be either.
  func step<Result: Sendable>(
    _ body: @Sendable (Transaction) throws -> Result
  ) async throws -> Result

  /// The oldest rows of the lane's outbox, in the order in which they are to be published.
  func outbox(lane: Int32, limit: Int) async throws -> [OutboxRecord]

  /// Deletes published rows. It need not be durable: a row that comes back after a crash is
  /// published twice, and the readers' inboxes drop the second.
  func removeFromOutbox(lane: Int32, sequences: [Int64]) async throws

  /// Whether the service has deadlines. Where it has none nobody looks for them.
  var hasDeadlines: Bool { get }

  /// Orders of the lane whose deadline has passed.
  func dueDeadlines(lane: Int32, at now: Date, limit: Int) async throws -> [OrderID]

  /// Waiting keys of the lane whose next attempt is due, the longest overdue first.
  func dueKeys(lane: Int32, at now: Date, limit: Int) async throws -> [OrderID]

  /// Pending effects of the lane that are due, except those of `ids`; the longest overdue first.
  func dueEffects(
    lane: Int32, at now: Date, except ids: [UUID], limit: Int
  ) async throws -> [StoredEffect]

  /// The time by the database's clock, and the lane's newest mark; nil before the first.
  func lastMark(lane: Int32) async throws -> (now: Date, mark: ReadingMark?)

  /// Records a mark. Where all records are gone that were in the log at an earlier one, the lane's
  /// horizon moves to `grace` before that one's time: ids that were handled before the horizon are
  /// needed no more. It never moves back.
  ///
  /// - Parameters:
  ///   - starts: the oldest offset that is left in each topic, looked up after the mark's time.
  ///   - grace: how much longer ids are remembered.
  /// - Throws: ``StoreError/fenced`` when the lane has a newer owner.
  func record(
    _ mark: ReadingMark, lane: Int32, epoch: Int64, starts: [String: Int64], grace: Duration
  ) async throws

  /// Deletes rows of the lane that are older than its horizon, of each table `limit` at most, in a
  /// short transaction. It need not be durable.
  ///
  /// - Returns: whether there may be more of them.
  /// - Throws: ``StoreError/fenced`` when the lane has a newer owner.
  func forget(lane: Int32, epoch: Int64, limit: Int) async throws -> Bool
}

/// The statements of one step. Not Sendable: it lives on the connection's thread and ends with the
/// step's body.
public protocol StepTransaction<Rows> {
  associatedtype Rows: Sendable

  /// Checks the epoch, enters `ids` into the inbox, and looks which of `keys` are parked. An id
  /// that is given twice is fresh once.
  ///
  /// - Throws: ``StoreError/fenced`` when the lane has a newer owner.
  func admit(_ ids: [UUID], keys: [OrderID], lane: Int32, epoch: Int64) throws -> Admission
  /// Reads the rows of the service's own tables that `events` may touch, and those of `orders`,
  /// which name the events' own and others, such as those of deadlines. Rows that other lanes write
  /// too are locked until the step ends.
  func load(_ events: [EventPayload], orders: [OrderID], at now: Date) throws -> Rows
  /// Writes what the rules have changed of `rows`. As every call here that returns nothing it may
  /// be put off until the next one or COMMIT, and then throws there.
  func save(_ rows: Rows, lane: Int32, at now: Date) throws
  /// Puts records into the lane's outbox, each at its ``OutboxRecord/sequence``, which must be
  /// free.
  func append(_ records: [OutboxRecord], lane: Int32) throws
  /// Writes dead letters. One that is there and is being replayed is open again, as
  /// ``DeadLetter/reopened(as:)`` has it; another one that is there stays as it is.
  func record(_ letters: [DeadLetter], lane: Int32) throws
  /// Notes that the replays of these letters are handled.
  func resolve(_ letters: [UUID], at now: Date) throws

  /// The queues of those of `keys` that wait and are due, the longest overdue first, empty ones
  /// too. In each, events that are replayed come first. Together they hold `limit` events at most,
  /// and `bytes` in their values, except that one event always fits; a key for whose events there is
  /// no room is left out.
  func dueQueues(
    of keys: [OrderID], lane: Int32, at now: Date, limit: Int, bytes: Int
  ) throws -> [ParkedQueue]
  /// Puts fences up, or replaces those that stand.
  func fence(_ keys: [ParkedKey], lane: Int32) throws
  /// Puts events behind the fences of their keys, which must stand, at the ends of the queues. One
  /// that is there already keeps its place, and its failure is renewed; if it is replayed from now
  /// on, it goes before those that are not.
  func park(_ events: [ParkedEvent], lane: Int32) throws
  /// Takes events out of their queues.
  func unpark(_ ids: [UUID]) throws
  /// Takes fences away.
  ///
  /// - Throws: ``StoreError/rejected(_:)`` when events are still behind one of them.
  func lift(_ keys: [OrderID]) throws

  /// Stores effects that are asked for.
  ///
  /// - Throws: ``StoreError/rejected(_:)`` for one that is there already, there or with COMMIT.
  func store(_ effects: [StoredEffect], lane: Int32) throws
  /// Writes what has become of pending effects. One that is not pending stays as it is.
  ///
  /// - Returns: those that were pending, with ``StoredEffect/isReplayed`` as the store has it.
  func settle(_ effects: [StoredEffect]) throws -> [StoredEffect]
}

extension StepTransaction {
  /// As ``admit(_:keys:lane:epoch:)``, for those who ask about no keys; returns the fresh ids.
  public func admit(_ ids: [UUID], lane: Int32, epoch: Int64) throws -> Set<UUID> {
    try admit(ids, keys: [], lane: lane, epoch: epoch).fresh
  }
}

/// What a store throws, by what the lane has to do about it.
public enum StoreError: Error, Sendable, CustomStringConvertible {
  /// The lane has a newer owner: stop.
  case fenced
  /// Not reachable, or the connection broke, perhaps during COMMIT: retry, and look into the outbox
  /// first, because the step may have been committed.
  case unavailable(String)
  /// Deadlock or serialization failure; rolled back: retry.
  case conflict(String)
  /// Reachable but not as it must be: a missing migration or right. Retry until an operator has
  /// mended it; no event is to blame.
  case misconfigured(String)
  /// The database refuses what an event wants written. The same again on every attempt.
  case rejected(String)

  /// What ``LaneStore/confirmPartitions(_:)`` throws.
  public static func partitionsChanged(from before: Int32, to count: Int32) -> StoreError {
    .misconfigured(
      "the topics have \(count) partitions, and this service began with \(before): an order's events "
        + "would no longer be in one lane. Run 'orderly topics verify', and give the workers topics "
        + "with \(before) partitions")
  }

  public var description: String {
    switch self {
    case .fenced: "the lane has a newer owner"
    case .unavailable(let detail), .conflict(let detail), .misconfigured(let detail),
      .rejected(let detail):
      detail
    }
  }
}

/// One partition of one topic.
public struct Partition: Hashable, Sendable, CustomStringConvertible {
  /// By its name in Kafka.
  public let topic: String
  /// From 0. It is the number of the lane too.
  public let number: Int32

  public init(topic: String, number: Int32) {
    self.topic = topic
    self.number = number
  }

  public var description: String { "\(topic)[\(number)]" }
}

/// A record as it was read, before anyone has made sense of it.
public struct RawMessage: Sendable {
  /// Where it was read.
  public var partition: Partition
  /// Its place in the partition, from 0. What is committed once it is done is one more.
  public var offset: Int64
  /// For an event its order's id as UTF-8; nil where the record has none.
  public var key: [UInt8]?
  /// nil where the record has none; no event is one of those.
  public var value: [UInt8]?
  /// As they came: names may be there twice, in any order.
  public var headers: [EventHeader]

  public init(
    partition: Partition, offset: Int64, key: [UInt8]?, value: [UInt8]?, headers: [EventHeader]
  ) {
    self.partition = partition
    self.offset = offset
    self.key = key
    self.value = value
    self.headers = headers
  }

  /// What it weighs in a queue, in bytes: its contents, and what an empty one takes by estimate.
  public var weight: Int {
    headers.reduce(256 + (key?.count ?? 0) + (value?.count ?? 0)) {
      $0 + $1.name.utf8.count + ($1.value?.count ?? 0)
    }
  }
}

/// What a consumer has to tell.
public enum ConsumerEvent: Sendable {
  case messages([RawMessage])
  /// To be answered with `assign`.
  case assigned([Partition])
  /// To be answered with `unassign`. `lost`: they already belong to someone else, so nothing can be
  /// committed any more.
  case revoked([Partition], lost: Bool)
  /// The client is cut off from the brokers, or something else that it retries by itself.
  case trouble(String)
  /// As ``trouble(_:)``, but with one topic: it does not exist, or may not be read.
  case topicTrouble(topic: String, String)
  /// The client has failed for good.
  case fatal(FatalClientError)
  /// A committed offset is no longer in the log: records were deleted before they were read.
  case offsetOutOfRange(Partition, String)
  /// Something for those who look closely.
  case notice(String)
  /// Background commits that did not succeed.
  case commitFailed(String)
  /// Background commits that did.
  case committed
}

/// A member of a service's consumer group.
public protocol EventConsumer: Sendable {
  /// Waits up to `timeout` for something to tell.
  ///
  /// - Throws: ``FatalClientError`` when the client has failed for good.
  func poll(maximum: Int, timeout: Duration) async throws -> [ConsumerEvent]
  /// How many partitions each topic that it reads has; a topic that does not exist is left out.
  func partitionCounts() async throws -> [String: Int32]
  /// Takes the partitions, each from its committed offset, or the beginning where there is none.
  func assign(_ partitions: [Partition]) async throws
  /// Gives all partitions back, in answer to ``ConsumerEvent/revoked(_:lost:)``: the group waits
  /// for it.
  func unassign() async throws
  /// Hands out no more messages of the partitions, which stay assigned, until ``resume(_:)``.
  func pause(_ partitions: [Partition]) async throws
  /// Goes on with the partitions from where they were paused. Those that are not paused stay as
  /// they are.
  func resume(_ partitions: [Partition]) async throws
  /// Commits in the background. The offsets are those of the next records to read.
  func commitInBackground(_ offsets: [Partition: Int64]) async throws
  /// Commits and waits for the answer.
  func commit(_ offsets: [Partition: Int64]) async throws
  /// Records between the last one handed out and the end of the log, as far as known.
  func lag() async throws -> [Partition: Int64]
  /// What is left of partitions, and how far the group has read them. Asks the brokers.
  func standings(of partitions: [Partition]) async throws -> [Partition: LogStanding]
  /// Asks a broker something, to find out whether they can be reached again.
  func ping() async throws
  /// Leaves the group, within `timeout`.
  func close(timeout: Duration) async
}

/// Publishes records durably and in order.
public protocol EventProducer: Sendable {
  /// Returns when each record was acknowledged by all in-sync replicas or has failed; the errors
  /// are in the order of the records, nil for those that were acknowledged. Records of one call,
  /// and of calls made one after the other, reach a partition in order.
  func publish(_ records: [OutboundRecord]) async -> [(any Error)?]

  /// Why the client has failed for good, if it has: nothing can be published any more.
  var fatalError: FatalClientError? { get }
}

extension EventProducer {
  /// For producers that always mend.
  public var fatalError: FatalClientError? { nil }
}

/// A Kafka client that no retry mends, such as a producer whose sequence the broker has lost. Only
/// a new client can go on, and so a new process: it keeps nothing that would be lost.
public struct FatalClientError: Error, Sendable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) {
    self.description = description
  }
}

/// A record to be published.
public struct OutboundRecord: Sendable {
  /// Chosen by who publishes: no partitioner is asked.
  public var partition: Partition
  /// As ``OutboxRecord/key``.
  public var key: [UInt8]?
  /// As ``OutboxRecord/value``.
  public var value: [UInt8]?
  /// All of them, those of CloudEvents too.
  public var headers: [EventHeader]

  public init(
    partition: Partition, key: [UInt8]?, value: [UInt8]?, headers: [EventHeader]
  ) {
    self.partition = partition
    self.key = key
    self.value = value
    self.headers = headers
  }
}
