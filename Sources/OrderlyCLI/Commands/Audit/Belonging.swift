import Contracts
import Foundation
import Kafka

/// Whether the topics and the tables tell of the same events. Where they do not, a Kafka is held
/// against the Postgres of another system, or one of them was made anew: then everything is a breach,
/// and one sentence says more than all of them.
enum Belonging {
  /// What one side says there was, and how much of it the other side has not.
  private struct Comparison {
    var told = 0
    var missing = 0
    /// When the newest of the missing was, in seconds since 1970.
    var newest: Double = 0

    mutating func miss(_ time: Double) {
      missing += 1
      newest = max(newest, time)
    }

    /// Nearly everything is missing, or everything from before the other side began.
    func isApart(begun: Double?) -> Bool {
      (missing >= 3 && missing * 2 > told) || (missing >= 10 && begun.map { newest < $0 } ?? true)
    }
  }

  /// The sentence; nil where they belong together as far as one can see.
  static func trouble(_ facts: AuditFacts) -> String? {
    var unsent: [String] = []
    var untaken: [String] = []
    for service in ServiceName.allCases {
      let sent = sent(by: service, facts)
      if sent.isApart(begun: facts.topics.oldest.map { Double($0) / 1000 }) {
        unsent.append("\(service.topic.rawValue) (\(sent.missing) of \(sent.told))")
        continue
      }
      let taken = taken(by: service, facts)
      if taken.isApart(begun: facts.databases.firstTakenIn[service]?.timeIntervalSince1970) {
        untaken.append("\(service.rawValue) (\(taken.missing) of \(taken.told))")
      }
    }
    var found: [String] = []
    if !unsent.isEmpty {
      found.append(
        "the tables tell of orders of which there is nothing on "
          + "\(unsent.joined(separator: ", ")), though nothing was deleted there")
    }
    if !untaken.isEmpty {
      found.append(
        "there are records that groups have committed and their tables have not taken in: "
          + untaken.joined(separator: ", "))
    }
    guard !found.isEmpty else { return nil }
    return "Kafka and Postgres do not belong together: \(found.joined(separator: "; ")). Check "
      + "KAFKA_BOOTSTRAP_SERVERS, ORDERLY_DATABASE_URL and --context. If they are right, one of "
      + "the two was made anew or restored without the other."
  }

  /// Orders that have a state which says that something was sent, against the service's topic.
  private static func sent(by service: ServiceName, _ facts: AuditFacts) -> Comparison {
    var comparison = Comparison()
    guard facts.topics.isComplete else { return comparison }
    let waiting = Set(facts.databases.outbox.lazy.filter { $0.service == service }.map(\.key))
    for order in facts.databases.orders {
      guard let status = order.status(in: service), let lane = order.lane,
        !EmissionPromise.sent(service, status).isEmpty,
        facts.positions.isWhole(TopicPartition(topic: service.topic.rawValue, partition: lane))
      else { continue }
      comparison.told += 1
      let seen = facts.topics[order.id]?.seen ?? EventTypeSet()
      if !seen.contains(anyOn: service.topic), !waiting.contains(order.id) {
        comparison.miss(order.createdAt?.timeIntervalSince1970 ?? 0)
      }
    }
    return comparison
  }

  /// Records below the committed offset, against the inbox.
  private static func taken(by service: ServiceName, _ facts: AuditFacts) -> Comparison {
    var comparison = Comparison()
    let ledger = facts.topics.ledgers[service] ?? OutcomeLedger()
    comparison.told = ledger.sum - ledger.inFlight - ledger.passedOver
    for record in facts.topics.unhandled where record.service == service {
      comparison.miss(Double(record.time ?? 0) / 1000)
    }
    return comparison
  }
}

extension EventTypeSet {
  /// Whether one of the service's own events is among them: what comes from outside travels on
  /// `orders.v1` too.
  fileprivate func contains(anyOn topic: Topic) -> Bool {
    EventType.allCases.contains { type in
      type.topic == topic && type != .orderPlaced && type != .orderCancelRequested
        && contains(type)
    }
  }
}
