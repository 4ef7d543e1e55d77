public import Contracts
public import Fleet
public import Foundation

/// The transaction of one step of an ``InMemoryLaneStore``. It ends with the step's body.
public final class InMemoryStep<Tables: InMemoryTables>: StepTransaction {
  private let storage: InMemoryStorage<Tables>
  /// What the step sees: what was committed before it, and its own writes.
  private(set) var working: InMemoryDatabase<Tables>
  private(set) var writes = InMemoryWrites<Tables>()

  init(_ storage: InMemoryStorage<Tables>) {
    self.storage = storage
    working = storage.database
  }

  /// The epoch of a lane's present owner.
  public func epoch(of lane: Int32) -> Int64? { storage.database.epochs[lane] }

  public func admit(_ ids: [UUID], lane: Int32, epoch: Int64) throws -> Set<UUID> {
    try fail(at: .admit)
    storage.waitForLock(of: lane)
    working = storage.database
    guard working.epochs[lane] == epoch else { throw StoreError.fenced }
    let new = Set(ids).subtracting(working.inbox)
    try write {
      $0.inbox = new
      $0.lane = lane
    }
    return new
  }

  public func load(
    _ events: [EventPayload], orders: [OrderID], at now: Date
  ) throws -> Tables.Rows {
    try fail(at: .load)
    storage.waitForSharedRows()
    try write { _ in }
    return try working.tables.load(events, orders: orders, at: now)
  }

  public func save(_ rows: Tables.Rows, lane: Int32, at now: Date) throws {
    try fail(at: .save)
    try write { $0.saves.append((rows, now)) }
  }

  public func append(_ records: [OutboxRecord], lane: Int32) throws {
    try fail(at: .append)
    try write { $0.outbox += records }
  }

  public func record(_ letters: [DeadLetter], lane: Int32) throws {
    try fail(at: .record)
    try write { $0.deadLetters += letters }
  }

  private func write(_ change: (inout InMemoryWrites<Tables>) -> Void) throws {
    change(&writes)
    working = storage.database
    try working.apply(writes)
  }

  /// Within a step a lost answer is a lost step.
  private func fail(at operation: StoreOperation) throws {
    if try storage.losesReply(of: operation) { throw InMemoryStorage<Tables>.lostReply }
  }
}
