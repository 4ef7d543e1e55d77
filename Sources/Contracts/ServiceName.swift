/// The four services of the platform. The raw value is the service's name everywhere: its Kafka
/// consumer group, its Postgres schema and role, and the prefix of its topics.
public enum ServiceName: String, CaseIterable, Sendable, Codable {
  /// Takes orders on, watches over their deadlines, and tells how they have ended.
  case orders
  /// Sets stock aside for an order, and puts it back.
  case inventory
  /// Screens for fraud, takes the money, and gives it back.
  case payments
  /// Has the carrier ship the parcel: the point of no return.
  case fulfilment

  /// The topic that carries this service's events.
  public var topic: Topic {
    switch self {
    case .orders: .orders
    case .inventory: .inventory
    case .payments: .payments
    case .fulfilment: .fulfilment
    }
  }

  /// The topic that carries the messages this service could not handle.
  public var deadLetterTopic: String { "\(rawValue).dlq" }

  /// The CloudEvents `source` of this service's events.
  public var source: String { "/orderly/\(rawValue)" }

  /// The event types this service acts on. Others of the same topics are read and passed over.
  ///
  /// The table of the saga: forward orders → inventory → payments → fulfilment → orders, backward
  /// the same chain in reverse.
  public var consumes: Set<EventType> {
    switch self {
    case .orders:
      Set(
        [.orderPlaced, .orderCancelRequested]
          + EventType.allCases.filter { $0.topic != .orders })
    case .inventory: [.orderPlaced, .paymentDeclined, .paymentRefunded, .paymentVoided]
    case .payments: [.inventoryReserved, .fulfilmentFailed, .fulfilmentCancelled]
    case .fulfilment: [.paymentCaptured, .orderCancelling]
    }
  }

  /// The topics to subscribe to: those of the consumed types, in a fixed order.
  public var subscriptions: [Topic] {
    let topics = Set(consumes.map(\.topic))
    return Topic.allCases.filter(topics.contains)
  }
}

/// The topics that carry events. The raw value is the name in Kafka.
///
/// All have the same number of partitions and are keyed by the order's id, so that partition *p* of
/// every topic holds the same orders.
public enum Topic: String, CaseIterable, Sendable {
  case orders = "orders.v1"
  case inventory = "inventory.v1"
  case payments = "payments.v1"
  case fulfilment = "fulfilment.v1"

  /// The names of all topics of the platform: those that carry events, then those that carry the
  /// services' dead letters.
  public static var allNames: [String] {
    allCases.map(\.rawValue) + ServiceName.allCases.map(\.deadLetterTopic)
  }
}
