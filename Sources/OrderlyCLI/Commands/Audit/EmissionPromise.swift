import Contracts
import Foundation
import Kafka

/// I4: what the services have sent is what the topics hold.
enum EmissionPromise {
  /// How long a row may wait in an outbox, in seconds.
  static let patience = OutboxLane.patience
  /// How long after the horizon an order may begin by the clock of orders, of which another service
  /// heard before it, in seconds: a day.
  static let forgetfulness: Double = 86_400

  static func check(_ facts: AuditFacts) -> Finding {
    var finding = Finding("I4", "events: what the states say was sent is on the topics")
    finding.inFlight = facts.databases.outbox.count
    for row in facts.databases.outbox where row.waiting > patience {
      finding.breach(
        "waits in the outbox of \(row.service.rawValue) for more than \(Int(patience)) s",
        row.id.lowercaseText)
    }
    let unanswered = facts.topics.missingCauses.filter { !mayBeForgotten($0, facts) }
    for place in facts.topics.causeless + unanswered.map(\.place) {
      finding.breach(
        "sent by a service that has not taken in what it answers", place.description)
    }
    let waiting = Set(facts.databases.outbox.map { Sent(order: $0.key ?? "", type: $0.type) })
    for order in facts.databases.orders {
      checkSent(order, waiting, facts, &finding)
    }
    checkMeant(facts, &finding)
    return finding
  }

  /// Whether the sender's inbox may have had the cause and forgotten it. The answer may come long
  /// after the cause, which is no older than the order.
  private static func mayBeForgotten(_ cause: InboxNeed, _ facts: AuditFacts) -> Bool {
    guard let horizon = facts.horizons[cause.service]?[cause.place.partition.partition] else {
      return false
    }
    let written = cause.time.map { Date(timeIntervalSince1970: Double($0) / 1000) } ?? .distantPast
    // With --since, orders that are too old are not among the facts.
    let begun =
      cause.order.flatMap { facts.databases[$0]?.createdAt }
      ?? (facts.topics.isComplete ? written : .distantPast)
    return min(written, begun) < horizon + forgetfulness
  }

  private struct Sent: Hashable {
    let order: String
    let type: String
  }

  /// What a state says was sent is in the outbox or on the topic.
  private static func checkSent(
    _ order: OrderFacts, _ waiting: Set<Sent>, _ facts: AuditFacts, _ finding: inout Finding
  ) {
    guard let lane = order.lane else { return }
    let seen = facts.topics[order.id]?.seen ?? EventTypeSet()
    for service in ServiceName.allCases {
      let partition = TopicPartition(topic: service.topic.rawValue, partition: lane)
      guard let status = order.status(in: service), facts.positions.isWhole(partition),
        facts.topics.isComplete
      else { continue }
      for type in sent(service, status) {
        finding.checked += 1
        guard !seen.contains(type),
          !waiting.contains(Sent(order: order.id, type: type.rawValue))
        else { continue }
        finding.breach(
          "\(status) in \(service.rawValue), but no \(type.rawValue) was sent", order.id)
      }
    }
  }

  /// What was sent before the databases were read is what their states say.
  private static func checkMeant(_ facts: AuditFacts, _ finding: inout Finding) {
    for (id, events) in zip(facts.topics.orders, facts.topics.events) {
      let order = facts.databases[id]
      // With --since, orders that are too old are not among the facts.
      if order == nil, !facts.topics.isComplete { continue }
      for (service, types) in emitted {
        for (type, statuses) in types where events.seenBefore.contains(type) {
          finding.checked += 1
          guard let status = order?.status(in: service), statuses.contains(status) else {
            let status = order?.status(in: service) ?? "unknown"
            finding.breach(
              "\(type.rawValue) was sent, but \(service.rawValue) has it as \(status)", id)
            continue
          }
        }
      }
    }
  }

  /// The types that must have been sent when an order has this status in a service.
  static func sent(_ service: ServiceName, _ status: String) -> [EventType] {
    switch (service, status) {
    case (.orders, "placed"): [.orderAccepted]
    case (.orders, "cancelling"): [.orderAccepted, .orderCancelling]
    case (.orders, "completed"): [.orderAccepted, .orderCompleted]
    case (.orders, "cancelled"): [.orderAccepted, .orderCancelled]
    case (.inventory, "reserved"): [.inventoryReserved]
    case (.inventory, "rejected"): [.inventoryRejected]
    case (.inventory, "released"): [.inventoryReleased]
    case (.payments, "captured"): [.paymentCaptured]
    case (.payments, "declined"): [.paymentDeclined]
    // A capture that was no longer wanted is given back without a word about it.
    case (.payments, "refunded"): [.paymentRefunded]
    case (.payments, "voided"): [.paymentVoided]
    case (.fulfilment, "shipped"): [.fulfilmentShipped]
    case (.fulfilment, "failed"): [.fulfilmentFailed]
    case (.fulfilment, "cancelled"): [.fulfilmentCancelled]
    default: []
    }
  }

  /// The statuses that an order may have in a service that has sent this type.
  private static let emitted: [(ServiceName, [(EventType, Set<String>)])] = [
    (
      .orders,
      [
        (.orderAccepted, ["placed", "cancelling", "completed", "cancelled"]),
        (.orderCancelling, ["cancelling", "completed", "cancelled"]),
        (.orderCompleted, ["completed"]), (.orderCancelled, ["cancelled"]),
      ]
    ),
    (
      .inventory,
      [
        (.inventoryReserved, ["reserved", "released"]), (.inventoryRejected, ["rejected"]),
        (.inventoryReleased, ["released"]),
      ]
    ),
    (
      .payments,
      [
        (.paymentCaptured, ["captured", "refunding", "refunded"]),
        (.paymentDeclined, ["declined"]), (.paymentRefunded, ["refunded"]),
        (.paymentVoided, ["voided"]),
      ]
    ),
    (
      .fulfilment,
      [
        (.fulfilmentShipped, ["shipped"]), (.fulfilmentFailed, ["failed"]),
        (.fulfilmentCancelled, ["cancelled"]), (.fulfilmentCancelRefused, ["shipped"]),
      ]
    ),
  ]
}
