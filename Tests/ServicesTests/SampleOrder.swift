import Contracts
import FoundationEssentials

/// The moment at which everything in these tests happens.
let noon = Date(timeIntervalSince1970: 1_800_000_000)

/// An order of two pieces of one article for 30.00, with what a test wants to be different.
func sampleOrder(
  _ id: String = "order-1", customer: String = "customer-1",
  lines: [OrderLine] = [OrderLine(sku: "SKU-0001", quantity: 2, unitPrice: 1_500)],
  token: String = "tok_ok", cardCountry: String = "DE", country: String = "DE"
) -> OrderPlaced {
  OrderPlaced(
    orderId: OrderID(rawValue: id), customerId: customer, currency: "EUR",
    total: lines.reduce(0) { $0 + $1.quantity * $1.unitPrice }, lines: lines,
    payment: PaymentMethod(token: token, cardCountry: cardCountry),
    shipTo: Address(
      name: "Ada Lovelace", line1: "1 Main Street", city: "Berlin", postcode: "10115",
      country: country),
    placedAt: noon)
}

/// What inventory says when it has set aside `order`.
func reserved(_ order: OrderPlaced) -> InventoryReserved {
  InventoryReserved(
    orderId: order.orderId, customerId: order.customerId, currency: order.currency,
    total: order.total, lines: order.lines.map { StockLine(sku: $0.sku, quantity: $0.quantity) },
    payment: order.payment, shipTo: order.shipTo)
}

/// What payments says when it has the money for `order`.
func captured(_ order: OrderPlaced, paymentID: String = "pay_1") -> PaymentCaptured {
  PaymentCaptured(
    orderId: order.orderId, paymentId: paymentID, currency: order.currency, amount: order.total,
    lines: order.lines.map { StockLine(sku: $0.sku, quantity: $0.quantity) }, shipTo: order.shipTo)
}

/// One event of each type about `order`, as they would be on the topics.
func everyEvent(about order: OrderPlaced) -> [EventPayload] {
  let id = order.orderId
  return [
    .orderPlaced(order),
    .orderCancelRequested(OrderCancelRequested(orderId: id, requestedAt: noon)),
    .orderAccepted(OrderAccepted(orderId: id, deadlineAt: noon)),
    .orderCancelling(OrderCancelling(orderId: id, reason: .timedOut)),
    .orderCompleted(OrderCompleted(orderId: id)),
    .orderCancelled(OrderCancelled(orderId: id, reason: .timedOut)),
    .inventoryReserved(reserved(order)),
    .inventoryRejected(InventoryRejected(orderId: id, reason: .outOfStock, skus: ["SKU-0001"])),
    .inventoryReleased(InventoryReleased(orderId: id, reason: .undeliverable)),
    .paymentCaptured(captured(order)),
    .paymentDeclined(PaymentDeclined(orderId: id, reason: .declined)),
    .paymentRefunded(
      PaymentRefunded(
        orderId: id, paymentId: "pay_1", currency: order.currency, amount: order.total,
        reason: .undeliverable)),
    .paymentVoided(PaymentVoided(orderId: id, reason: .timedOut)),
    .fulfilmentShipped(FulfilmentShipped(orderId: id, trackingId: "trk_1")),
    .fulfilmentFailed(FulfilmentFailed(orderId: id, reason: .undeliverable)),
    .fulfilmentCancelled(FulfilmentCancelled(orderId: id, reason: .timedOut)),
    .fulfilmentCancelRefused(FulfilmentCancelRefused(orderId: id, trackingId: "trk_1")),
  ]
}
