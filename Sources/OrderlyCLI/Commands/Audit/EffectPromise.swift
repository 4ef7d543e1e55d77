import Contracts
import Foundation

/// I5: an event is taken in once, and takes effect once.
enum EffectPromise {
  static func check(_ facts: AuditFacts) -> Finding {
    var finding = Finding("I5", "events taken in: once each, with one effect")
    finding.checked = Int(facts.databases.inboxRows)
    for service in facts.databases.unguardedInboxes {
      finding.breach("the inbox has no valid primary key on id", service.rawValue)
    }
    for order in facts.databases.orders {
      guard let ledger = order.ledger else { continue }
      if ledger.captures > 1 { finding.breach("captured more than once", order.id) }
      if ledger.refunds > 1 { finding.breach("refunded more than once", order.id) }
    }
    for (order, events) in zip(facts.topics.orders, facts.topics.events)
    where !events.doubled.isEmpty {
      let types = events.doubled.names.joined(separator: ", ")
      finding.breach("sent under two ids: \(types)", order)
    }
    return finding
  }
}
