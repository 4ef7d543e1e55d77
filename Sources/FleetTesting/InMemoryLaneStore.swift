public import Contracts
public import Fleet
public import Foundation
import Synchronization

/// The database of one service in memory. Transactions are serial and all or nothing; faults are
/// injected by a plan. It has no thread and no clock of its own, so that a single-threaded
/// scheduler runs it the same way each time.
public final class InMemoryLaneStore<Tables: InMemoryTables>: LaneStore {
  public typealias Rows = Tables.Rows
  public typealias Transaction = InMemoryStep<Tables>

  private let storage: Mutex<InMemoryStorage<Tables>>

  public init(_ tables: Tables) {
    storage = Mutex(InMemoryStorage(InMemoryDatabase(tables: tables)))
  }

  // MARK: - What a test looks at and sets

  /// The faults from now on; the operations are counted from 0 again.
  public func setFaults(_ plan: @escaping StoreFaultPlan) {
    storage.withLock { storage in
      storage.plan = plan
      storage.counts = [:]
    }
  }

  /// How often the operation was called since the faults were set.
  public func count(of operation: StoreOperation) -> Int {
    storage.withLock { $0.counts[operation, default: 0] }
  }

  /// What of the database `body` wants to see.
  func lookAt<Result: Sendable>(
    _ body: (InMemoryDatabase<Tables>) -> Result
  ) -> Result {
    storage.withLock { body($0.database) }
  }

  public var tables: Tables { storage.withLock { $0.database.tables } }
  public var inbox: Set<UUID> { storage.withLock { $0.database.inbox } }
  public var deadLetters: [DeadLetter] { storage.withLock { $0.database.deadLetters } }
  /// By key.
  public var parkedKeys: [OrderID: ParkedKey] { storage.withLock { $0.database.parking.keys } }
  /// In the order of arrival.
  public var parkedEvents: [ParkedEvent] { storage.withLock { $0.database.parking.events } }
  public func epoch(of lane: Int32) -> Int64? { storage.withLock { $0.database.epochs[lane] } }

  /// All rows of the lane's outbox in order.
  public func allOutbox(lane: Int32) -> [OutboxRecord] {
    storage.withLock { $0.database.outboxInOrder(lane) }
  }

  /// All rows that the lanes' outboxes ever had, each lane's in the order of their commits.
  public var outboxHistory: [Int32: [OutboxRecord]] {
    storage.withLock { $0.database.outboxHistory }
  }

  /// Puts a row into the lane's outbox from outside, as a server does that has crashed before a
  /// deletion was on its disk.
  public func bringBack(_ record: OutboxRecord, lane: Int32) {
    storage.withLock { $0.database.outbox[lane, default: [:]][record.sequence] = record }
  }

  // MARK: - LaneStore

  /// A statement that only reads.
  func read<Result: Sendable>(
    _ operation: StoreOperation, _ body: (InMemoryDatabase<Tables>) -> Result
  ) throws -> Result {
    try storage.withLock { storage in
      if try storage.losesReply(of: operation) { throw InMemoryStorage<Tables>.lostReply }
      return body(storage.database)
    }
  }

  public func takeOver(lane: Int32, owner: String) async throws -> Int64 {
    try storage.withLock { storage in
      let losesReply = try storage.losesReply(of: .takeOver)
      storage.waitForLock(of: lane)
      let epoch = storage.database.epochs[lane, default: 0] + 1
      storage.database.epochs[lane] = epoch
      if losesReply { throw InMemoryStorage<Tables>.lostReply }
      return epoch
    }
  }

  public func step<Result: Sendable>(
    _ body: @Sendable (InMemoryStep<Tables>) throws -> Result
  ) async throws -> Result {
    try run(at: .commit, body)
  }

  /// - Parameter commit: what the faults know the COMMIT by.
  func run<Result>(
    at commit: StoreOperation, _ body: (InMemoryStep<Tables>) throws -> Result
  ) throws -> Result {
    try storage.withLock { storage in
      let step = InMemoryStep(storage)
      let result = try body(step)
      switch storage.fault(at: commit) {
      case .fail(let error):
        throw error
      case .commitLater:
        storage.inFlight.append(step.writes)
        throw InMemoryStorage<Tables>.lostReply
      case .loseReply:
        storage.database = step.working
        throw InMemoryStorage<Tables>.lostReply
      case nil:
        storage.database = step.working
      }
      return result
    }
  }

  public func outbox(lane: Int32, limit: Int) async throws -> [OutboxRecord] {
    try storage.withLock { storage in
      if try storage.losesReply(of: .outbox) { throw InMemoryStorage<Tables>.lostReply }
      return Array(storage.database.outboxInOrder(lane).prefix(limit))
    }
  }

  public func removeFromOutbox(lane: Int32, sequences: [Int64]) async throws {
    try storage.withLock { storage in
      let losesReply = try storage.losesReply(of: .removeFromOutbox)
      for sequence in sequences { storage.database.outbox[lane]?[sequence] = nil }
      if losesReply { throw InMemoryStorage<Tables>.lostReply }
    }
  }

  public var hasDeadlines: Bool { true }

  public func dueDeadlines(lane: Int32, at now: Date, limit: Int) async throws -> [OrderID] {
    try storage.withLock { storage in
      if try storage.losesReply(of: .dueDeadlines) { throw InMemoryStorage<Tables>.lostReply }
      return storage.database.tables.dueDeadlines(lane: lane, at: now, limit: limit)
    }
  }

  public func dueKeys(lane: Int32, at now: Date, limit: Int) async throws -> [OrderID] {
    try storage.withLock { storage in
      if try storage.losesReply(of: .dueKeys) { throw InMemoryStorage<Tables>.lostReply }
      return storage.database.parking.dueKeys(lane: lane, at: now).prefix(limit).map(\.key)
    }
  }
}
