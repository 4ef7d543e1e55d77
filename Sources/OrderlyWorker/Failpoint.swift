// Only builds for debugging have this: no worker that ships can be told to end in the midst of its
// work.
#if DEBUG
  import Contracts
  import Fleet
  import Foundation
  import Synchronization

  /// A place in a worker's work at which it ends as by SIGKILL, for the chaos run: each leaves
  /// something else half done.
  final class Failpoint: Sendable {
    enum Place: String {
      /// Records have been read, and nothing has been done about them.
      case polled
      /// The statements of a step have run, and its COMMIT has not been sent.
      case inTransaction = "in-transaction"
      /// A step is committed, and its outbox rows have not been published.
      case committed
      /// Outbox rows are on the topics, and are still in the outbox.
      case produced
      /// Partitions are taken away, and what is done has not been committed to the group.
      case revoke
    }

    private let place: Place
    private let hits: Atomic<Int>

    /// From `ORDERLY_FAILPOINT`: a place and how often it is passed before, as `committed:3`. Nil
    /// where it is not set.
    init?(environment: [String: String]) {
      let words = environment["ORDERLY_FAILPOINT"]?.split(separator: ":") ?? []
      guard let place = words.first.flatMap({ Place(rawValue: String($0)) }) else { return nil }
      self.place = place
      hits = Atomic(words.dropFirst().first.flatMap { Int($0) } ?? 0)
    }

    func reach(_ place: Place) {
      guard place == self.place else { return }
      if hits.subtract(1, ordering: .relaxed).oldValue == 0 { kill(getpid(), SIGKILL) }
    }
  }

  /// A consumer that ends the process when records were read, or while partitions are taken away.
  struct FailingConsumer: EventConsumer {
    let consumer: any EventConsumer
    let failpoint: Failpoint

    func poll(maximum: Int, timeout: Duration) async throws -> [ConsumerEvent] {
      let events = try await consumer.poll(maximum: maximum, timeout: timeout)
      for case .messages in events { failpoint.reach(.polled) }
      return events
    }

    func commit(_ offsets: [Partition: Int64]) async throws {
      failpoint.reach(.revoke)
      try await consumer.commit(offsets)
    }

    func unassign() async throws {
      failpoint.reach(.revoke)
      try await consumer.unassign()
    }

    func partitionCounts() async throws -> [String: Int32] {
      try await consumer.partitionCounts()
    }
    func assign(_ partitions: [Partition]) async throws { try await consumer.assign(partitions) }
    func pause(_ partitions: [Partition]) async throws { try await consumer.pause(partitions) }
    func resume(_ partitions: [Partition]) async throws { try await consumer.resume(partitions) }
    func commitInBackground(_ offsets: [Partition: Int64]) async throws {
      try await consumer.commitInBackground(offsets)
    }
    func lag() async throws -> [Partition: Int64] { try await consumer.lag() }
    func standings(of partitions: [Partition]) async throws -> [Partition: LogStanding] {
      try await consumer.standings(of: partitions)
    }
    func ping() async throws { try await consumer.ping() }
    func close(timeout: Duration) async { await consumer.close(timeout: timeout) }
  }

  /// A producer that ends the process when records are on the topics.
  struct FailingProducer: EventProducer {
    let producer: any EventProducer
    let failpoint: Failpoint

    var fatalError: FatalClientError? { producer.fatalError }

    func publish(_ records: [OutboundRecord]) async -> [(any Error)?] {
      let errors = await producer.publish(records)
      failpoint.reach(.produced)
      return errors
    }
  }

  /// A store that ends the process before or after the COMMIT of a step.
  struct FailingStore<Store: LaneStore>: LaneStore {
    typealias Rows = Store.Rows
    typealias Transaction = Store.Transaction

    let store: Store
    let failpoint: Failpoint

    func step<Result: Sendable>(
      _ body: @Sendable (Transaction) throws -> Result
    ) async throws -> Result {
      let result = try await store.step { transaction in
        let result = try body(transaction)
        failpoint.reach(.inTransaction)
        return result
      }
      failpoint.reach(.committed)
      return result
    }

    var hasDeadlines: Bool { store.hasDeadlines }
    func confirmPartitions(_ count: Int32) async throws {
      try await store.confirmPartitions(count)
    }
    func takeOver(lane: Int32, owner: String) async throws -> Int64 {
      try await store.takeOver(lane: lane, owner: owner)
    }
    func outbox(lane: Int32, limit: Int) async throws -> [OutboxRecord] {
      try await store.outbox(lane: lane, limit: limit)
    }
    func removeFromOutbox(lane: Int32, sequences: [Int64]) async throws {
      try await store.removeFromOutbox(lane: lane, sequences: sequences)
    }
    func dueDeadlines(lane: Int32, at now: Date, limit: Int) async throws -> [OrderID] {
      try await store.dueDeadlines(lane: lane, at: now, limit: limit)
    }
    func dueKeys(lane: Int32, at now: Date, limit: Int) async throws -> [OrderID] {
      try await store.dueKeys(lane: lane, at: now, limit: limit)
    }
    func dueEffects(
      lane: Int32, at now: Date, except ids: [UUID], limit: Int
    ) async throws -> [StoredEffect] {
      try await store.dueEffects(lane: lane, at: now, except: ids, limit: limit)
    }
    func lastMark(lane: Int32) async throws -> (now: Date, mark: ReadingMark?) {
      try await store.lastMark(lane: lane)
    }
    func record(
      _ mark: ReadingMark, lane: Int32, epoch: Int64, starts: [String: Int64], grace: Duration
    ) async throws {
      try await store.record(mark, lane: lane, epoch: epoch, starts: starts, grace: grace)
    }
    func forget(lane: Int32, epoch: Int64, limit: Int) async throws -> Bool {
      try await store.forget(lane: lane, epoch: epoch, limit: limit)
    }
  }
#endif
