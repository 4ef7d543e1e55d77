/// Who gets which connection of a pool: decisions only, no connections and no waiting.
///
/// ```
///            request               release, nobody waits
/// free slot ─────────► in use ───────────────────────────► free slot (with or without connection)
///                        │ ▲
///                        └─┘ release while somebody waits: handed on to the first
/// ```
/// A slot is the place of one connection. Slots that hold an open connection are given out first.
struct PoolStateMachine {
  typealias Slot = Int
  /// A request, numbered by the caller.
  typealias Ticket = Int

  enum RequestAction: Equatable {
    /// Use this slot now.
    case lease(Slot)
    /// Wait until a release hands a slot to the ticket.
    case wait
    /// The pool is closed.
    case reject
  }

  enum ReleaseAction: Equatable {
    /// The slot is in use by this ticket now: wake it.
    case hand(Slot, to: Ticket)
    /// The slot is free; its connection stays open.
    case keep
    /// The pool is closed: close the slot's connection, then tell ``closed()``.
    case close(Slot)
  }

  /// Close the connections of these free slots and fail these requests; nothing the second time.
  struct CloseAction: Equatable {
    var idle: [Slot] = []
    var waiting: [Ticket] = []
  }

  /// Slots that are free and have a connection; the last one was used last.
  private var idle: [Slot] = []
  /// Slots that are free and have none.
  private var vacant: [Slot]
  private var waiting: [Ticket] = []
  private var inUse = 0
  /// Free slots of a closed pool whose connection is being closed.
  private var closing = 0
  private var isClosed = false
  let maximum: Int

  init(maximum: Int) {
    precondition(maximum > 0, "a pool has at least one connection")
    self.maximum = maximum
    vacant = Array((0..<maximum).reversed())
  }

  var statistics: PoolStatistics {
    PoolStatistics(
      maximum: maximum, inUse: inUse, idle: idle.count, waiting: waiting.count)
  }

  /// Whether the pool is closed and nothing of it is open or in use any more.
  var isDrained: Bool { isClosed && inUse == 0 && closing == 0 }

  /// Whether a request would get a slot at once.
  var hasFreeSlot: Bool { !isClosed && inUse < maximum }

  mutating func request(_ ticket: Ticket) -> RequestAction {
    guard !isClosed else { return .reject }
    guard let slot = idle.popLast() ?? vacant.popLast() else {
      waiting.append(ticket)
      return .wait
    }
    inUse += 1
    return .lease(slot)
  }

  /// A user is done with a slot; `isOpen` says whether its connection is fit for further use.
  mutating func release(_ slot: Slot, isOpen: Bool) -> ReleaseAction {
    if isClosed {
      inUse -= 1
      closing += 1
      return .close(slot)
    }
    if !waiting.isEmpty { return .hand(slot, to: waiting.removeFirst()) }
    inUse -= 1
    if isOpen { idle.append(slot) } else { vacant.append(slot) }
    return .keep
  }

  /// A request is cancelled or its time is over. True if it was waiting, and has to be woken with an
  /// error; false if it was decided before.
  mutating func withdraw(_ ticket: Ticket) -> Bool {
    guard let place = waiting.firstIndex(of: ticket) else { return false }
    waiting.remove(at: place)
    return true
  }

  mutating func close() -> CloseAction {
    guard !isClosed else { return CloseAction() }
    isClosed = true
    defer {
      idle = []
      waiting = []
    }
    closing = idle.count
    return CloseAction(idle: idle, waiting: waiting)
  }

  /// The connection of a slot is closed.
  mutating func closed() { closing -= 1 }
}

/// How a pool is used at this moment.
struct PoolStatistics: Hashable, Sendable {
  /// The most connections it opens.
  let maximum: Int
  /// Connections in use by a body.
  let inUse: Int
  /// Open connections that nobody uses.
  let idle: Int
  /// Tasks that wait for a connection.
  let waiting: Int
}
