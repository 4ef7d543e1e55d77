import Contracts
import Fleet
import FleetTesting
import Foundation

/// A process's connection to the database of one of its services.
struct SimulatedStore<Tables: InMemoryTables>: LaneStore where Tables.Rows: WitnessedRows {
  typealias Rows = Tables.Rows
  typealias Transaction = SimulatedStep<Tables>

  let database: SimulatedDatabase<Tables>
  let process: SimulatedProcess

  private var place: SimulatedProcess.Place { .database(database.service) }
  private var bug: PlantedBug? { process.world.bug }

  func confirmPartitions(_ count: Int32) async throws {
    try await database.store.confirmPartitions(count)
  }

  func takeOver(lane: Int32, owner: String) async throws -> Int64 {
    try await call(.takesOver, Int(lane)) {
      try await database.store.takeOver(lane: lane, owner: owner)
    }
  }

  func outbox(lane: Int32, limit: Int) async throws -> [OutboxRecord] {
    try await call(.reads, Int(lane)) {
      try await database.store.outbox(lane: lane, limit: limit)
    }
  }

  func removeFromOutbox(lane: Int32, sequences: [Int64]) async throws {
    try await call(.deletes, sequences.count) {
      try await database.store.removeFromOutbox(lane: lane, sequences: sequences)
    }
  }

  var hasDeadlines: Bool { database.store.hasDeadlines }

  func dueDeadlines(lane: Int32, at now: Date, limit: Int) async throws -> [OrderID] {
    try await call(.looks, Int(lane)) {
      try await database.store.dueDeadlines(lane: lane, at: now, limit: limit)
    }
  }

  func dueKeys(lane: Int32, at now: Date, limit: Int) async throws -> [OrderID] {
    try await call(.looksForKeys, Int(lane)) {
      try await database.store.dueKeys(lane: lane, at: now, limit: limit)
    }
  }

  func lastMark(lane: Int32) async throws -> (now: Date, mark: ReadingMark?) {
    try await call(.readsMark, Int(lane)) { try await database.store.lastMark(lane: lane) }
  }

  func record(
    _ mark: ReadingMark, lane: Int32, epoch: Int64, starts: [String: Int64], grace: Duration
  ) async throws {
    try await call(.marks, Int(lane)) {
      try await database.store.record(
        mark, lane: lane, epoch: epoch,
        starts: bug == .forgetsEarly ? starts.mapValues { _ in .max } : starts,
        grace: bug == .forgetsEarly ? .zero : grace)
    }
  }

  func forget(lane: Int32, epoch: Int64, limit: Int) async throws -> Bool {
    try await call(.forgets, Int(lane)) {
      try await database.store.forget(lane: lane, epoch: epoch, limit: limit)
    }
  }

  func dueEffects(
    lane: Int32, at now: Date, except ids: [UUID], limit: Int
  ) async throws -> [StoredEffect] {
    try await call(.looksForEffects, Int(lane)) {
      try await database.store.dueEffects(lane: lane, at: now, except: ids, limit: limit)
    }
  }

  func step<Result: Sendable>(
    _ body: @Sendable (SimulatedStep<Tables>) throws -> Result
  ) async throws -> Result {
    try await call(.steps, 0) {
      if bug == .inboxBeforeStep { return try await stepInTwo(body) }
      if bug == .outboxAfterStep || bug == .effectsAfterStep {
        return try await stepAndFollow(body)
      }
      return try await commit(body)
    }
  }

  private func call<Result: Sendable>(
    _ verb: Trace.Verb, _ value: Int, _ body: () async throws -> Result
  ) async throws -> Result {
    do {
      try await process.enter(place, database.service)
      process.world.scheduler.note(process.number, database.service, verb, value)
      let result = try await body()
      if verb == .steps {
        process.world.scheduler.note(process.number, database.service, .stepped)
      }
      try await process.leave(place, database.service)
      return result
    } catch let error as SimulatedProcess.Unreachable {
      throw StoreError.unavailable(error.description)
    }
  }

  private func commit<Result: Sendable>(
    _ body: @Sendable (SimulatedStep<Tables>) throws -> Result
  ) async throws -> Result {
    try await database.store.step { transaction in
      let journal = Journal()
      let result = try body(
        SimulatedStep(inner: transaction, store: self, journal: journal))
      try process.passStatement(place, database.service)
      if process.world.strikes(.conflict) {
        throw StoreError.conflict("could not serialize access")
      }
      if process.world.strikes(.commitInFlight) {
        process.world.scheduler.note(process.number, database.service, .commitLate)
        database.loseNextCommit()
      }
      // Nothing refuses the COMMIT any more, whether it is worked on now or later.
      database.history.append(journal.facts)
      return result
    }
  }

  // MARK: - Planted bugs

  /// The ids are committed first, the rest follows.
  private func stepInTwo<Result: Sendable>(
    _ body: @Sendable (SimulatedStep<Tables>) throws -> Result
  ) async throws -> Result {
    let admitted = PlantedMemory()
    do {
      _ = try await database.store.step { transaction in
        // What is after the first statement fails, but the first is kept.
        _ = try body(
          SimulatedStep(
            inner: transaction, store: self, journal: Journal(), memory: admitted, phase: .first))
      }
    } catch is PlantedMemory.Interrupted {
      try await database.store.step { transaction in
        admitted.fresh = try transaction.admit(
          admitted.ids, lane: admitted.lane, epoch: admitted.epoch)
      }
      try await process.leave(place, database.service)
    }
    return try await database.store.step { transaction in
      let journal = Journal()
      let result = try body(
        SimulatedStep(
          inner: transaction, store: self, journal: journal, memory: admitted, phase: .second))
      database.history.append(journal.facts)
      return result
    }
  }

  /// The outbox, or the effects, follow when the rest is committed.
  private func stepAndFollow<Result: Sendable>(
    _ body: @Sendable (SimulatedStep<Tables>) throws -> Result
  ) async throws -> Result {
    let memory = PlantedMemory()
    let result = try await database.store.step { transaction in
      let journal = Journal()
      let result = try body(
        SimulatedStep(
          inner: transaction, store: self, journal: journal, memory: memory, phase: .append))
      database.history.append(journal.facts)
      return result
    }
    guard memory.hasMore else { return result }
    try await process.leave(place, database.service)
    try await database.store.step { transaction in
      _ = try transaction.admit([], lane: memory.lane, epoch: memory.epoch)
      try transaction.append(memory.records, lane: memory.lane)
      try transaction.store(memory.stored, lane: memory.lane)
    }
    return result
  }
}

/// A step as a process sees it: each statement may be its last.
struct SimulatedStep<Tables: InMemoryTables>: StepTransaction where Tables.Rows: WitnessedRows {
  enum Phase { case whole, first, second, append }

  let inner: InMemoryStep<Tables>
  let store: SimulatedStore<Tables>
  let journal: Journal
  var memory = PlantedMemory()
  var phase = Phase.whole

  private var bug: PlantedBug? { store.process.world.bug }

  private func pass() throws {
    try store.process.passStatement(.database(store.database.service), store.database.service)
  }

  func admit(
    _ ids: [UUID], keys: [OrderID], lane: Int32, epoch: Int64
  ) throws -> Admission {
    try pass()
    (memory.ids, memory.lane, memory.epoch) = (ids, lane, epoch)
    switch phase {
    case .first: throw PlantedMemory.Interrupted()
    case .second:
      let parked = try inner.admit([], keys: keys, lane: lane, epoch: epoch).parked
      return Admission(fresh: memory.fresh, parked: parked)
    case .whole, .append: break
    }
    let known = bug == .ignoresEpoch ? inner.epoch(of: lane) : epoch
    var admission = try inner.admit(ids, keys: keys, lane: lane, epoch: known ?? epoch)
    if bug == .skipsInbox { admission.fresh = Set(ids) }
    if bug == .passesParkedKeys { admission.parked = [] }
    return admission
  }

  func load(_ events: [EventPayload], orders: [OrderID], at now: Date) throws -> Tables.Rows {
    try pass()
    return try inner.load(events, orders: orders, at: now)
  }

  func save(_ rows: Tables.Rows, lane: Int32, at now: Date) throws {
    try pass()
    journal.handled(rows.handled)
    try inner.save(rows, lane: lane, at: now)
  }

  func append(_ records: [OutboxRecord], lane: Int32) throws {
    try pass()
    if phase == .append, bug == .outboxAfterStep {
      memory.records = records
    } else if bug == .silentDeadLetters {
      try inner.append(records.filter { $0.headers == nil }, lane: lane)
    } else {
      try inner.append(records, lane: lane)
    }
  }

  func record(_ letters: [DeadLetter], lane: Int32) throws {
    try pass()
    for letter in letters { journal.add(Fact(letter)) }
    if bug != .forgetsDeadLetters { try inner.record(letters, lane: lane) }
  }

  func resolve(_ letters: [UUID], at now: Date) throws {
    try pass()
    if bug == .forgetsResolution { return }
    for letter in letters { journal.add(.resolved(letter: letter.uuidString)) }
    try inner.resolve(letters, at: now)
  }

  func dueQueues(
    of keys: [OrderID], lane: Int32, at now: Date, limit: Int, bytes: Int
  ) throws -> [ParkedQueue] {
    try pass()
    journal.retries()
    var queues = try inner.dueQueues(of: keys, lane: lane, at: now, limit: limit, bytes: bytes)
    if bug == .reversesQueues {
      for index in queues.indices { queues[index].events.reverse() }
    }
    return queues
  }

  func fence(_ keys: [ParkedKey], lane: Int32) throws {
    try pass()
    for key in keys { journal.add(.fenced(order: key.key.rawValue)) }
    var keys = keys
    if bug == .passesDeadLetters {
      for index in keys.indices { (keys[index].state, keys[index].behind) = (.waiting, nil) }
    }
    try inner.fence(keys, lane: lane)
  }

  func park(_ events: [ParkedEvent], lane: Int32) throws {
    try pass()
    for event in events { journal.add(Fact(event)) }
    try inner.park(events, lane: lane)
  }

  func unpark(_ ids: [UUID]) throws {
    try pass()
    for id in ids { journal.add(.unparked(event: id.uuidString)) }
    try inner.unpark(ids)
  }

  func lift(_ keys: [OrderID]) throws {
    try pass()
    for key in keys { journal.add(.lifted(order: key.rawValue)) }
    try inner.lift(keys)
  }

  func store(_ effects: [StoredEffect], lane: Int32) throws {
    try pass()
    if bug == .effectsAfterStep {
      memory.stored = effects
    } else {
      try inner.store(effects, lane: lane)
    }
  }

  func settle(_ effects: [StoredEffect]) throws {
    try pass()
    if bug != .forgetsSettlements { try inner.settle(effects) }
  }
}
