public import Contracts
public import Fleet
public import Foundation

/// The transaction of one step of an ``InMemoryLaneStore``. It ends with the step's body.
public final class InMemoryStep<Tables: InMemoryTables>: StepTransaction {
  let storage: InMemoryStorage<Tables>
  /// What the step sees: what was committed before it, and its own writes.
  var working: InMemoryDatabase<Tables>
  private(set) var writes = InMemoryWrites<Tables>()

  init(_ storage: InMemoryStorage<Tables>) {
    self.storage = storage
    working = storage.database
  }

  /// The epoch of a lane's present owner.
  public func epoch(of lane: Int32) -> Int64? { storage.database.epochs[lane] }

  public func admit(
    _ ids: [UUID], keys: [OrderID], lane: Int32, epoch: Int64
  ) throws -> Admission {
    try fail(at: .admit)
    storage.waitForLock(of: lane)
    working = storage.database
    guard working.epochs[lane] == epoch else { throw StoreError.fenced }
    let new = Set(ids).filter { working.inbox[$0] == nil }
    try write {
      $0.inbox = new
      $0.lane = lane
    }
    return Admission(
      fresh: new, parked: Set(keys).intersection(working.parking.keys.keys))
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
    try write { $0.letters += letters.map(InMemoryLetterChange.record) }
  }

  public func resolve(_ letters: [UUID], at now: Date) throws {
    try fail(at: .resolve)
    try write { $0.letters.append(.resolve(letters, at: now)) }
  }

  public func dueQueues(
    of keys: [OrderID], lane: Int32, at now: Date, limit: Int, bytes: Int
  ) throws -> [ParkedQueue] {
    try fail(at: .dueQueues)
    return working.parking.dueQueues(
      of: Set(keys), lane: lane, at: now, limit: limit, bytes: bytes)
  }

  public func fence(_ keys: [ParkedKey], lane: Int32) throws {
    try fail(at: .fence)
    try write { $0.parking.append(.fence(keys)) }
  }

  public func park(_ events: [ParkedEvent], lane: Int32) throws {
    try fail(at: .park)
    try write { $0.parking.append(.park(events)) }
  }

  public func unpark(_ ids: [UUID]) throws {
    try fail(at: .unpark)
    try write { $0.parking.append(.unpark(ids)) }
  }

  public func lift(_ keys: [OrderID]) throws {
    try fail(at: .lift)
    try write { $0.parking.append(.lift(keys)) }
  }

  public func store(_ effects: [StoredEffect], lane: Int32) throws {
    try fail(at: .store)
    try write { $0.effects.append(.store(effects)) }
  }

  public func settle(_ effects: [StoredEffect]) throws {
    try fail(at: .settle)
    try write { $0.effects.append(.settle(effects)) }
  }

  func write(_ change: (inout InMemoryWrites<Tables>) -> Void) throws {
    change(&writes)
    working = storage.database
    try working.apply(writes)
  }

  /// Within a step a lost answer is a lost step.
  private func fail(at operation: StoreOperation) throws {
    if try storage.losesReply(of: operation) { throw InMemoryStorage<Tables>.lostReply }
  }
}
