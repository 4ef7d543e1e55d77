/// Judges the history of a service: who was parked, who went past whom, and the lives of its dead
/// letters. It keeps books of its own and knows nothing of the runtime's tables.
struct HistoryChecker {
  private struct Waiting {
    var event: String
    var type: String
    var letter: String?
  }

  private struct Key {
    var isFenced = false
    var queue: [Waiting] = []
    /// How many of the queue this transaction has handled so far.
    var handled = 0
    /// The letter behind which it has stopped.
    var stopped: String?
  }

  private struct Letter {
    enum State { case open, replaying, resolved, discarded }

    var state = State.open
    var order: String?
    var event: String?
    var type: String?
    /// Whether its order had stopped behind it when it was replayed.
    var stops = true
  }

  let service: String
  private(set) var violations: [String] = []
  /// How often an event was handled: by `order type`.
  private(set) var handled: [String: Int] = [:]
  /// What has happened how often.
  private(set) var counts: [String: Int] = [:]
  private var keys: [String: Key] = [:]
  private var letters: [String: Letter] = [:]
  private var orders: [String: String] = [:]

  init(_ service: String, _ facts: [Fact]) {
    self.service = service
    for fact in facts { take(fact) }
    for (order, key) in keys.sorted(by: { $0.key < $1.key })
    where key.isFenced || !key.queue.isEmpty {
      fail("I9", "\(order) is still parked, with \(key.queue.count) events")
    }
    for (id, letter) in letters.sorted(by: { $0.key < $1.key })
    where letter.state == .open || letter.state == .replaying {
      fail("I8", "nobody has ended the letter \(id) of \(letter.order ?? "nobody")")
    }
  }

  /// How often events of the type are given up for good: by `order type`.
  var discarded: [String: Int] {
    var counts: [String: Int] = [:]
    for letter in letters.values where letter.state == .discarded {
      if let order = letter.order, let type = letter.type {
        counts["\(order) \(type)", default: 0] += 1
      }
    }
    return counts
  }

  private mutating func fail(_ promise: String, _ text: String) {
    violations.append("\(promise): \(service): \(text)")
  }

  private mutating func take(_ fact: Fact) {
    switch fact {
    case .handled(let order, let type, let isRetry):
      handled["\(order) \(type)", default: 0] += 1
      if isRetry { handledInTurn(order, type) } else { handledAtOnce(order, type) }
    case .fenced(let order):
      if keys[order]?.isFenced != true { counts["parked keys", default: 0] += 1 }
      keys[order, default: Key()].isFenced = true
    case .lifted(let order):
      if let count = keys[order]?.queue.count, count > 0 {
        fail("I7", "the fence of \(order) is lifted, and \(count) events are behind it")
      }
      keys[order]?.isFenced = false
    case .parked(let order, let event, let type, let letter):
      park(Waiting(event: event, type: type, letter: letter), order)
    case .unparked(let event):
      unpark(event)
    case .givenUp(let id, let order, let event, let type):
      giveUp(id, Letter(order: order, event: event, type: type))
    case .resolved(let id):
      // A step that is repeated for an effect's answer says it again.
      if letters[id]?.state != .resolved { change(id, from: .replaying, to: .resolved) }
    case .replayed(let id):
      counts["replays", default: 0] += 1
      change(id, from: .open, to: .replaying)
      if let order = letters[id]?.order {
        letters[id]?.stops = keys[order]?.stopped == id
        if keys[order]?.stopped == id { keys[order]?.stopped = nil }
      }
    case .edited(let id):
      counts["edits", default: 0] += 1
      if letters[id]?.state != .open { fail("I8", "the letter \(id) is edited and not open") }
    case .discarded(let id):
      counts["discards", default: 0] += 1
      change(id, from: .open, to: .discarded)
    case .released(let order):
      counts["releases", default: 0] += 1
      keys[order]?.stopped = nil
    }
  }

  // MARK: - Keys

  private mutating func handledAtOnce(_ order: String, _ type: String) {
    guard keys[order]?.isFenced == true else { return }
    fail("I6", "\(type) of \(order) has gone past the events that wait")
  }

  private mutating func handledInTurn(_ order: String, _ type: String) {
    guard var key = keys[order], key.handled < key.queue.count else {
      fail("I6", "\(type) of \(order) was tried again, and does not wait")
      return
    }
    let first = key.queue[key.handled]
    if first.type != type { fail("I6", "\(type) of \(order) is handled before \(first.type)") }
    if first.letter == nil, let letter = key.stopped {
      fail("I8", "\(type) of \(order) has gone past the letter \(letter)")
    }
    key.handled += 1
    keys[order] = key
  }

  private mutating func park(_ waiting: Waiting, _ order: String) {
    guard keys[order]?.isFenced == true else {
      fail("I6", "\(waiting.type) of \(order) waits without a fence")
      return
    }
    guard orders[waiting.event] == nil else { return }
    counts["parked events", default: 0] += 1
    orders[waiting.event] = order
    // What is replayed goes before what came later.
    let queue = keys[order]!.queue
    let place = waiting.letter == nil ? nil : queue.firstIndex { $0.letter == nil }
    keys[order]!.queue.insert(waiting, at: place ?? queue.count)
  }

  private mutating func unpark(_ event: String) {
    guard let order = orders.removeValue(forKey: event), var key = keys[order],
      let place = key.queue.firstIndex(where: { $0.event == event })
    else {
      fail("I6", "the event \(event) leaves a queue in which it is not")
      return
    }
    key.queue.remove(at: place)
    if place < key.handled {
      key.handled -= 1
    } else if !letters.values.contains(where: { $0.event == event && $0.state == .open }) {
      fail("I7", "the event \(event) of \(order) is dropped")
    }
    keys[order] = key
  }

  // MARK: - Letters

  private mutating func giveUp(_ id: String, _ letter: Letter) {
    counts["dead letters", default: 0] += 1
    if var known = letters[id] {
      if known.state != .replaying { fail("I8", "the letter \(id) is written twice") }
      known.state = .open
      // An edited event has an id of its own.
      known.event = letter.event
      letters[id] = known
    } else {
      letters[id] = letter
    }
    guard let order = letter.order, letter.event != nil, letters[id]?.stops == true else { return }
    if keys[order, default: Key()].stopped == nil { keys[order, default: Key()].stopped = id }
  }

  private mutating func change(
    _ id: String, from before: Letter.State, to after: Letter.State
  ) {
    guard let state = letters[id]?.state else {
      fail("I8", "the letter \(id) is \(after) and was never written")
      return
    }
    if state != before { fail("I8", "the letter \(id) is \(after), and was \(state)") }
    letters[id]?.state = after
  }
}
