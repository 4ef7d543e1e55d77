import Contracts
import Fleet
import Foundation

/// What is committed.
struct InMemoryDatabase<Tables: InMemoryTables>: Sendable {
  var tables: Tables
  var epochs: [Int32: Int64] = [:]
  var partitions: Int32?
  var inbox: [UUID: InboxRow] = [:]
  var reading = InMemoryReading()
  /// Goes on by a millisecond with each call, so that what comes later is later.
  var now = Date(timeIntervalSince1970: 1_800_000_000)
  var parking = InMemoryParking()
  var effects = InMemoryEffects()
  var outbox: [Int32: [Int64: OutboxRecord]] = [:]
  var deadLetters: [DeadLetter] = []
  /// Every row that an outbox ever had, in the order of the commits.
  var outboxHistory: [Int32: [OutboxRecord]] = [:]

  init(tables: Tables) {
    self.tables = tables
  }

  func outboxInOrder(_ lane: Int32) -> [OutboxRecord] {
    outbox[lane, default: [:]].values.sorted { $0.sequence < $1.sequence }
  }

  /// Writes what a step has written.
  ///
  /// - Throws: `rejected` for a second row in one place of an outbox, and what the tables throw.
  mutating func apply(_ writes: InMemoryWrites<Tables>) throws {
    let row = InboxRow(lane: writes.lane, receivedAt: now)
    for id in writes.inbox { inbox[id] = row }
    for (rows, now) in writes.saves { try tables.save(rows, lane: writes.lane, at: now) }
    outboxHistory[writes.lane, default: []] += writes.outbox
    for record in writes.outbox {
      let old = outbox[writes.lane, default: [:]].updateValue(record, forKey: record.sequence)
      if old != nil {
        throw StoreError.rejected("outbox: lane \(writes.lane) has a row \(record.sequence)")
      }
    }
    for change in writes.letters { apply(change) }
    for change in writes.parking { try parking.apply(change, lane: writes.lane) }
    for change in writes.effects { try effects.apply(change, lane: writes.lane) }
  }

  private mutating func apply(_ change: InMemoryLetterChange) {
    switch change {
    case .record(let letter):
      guard let index = deadLetters.firstIndex(where: { $0.id == letter.id }) else {
        deadLetters.append(letter)
        return
      }
      guard deadLetters[index].state == .replaying else { return }
      deadLetters[index] = deadLetters[index].reopened(as: letter)
    case .resolve(let ids, let now):
      for index in deadLetters.indices
      where ids.contains(deadLetters[index].id) && deadLetters[index].state == .replaying {
        deadLetters[index].state = .resolved
        deadLetters[index].stateSince = now
      }
    case .update(let letter):
      guard let index = deadLetters.firstIndex(where: { $0.id == letter.id }) else { return }
      deadLetters[index] = letter
    }
  }
}

/// One statement about dead letters.
enum InMemoryLetterChange: Sendable {
  case record(DeadLetter)
  case resolve([UUID], at: Date)
  case update(DeadLetter)
}

/// What a database knows of an id besides.
struct InboxRow: Sendable {
  let lane: Int32
  let receivedAt: Date
}

/// What a step has written, to be applied when it commits.
struct InMemoryWrites<Tables: InMemoryTables>: Sendable {
  /// The lane that the step has locked.
  var lane: Int32 = -1
  var inbox: Set<UUID> = []
  var saves: [(rows: Tables.Rows, now: Date)] = []
  var outbox: [OutboxRecord] = []
  var letters: [InMemoryLetterChange] = []
  var parking: [InMemoryParking.Change] = []
  var effects: [InMemoryEffects.Change] = []
}

/// What an ``InMemoryLaneStore`` holds behind its lock.
final class InMemoryStorage<Tables: InMemoryTables> {
  static var lostReply: StoreError { .unavailable("the connection was lost") }

  var database: InMemoryDatabase<Tables>
  /// Steps whose COMMIT the server has received and not worked on yet.
  var inFlight: [InMemoryWrites<Tables>] = []
  var plan: StoreFaultPlan = StoreFaults.none
  var counts: [StoreOperation: Int] = [:]

  init(_ database: InMemoryDatabase<Tables>) {
    self.database = database
  }

  func fault(at operation: StoreOperation) -> StoreFault? {
    let count = counts[operation, default: 0]
    counts[operation] = count + 1
    return plan(operation, count)
  }

  /// Fails as planned before anything is done; true when it is to fail afterwards.
  func losesReply(of operation: StoreOperation) throws -> Bool {
    switch fault(at: operation) {
    case nil: return false
    case .fail(let error): throw error
    case .loseReply, .commitLater: return true
    }
  }

  /// Whoever locks the lane waits for the step that holds it.
  func waitForLock(of lane: Int32) {
    waitForSteps { $0.lane == lane }
  }

  /// Waits for the steps that hold what somebody is about to lock.
  func waitForSteps(_ holds: (InMemoryWrites<Tables>) -> Bool) {
    while let index = inFlight.firstIndex(where: holds) {
      // It was applied once, to what its rows still are: nothing can refuse it now.
      try? database.apply(inFlight.remove(at: index))
    }
  }

  /// Whoever reads rows that lanes share waits for all steps that hold some.
  func waitForSharedRows() {
    guard Tables.lanesShareRows else { return }
    for lane in inFlight.map(\.lane) { waitForLock(of: lane) }
  }
}
