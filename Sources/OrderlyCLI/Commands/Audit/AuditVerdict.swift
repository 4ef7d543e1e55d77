import Contracts

/// What an audit comes to as a whole.
enum AuditVerdict: Equatable, Sendable {
  /// What could be judged keeps its promises.
  case kept
  case broken
  /// Kafka and Postgres do not belong together: in a sentence.
  case apart(String)
  /// There is nothing at all that a promise could be about.
  case empty
  /// Something is under way, and nothing has come to its end: nothing can be said yet.
  case unjudged

  init(_ facts: AuditFacts, _ findings: [Finding]) {
    if let trouble = Belonging.trouble(facts) {
      self = .apart(trouble)
      return
    }
    guard findings.allSatisfy(\.isKept) else {
      self = .broken
      return
    }
    let orders = facts.databases.orders
    let isUnderWay = orders.contains { !$0.hasEnded } || facts.positions.lag > 0
    if orders.contains(where: \.hasEnded) {
      self = .kept
    } else if isUnderWay {
      self = .unjudged
    } else {
      // Poison alone makes no order, and is judged all the same.
      self = facts.topics.handled > 0 ? .kept : .empty
    }
  }

  /// Whether the exit status is 0: the promises are kept, or there is nothing yet to keep.
  var isGood: Bool { self == .kept || self == .empty }

  /// For programs.
  var word: String {
    switch self {
    case .kept: "kept"
    case .broken: "broken"
    case .apart: "apart"
    case .empty: "empty"
    case .unjudged: "unjudged"
    }
  }
}

/// An order that waits behind an event that failed, or for a call that did.
struct HeldOrder: Sendable {
  let order: String
  let service: ServiceName
  /// Whether it waits for a decision about a dead letter, not for its next attempt.
  let isDead: Bool
  /// How many are in its queue.
  let events: Int
  let reason: String

  /// Those that wait for somebody first.
  static func all(_ databases: DatabaseFacts) -> [HeldOrder] {
    let parked = databases.parked.flatMap { service, keys in
      keys.map { order, facts in
        HeldOrder(
          order: order, service: service, isDead: facts.isDead, events: facts.events,
          reason: facts.reason)
      }
    }
    let calling = databases.calls.compactMap { call in
      call.trouble.map { trouble in
        HeldOrder(
          order: call.order, service: call.service, isDead: call.isDead, events: 0,
          reason: "\(call.kind): \(trouble)")
      }
    }
    return (parked + calling).sorted {
      ($0.isDead ? 0 : 1, $0.order, $0.service.rawValue)
        < ($1.isDead ? 0 : 1, $1.order, $1.service.rawValue)
    }
  }

  /// What to do about it.
  var next: String {
    isDead ? "orderly saga show \(order)" : "nothing: it is tried again by itself"
  }
}
