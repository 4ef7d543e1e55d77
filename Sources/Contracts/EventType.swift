/// The types of events; the raw value is the CloudEvents `type`.
public enum EventType: String, CaseIterable, Sendable {
  case orderPlaced = "order.placed"
  case orderCancelRequested = "order.cancel-requested"
  case orderAccepted = "order.accepted"
  case orderCancelling = "order.cancelling"
  case orderCompleted = "order.completed"
  case orderCancelled = "order.cancelled"
  case inventoryReserved = "inventory.reserved"
  case inventoryRejected = "inventory.rejected"
  case inventoryReleased = "inventory.released"
  case paymentCaptured = "payment.captured"
  case paymentDeclined = "payment.declined"
  case paymentRefunded = "payment.refunded"
  case paymentVoided = "payment.voided"
  case fulfilmentShipped = "fulfilment.shipped"
  case fulfilmentFailed = "fulfilment.failed"
  case fulfilmentCancelled = "fulfilment.cancelled"
  case fulfilmentCancelRefused = "fulfilment.cancel-refused"

  /// The topic on which events of this type travel.
  public var topic: Topic {
    switch self {
    case .orderPlaced, .orderCancelRequested, .orderAccepted, .orderCancelling, .orderCompleted,
      .orderCancelled:
      .orders
    case .inventoryReserved, .inventoryRejected, .inventoryReleased:
      .inventory
    case .paymentCaptured, .paymentDeclined, .paymentRefunded, .paymentVoided:
      .payments
    case .fulfilmentShipped, .fulfilmentFailed, .fulfilmentCancelled, .fulfilmentCancelRefused:
      .fulfilment
    }
  }
}
