/// The body of an event, by its type.
public enum EventPayload: Hashable, Sendable {
  case orderPlaced(OrderPlaced)
  case orderCancelRequested(OrderCancelRequested)
  case orderAccepted(OrderAccepted)
  case orderCancelling(OrderCancelling)
  case orderCompleted(OrderCompleted)
  case orderCancelled(OrderCancelled)
  case inventoryReserved(InventoryReserved)
  case inventoryRejected(InventoryRejected)
  case inventoryReleased(InventoryReleased)
  case paymentCaptured(PaymentCaptured)
  case paymentDeclined(PaymentDeclined)
  case paymentRefunded(PaymentRefunded)
  case paymentVoided(PaymentVoided)
  case fulfilmentShipped(FulfilmentShipped)
  case fulfilmentFailed(FulfilmentFailed)
  case fulfilmentCancelled(FulfilmentCancelled)
  case fulfilmentCancelRefused(FulfilmentCancelRefused)

  public var type: EventType {
    switch self {
    case .orderPlaced: .orderPlaced
    case .orderCancelRequested: .orderCancelRequested
    case .orderAccepted: .orderAccepted
    case .orderCancelling: .orderCancelling
    case .orderCompleted: .orderCompleted
    case .orderCancelled: .orderCancelled
    case .inventoryReserved: .inventoryReserved
    case .inventoryRejected: .inventoryRejected
    case .inventoryReleased: .inventoryReleased
    case .paymentCaptured: .paymentCaptured
    case .paymentDeclined: .paymentDeclined
    case .paymentRefunded: .paymentRefunded
    case .paymentVoided: .paymentVoided
    case .fulfilmentShipped: .fulfilmentShipped
    case .fulfilmentFailed: .fulfilmentFailed
    case .fulfilmentCancelled: .fulfilmentCancelled
    case .fulfilmentCancelRefused: .fulfilmentCancelRefused
    }
  }

  public var orderID: OrderID {
    switch self {
    case .orderPlaced(let body): body.orderId
    case .orderCancelRequested(let body): body.orderId
    case .orderAccepted(let body): body.orderId
    case .orderCancelling(let body): body.orderId
    case .orderCompleted(let body): body.orderId
    case .orderCancelled(let body): body.orderId
    case .inventoryReserved(let body): body.orderId
    case .inventoryRejected(let body): body.orderId
    case .inventoryReleased(let body): body.orderId
    case .paymentCaptured(let body): body.orderId
    case .paymentDeclined(let body): body.orderId
    case .paymentRefunded(let body): body.orderId
    case .paymentVoided(let body): body.orderId
    case .fulfilmentShipped(let body): body.orderId
    case .fulfilmentFailed(let body): body.orderId
    case .fulfilmentCancelled(let body): body.orderId
    case .fulfilmentCancelRefused(let body): body.orderId
    }
  }
}
