import Contracts
import Kafka

/// I3: every order that was taken in is in one state, ends once, and is fully compensated if it is
/// cancelled.
enum EndingPromise {
  static func check(_ facts: AuditFacts) -> Finding {
    var finding = Finding("I3", "orders: one end each, cancelled ones fully compensated")
    for order in facts.databases.orders {
      guard order.hasEnded else {
        finding.inFlight += 1
        continue
      }
      finding.checked += 1
      checkServices(order, &finding)
      checkTerminalEvent(order, facts, &finding)
    }
    checkPlaced(facts, &finding)
    return finding
  }

  /// The other databases are read after that of orders, and what they hold for an order that has
  /// ended is final.
  private static func checkServices(_ order: OrderFacts, _ finding: inout Finding) {
    if order.order == "completed" {
      if order.reservation != "reserved" { finding.breach("completed, not reserved", order.id) }
      if order.payment != "captured" { finding.breach("completed, not captured", order.id) }
      if order.shipment != "shipped" { finding.breach("completed, not shipped", order.id) }
      return
    }
    if !["released", "rejected"].contains(order.reservation) {
      finding.breach("cancelled, but stock was not released", order.id)
    }
    if ![nil, "declined", "refunded", "voided"].contains(order.payment) {
      finding.breach("cancelled, but money was not given back", order.id)
    }
    if ![nil, "failed", "cancelled"].contains(order.shipment) {
      finding.breach("cancelled, but a parcel was booked", order.id)
    }
  }

  private static func checkTerminalEvent(
    _ order: OrderFacts, _ facts: AuditFacts, _ finding: inout Finding
  ) {
    let events = facts.topics[order.id] ?? EventFacts()
    if events.seen.contains(.orderCompleted), events.seen.contains(.orderCancelled) {
      finding.breach("both order.completed and order.cancelled were sent", order.id)
    }
    if events.doubled.intersects(EventTypeSet([.orderCompleted, .orderCancelled])) {
      finding.breach("its terminal event was sent under two ids", order.id)
    }
  }

  /// An order.placed below the committed offset of orders has made an order.
  private static func checkPlaced(_ facts: AuditFacts, _ finding: inout Finding) {
    for (id, events) in zip(facts.topics.orders, facts.topics.events) where events.isTakenIn {
      // Its order.placed may be behind the fence, or dead-lettered.
      if facts.databases.parked[.orders]?[id] != nil { continue }
      guard let order = facts.databases[id] else {
        // With --since, orders that are too old are not among the facts.
        if facts.topics.isComplete { finding.breach("placed, but orders has no such order", id) }
        continue
      }
      if !order.isPlaced {
        finding.breach("placed, but orders has not taken it in", id)
      }
    }
  }
}
