import Contracts
import Foundation

/// What the databases know of single records, beside that they were taken in: which of them are
/// dead letters, and which are parked.
struct KnownFates: Sendable {
  /// The state of each dead letter of a service, by the place of the original.
  private(set) var dead: [ServiceName: [Place: String]] = [:]
  /// The places of a service's parked events.
  private(set) var parked: [ServiceName: Set<Place>] = [:]
  /// The ids of both: another record of one of them is its duplicate.
  private(set) var ids: [ServiceName: Set<UUID>] = [:]

  init(_ databases: DatabaseFacts = DatabaseFacts()) {
    for letter in databases.deadLetters {
      dead[letter.service, default: [:]][letter.place] = letter.state
      if let id = letter.event { ids[letter.service, default: []].insert(id) }
    }
    for event in databases.parkedEvents {
      parked[event.service, default: []].insert(event.place)
      ids[event.service, default: []].insert(event.id)
    }
  }

  func isDead(_ place: Place, in service: ServiceName) -> Bool {
    dead[service]?[place] != nil
  }

  /// Whether any service has given the record up.
  func isDead(_ place: Place) -> Bool { dead.values.contains { $0[place] != nil } }
}

/// What has become of the records on one service's topics. Each is counted once, so that the
/// counts add up to the records.
struct OutcomeLedger: Sendable, Equatable {
  /// The states in which a dead letter may be, in the order in which it goes through them.
  static let deadStates = ["open", "replaying", "resolved", "discarded"]

  /// Those that there were when the audit began.
  var records = 0
  /// Taken in.
  var done = 0
  /// Further records of an id.
  var duplicates = 0
  /// Waiting behind an event of their order that failed.
  var parked = 0
  /// Dead letters by their state.
  var dead: [String: Int] = [:]
  /// At or above the committed offset.
  var inFlight = 0
  /// Of a type that the service does not act on.
  var passedOver = 0
  /// Committed, and nowhere: I7 is broken.
  var missing = 0

  var allDead: Int { dead.values.reduce(0, +) }

  /// What all the counts come to.
  var sum: Int { done + duplicates + parked + allDead + inFlight + passedOver + missing }

  /// `5 (3 open, 2 resolved)`; `0` for none.
  var deadText: String {
    let states = Self.deadStates.compactMap { state in dead[state].map { "\($0) \(state)" } }
    return allDead == 0 ? "0" : "\(allDead) (\(states.joined(separator: ", ")))"
  }
}
