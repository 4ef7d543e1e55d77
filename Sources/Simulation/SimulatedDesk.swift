import Contracts
import Fleet
import FleetTesting
import Foundation
import Workload

/// An operator's connection to the database of a service.
struct SimulatedDeskStore<Tables: InMemoryTables>: DeadLetterStore {
  let database: SimulatedDatabase<Tables>
  let process: SimulatedProcess
  /// Whether what it does is to let a key go on.
  var isRelease = false

  func change<Result: Sendable>(
    _ body: @Sendable (SimulatedDeskTransaction<Tables>) throws -> Result
  ) async throws -> Result {
    let place = SimulatedProcess.Place.database(database.service)
    let world = process.world
    do {
      try await process.enter(place, database.service)
      world.scheduler.note(process.number, database.service, .decides)
      let result = try await database.store.change { transaction in
        let journal = Journal()
        let result = try body(
          SimulatedDeskTransaction(
            inner: transaction, world: world, journal: journal, isRelease: isRelease))
        try process.passStatement(place, database.service)
        if world.strikes(.conflict) { throw StoreError.conflict("could not serialize access") }
        if world.strikes(.commitInFlight) {
          world.scheduler.note(process.number, database.service, .commitLate)
          database.loseNextCommit()
        }
        database.history.append(journal.facts)
        return result
      }
      try await process.leave(place, database.service)
      return result
    } catch let error as SimulatedProcess.Unreachable {
      throw StoreError.unavailable(error.description)
    }
  }
}

/// A desk's transaction, with the facts of it.
struct SimulatedDeskTransaction<Tables: InMemoryTables>: DeadLetterTransaction {
  let inner: InMemoryStep<Tables>
  let world: World
  let journal: Journal
  let isRelease: Bool

  func now() throws -> Date { world.scheduler.date }

  func lock(lane: Int32) throws -> Bool { try inner.lock(lane: lane) }

  func letter(_ id: UUID) throws -> DeadLetter? {
    var letter = try inner.letter(id)
    if world.bug == .replaysTwice, letter?.state == .resolved { letter?.state = .open }
    return letter
  }

  func update(_ letter: DeadLetter) throws {
    let before = try inner.letter(letter.id)
    var letter = letter
    let id = letter.id.uuidString
    if letter.edit != before?.edit {
      journal.add(.edited(letter: id))
      letter.edit = letter.edit.map(seeded)
    }
    switch (before?.state, letter.state) {
    case (_, .replaying): journal.add(.replayed(letter: id))
    case (.open, .discarded): journal.add(.discarded(letter: id))
    default: break
    }
    try inner.update(letter)
  }

  /// The edit with an id that follows from the run's seed, instead of a random one.
  private func seeded(_ edit: DeadLetter.Edit) -> DeadLetter.Edit {
    let number = world.scheduler.draw { $0.next() }
    let id = UUID(version5Of: "edit/\(number)", namespace: .orderlyEvents)
    var edit = edit
    edit.eventID = id
    edit.headers = edit.headers.map { header in
      guard header.name == HeaderName.id || header.name == HeaderName.idempotencyKey else {
        return header
      }
      return EventHeader(header.name, id.uuidString.lowercased())
    }
    return edit
  }

  func fence(of key: OrderID) throws -> StandingFence? { try inner.fence(of: key) }

  func fence(_ keys: [ParkedKey], lane: Int32) throws {
    for key in keys {
      let order = key.key.rawValue
      journal.add(isRelease ? .released(order: order) : .fenced(order: order))
    }
    try inner.fence(keys, lane: lane)
  }

  func park(_ events: [ParkedEvent], lane: Int32) throws {
    for event in events { journal.add(Fact(event)) }
    try inner.park(events, lane: lane)
  }

  func revive(effect id: UUID, at now: Date) throws -> Int32? {
    try inner.revive(effect: id, at: now)
  }

  func hasten(effect id: UUID, lane: Int32, at now: Date) throws -> Bool {
    try inner.hasten(effect: id, lane: lane, at: now)
  }

  func enter(_ id: UUID, lane: Int32) throws -> Bool { try inner.enter(id, lane: lane) }
}

extension Fact {
  init(_ event: ParkedEvent) {
    self = .parked(
      order: event.order.rawValue, event: event.id.uuidString, type: event.type,
      letter: event.deadLetter?.uuidString)
  }

  init(_ letter: DeadLetter) {
    self = .givenUp(
      letter: letter.id.uuidString, order: letter.order?.rawValue,
      event: letter.eventID?.uuidString, type: letter.event?.type.rawValue)
  }
}
