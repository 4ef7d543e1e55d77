import Contracts
import Kafka

/// I6: within an order, a service's first records of each type are in the order in which it sent
/// them.
enum SequencePromise {
  static func check(_ facts: AuditFacts) -> Finding {
    var finding = Finding(
      "I6", "orders' events: on each topic in the order in which they were sent")
    for (id, events) in zip(facts.topics.orders, facts.topics.events) {
      finding.checked += 1
      guard !events.late.isEmpty else { continue }
      // Where the log begins later than it once did, the first record may be gone.
      guard facts.topics.isComplete,
        facts.databases[id]?.lane.map({ lane in
          ServiceName.allCases.allSatisfy {
            facts.positions.isWhole(TopicPartition(topic: $0.topic.rawValue, partition: lane))
          }
        }) ?? true
      else { continue }
      for name in events.late.names { finding.breach("\(name) came after what follows it", id) }
    }
    return finding
  }

  /// The types that a service sends only after it has sent this one, if it sends both.
  static func followers(of type: EventType) -> EventTypeSet {
    switch type {
    case .orderAccepted: afterAccepted
    case .orderCancelling: afterCancelling
    case .inventoryReserved: afterReserved
    case .paymentCaptured: afterCaptured
    case .fulfilmentShipped: afterShipped
    default: EventTypeSet()
    }
  }

  private static let afterAccepted = EventTypeSet([
    .orderCancelling, .orderCompleted, .orderCancelled,
  ])
  private static let afterCancelling = EventTypeSet([.orderCompleted, .orderCancelled])
  private static let afterReserved = EventTypeSet([.inventoryReleased])
  private static let afterCaptured = EventTypeSet([.paymentRefunded])
  private static let afterShipped = EventTypeSet([.fulfilmentCancelRefused])
}

extension EventTypeSet {
  /// The raw values of the types, in the order of their declaration.
  var names: [String] { EventType.allCases.filter(contains).map(\.rawValue) }
}
