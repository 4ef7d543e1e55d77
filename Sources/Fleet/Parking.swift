public import Contracts
public import Foundation

// A key (an order) of which an event can't be handled for now is parked: the event and all later
// ones of the key wait in the database, in the order in which they came, while the other orders
// flow on.
//
//             an event fails too often in place
//   (free) ────────────────────────────────────▶ waiting ─┐ the first event fails again:
//      ▲                                          │  ▲  ▲──┘ later, longer
//      └─────── the queue is found empty ─────────┘  │ │
//                                   release, replay  │ │ the last attempt has failed:
//   (free) ─────────────────────────────────▶  dead ─┘◀┘ the event is dead-lettered
//             the database refuses an event
//
// An operator can make the next attempt the last one.
//
// A replay puts a dead-lettered event back at the head of the queue, and a fence up where none
// stands. Handled, it frees what waits behind its own letter. Failed for good, it leaves the order as
// it was before: one that had not stopped behind the letter goes on. What waits behind another letter
// is not touched: once the replayed events have left such a key it is dead again.

/// How an event has failed so far.
public struct EventFailure: Sendable, Hashable {
  /// A stable word, as in ``DeadLetter/reason``.
  public var reason: String
  /// What is wrong, for people: 1000 characters at most, without control characters.
  public var detail: String
  /// All tries of the event, those in place too; at least 1.
  public var attempts: Int
  /// By the clock of the worker, as `last`.
  public var first: Date
  /// Not before `first`.
  public var last: Date

  public init(reason: String, detail: String, attempts: Int, first: Date, last: Date) {
    self.reason = DeadLetter.printable(reason)
    self.detail = DeadLetter.printable(detail)
    self.attempts = attempts
    self.first = first
    // The clock may have been set back in between; the table holds them in order.
    self.last = max(first, last)
  }
}

/// An event in the queue of a parked key, with the whole message as it came.
public struct ParkedEvent: Sendable {
  /// Of the event, as the inbox has it.
  public var id: UUID
  public var order: OrderID
  /// As the message has it: another version of the service may have parked what this one does not
  /// know.
  public var type: String
  /// With its place in the log, though it is not read from there again.
  public var message: RawMessage
  /// nil: it has not been tried, only come behind one that has failed.
  public var failure: EventFailure?
  /// The letter that is replayed with it. Such events go before the others of their queue.
  public var deadLetter: UUID?

  public init(
    id: UUID, order: OrderID, type: String, message: RawMessage, failure: EventFailure? = nil,
    deadLetter: UUID? = nil
  ) {
    self.id = id
    self.order = order
    self.type = type
    self.message = message
    self.failure = failure
    self.deadLetter = deadLetter
  }

  init(_ event: Event, _ message: RawMessage, failure: EventFailure? = nil) {
    self.init(
      id: event.id, order: event.orderID, type: event.type.rawValue, message: message,
      failure: failure)
  }

  /// The failure that is recorded after one more try.
  func failing(_ reason: String, _ detail: String, at now: Date) -> EventFailure {
    EventFailure(
      reason: reason, detail: detail, attempts: (failure?.attempts ?? 0) + 1,
      first: failure?.first ?? now, last: now)
  }
}

/// The fence around a parked key: as long as it stands, the key's events go to its queue.
public struct ParkedKey: Sendable, Hashable {
  public enum State: String, Sendable, CaseIterable {
    /// Its lane tries it again at ``ParkedKey/nextAttempt``.
    case waiting
    /// An event of it is dead-lettered; the later ones stay until someone decides.
    case dead
  }

  public var key: OrderID
  public var state: State
  /// Failed tries of the present first event while its key was parked.
  public var attempts: Int
  /// Of no meaning for a key that is dead.
  public var nextAttempt: Date
  /// Of the newest failure, as are the next two.
  public var reason: String
  public var detail: String
  public var lastFailed: Date
  /// When the event failed first that was the first of the queue at the last failure.
  public var firstFailed: Date
  /// The dead letter behind which the key has stopped, until a replay of that one is handled or the
  /// key is released. A key can be waiting meanwhile: for letters of it that are replayed.
  public var behind: UUID?
  /// Whether somebody has decided that the present first event is dead-lettered when it fails again,
  /// however many attempts are left.
  public var isLastTry: Bool

  public init(
    key: OrderID, state: State, attempts: Int, nextAttempt: Date, reason: String, detail: String,
    firstFailed: Date, lastFailed: Date, behind: UUID? = nil, isLastTry: Bool = false
  ) {
    self.key = key
    self.state = state
    self.attempts = attempts
    self.nextAttempt = nextAttempt
    self.reason = reason
    self.detail = detail
    self.firstFailed = firstFailed
    self.lastFailed = lastFailed
    self.behind = behind
    self.isLastTry = isLastTry
  }

  init(
    _ key: OrderID, _ state: State, after failure: EventFailure, attempts: Int, nextAttempt: Date,
    behind: UUID? = nil
  ) {
    self.init(
      key: key, state: state, attempts: attempts, nextAttempt: nextAttempt, reason: failure.reason,
      detail: failure.detail, firstFailed: failure.first, lastFailed: failure.last,
      behind: behind)
  }
}

/// A parked key and what waits behind its fence.
public struct ParkedQueue: Sendable {
  public var key: ParkedKey
  /// The first ones, in the order in which they came.
  public var events: [ParkedEvent]
  /// How many there are in all.
  public var length: Int

  public init(key: ParkedKey, events: [ParkedEvent], length: Int) {
    self.key = key
    self.events = events
    self.length = length
  }

  /// How many of ``events`` may be tried, one after the other: of a key that has stopped behind a
  /// dead letter only those that are replayed, unless that letter is among them.
  var triable: Int {
    key.behind == nil || events.contains { $0.deadLetter == key.behind }
      ? events.count : events.prefix { $0.deadLetter != nil }.count
  }
}

/// What a step may work on.
public struct Admission: Sendable, Hashable {
  /// The ids that were not in the inbox.
  public var fresh: Set<UUID>
  /// Those of the keys that are parked, dead ones too.
  public var parked: Set<OrderID>

  public init(fresh: Set<UUID>, parked: Set<OrderID>) {
    self.fresh = fresh
    self.parked = parked
  }
}
