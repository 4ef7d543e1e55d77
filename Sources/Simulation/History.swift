import Contracts
import Synchronization

/// What a committed transaction has done to events, parked keys and dead letters, as plain facts.
/// Orders, events and letters go by their ids, events also by their types.
enum Fact: Sendable {
  /// The service's rules have decided on an event.
  ///
  /// - Parameter isRetry: it came out of the queue of a parked key, and not from a topic.
  case handled(order: String, type: String, isRetry: Bool)
  case fenced(order: String)
  case lifted(order: String)
  /// - Parameter letter: the one that is replayed with it.
  case parked(order: String, event: String, type: String, letter: String?)
  case unparked(event: String)
  /// What is not known of a message that can't be read is nil.
  case givenUp(letter: String, order: String?, event: String?, type: String?)
  case resolved(letter: String)
  case replayed(letter: String)
  case edited(letter: String)
  case discarded(letter: String)
  /// An operator lets the key go on without the letter behind which it has stopped.
  case released(order: String)
}

/// The facts of a database in the order of its commits. Those of transactions that hold the same lane
/// are in their order whenever the server has worked on the COMMIT.
final class History: Sendable {
  private let state = Mutex<[Fact]>([])

  var facts: [Fact] { state.withLock { $0 } }

  func append(_ facts: [Fact]) {
    state.withLock { $0 += facts }
  }
}

/// The facts of a transaction that is under way. It is used by one call of one task.
final class Journal: Sendable {
  private struct State {
    var facts: [Fact] = []
    var isRetry = false
  }

  private let state = Mutex(State())

  var facts: [Fact] { state.withLock { $0.facts } }

  func add(_ fact: Fact) {
    state.withLock { $0.facts.append(fact) }
  }

  /// From now on it handles what waits behind fences.
  func retries() {
    state.withLock { $0.isRetry = true }
  }

  func handled(_ events: [HandledEvent]) {
    state.withLock { state in
      for event in events {
        state.facts.append(
          .handled(order: event.order, type: event.type, isRetry: state.isRetry))
      }
    }
  }
}

struct HandledEvent: Sendable {
  var order: String
  var type: String
}

protocol WitnessedRows {
  /// The events that the rules have decided on with these rows.
  var handled: [HandledEvent] { get }
}

/// A service's rows, and which events the rules have decided on with them: what is rolled back with
/// the rows was not handled.
struct Witnessed<Rows: Sendable>: Sendable, WitnessedRows {
  var rows: Rows
  var handled: [HandledEvent] = []

  init(_ rows: Rows) { self.rows = rows }
}
