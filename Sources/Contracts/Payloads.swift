public import FoundationEssentials

// The bodies of the events, one type each. Topics/schemas holds the same as JSON Schemas, and a
// test compares the two. Amounts are integers in minor units of the currency.

/// A customer has placed an order. The total must be the sum of the lines.
/// Its schema: Topics/schemas/order.placed.json.
public struct OrderPlaced: Hashable, Sendable, Codable {
  public var orderId: OrderID
  /// The shop's own, 1 to 64 characters.
  public var customerId: String
  /// ISO 4217.
  public var currency: String
  /// Minor units, 0 to 10^12.
  public var total: Int
  /// 1 to 100 lines.
  public var lines: [OrderLine]
  public var payment: PaymentMethod
  public var shipTo: Address
  /// By the shop's clock.
  public var placedAt: Date

  public init(
    orderId: OrderID, customerId: String, currency: String, total: Int, lines: [OrderLine],
    payment: PaymentMethod, shipTo: Address, placedAt: Date
  ) {
    self.orderId = orderId
    self.customerId = customerId
    self.currency = currency
    self.total = total
    self.lines = lines
    self.payment = payment
    self.shipTo = shipTo
    self.placedAt = placedAt
  }
}

/// A customer wants an order cancelled; it may be too late.
/// Its schema: Topics/schemas/order.cancel-requested.json.
public struct OrderCancelRequested: Hashable, Sendable, Codable {
  public var orderId: OrderID
  /// By the shop's clock.
  public var requestedAt: Date

  public init(orderId: OrderID, requestedAt: Date) {
    self.orderId = orderId
    self.requestedAt = requestedAt
  }
}

/// The platform has taken an order on and will end it by `deadlineAt` in one way or another.
/// Its schema: Topics/schemas/order.accepted.json.
public struct OrderAccepted: Hashable, Sendable, Codable {
  public var orderId: OrderID
  /// When the way back begins if the order has not ended by then. Set by orders, by its own clock.
  public var deadlineAt: Date

  public init(orderId: OrderID, deadlineAt: Date) {
    self.orderId = orderId
    self.deadlineAt = deadlineAt
  }
}

/// The cue that starts the way back at its far end; the reason is `cancel-requested` or
/// `timed-out`.
/// Its schema: Topics/schemas/order.cancelling.json.
public struct OrderCancelling: Hashable, Sendable, Codable {
  public var orderId: OrderID
  public var reason: CancellationReason

  public init(orderId: OrderID, reason: CancellationReason) {
    self.orderId = orderId
    self.reason = reason
  }
}

/// The end of an order that was shipped.
/// Its schema: Topics/schemas/order.completed.json.
public struct OrderCompleted: Hashable, Sendable, Codable {
  public var orderId: OrderID

  public init(orderId: OrderID) {
    self.orderId = orderId
  }
}

/// The end of an order that was fully compensated: stock back, money back.
/// Its schema: Topics/schemas/order.cancelled.json.
public struct OrderCancelled: Hashable, Sendable, Codable {
  public var orderId: OrderID
  public var reason: CancellationReason

  public init(orderId: OrderID, reason: CancellationReason) {
    self.orderId = orderId
    self.reason = reason
  }
}

/// The stock for an order is set aside. Carries what payments needs.
/// Its schema: Topics/schemas/inventory.reserved.json.
public struct InventoryReserved: Hashable, Sendable, Codable {
  public var orderId: OrderID
  public var customerId: String
  /// ISO 4217.
  public var currency: String
  /// Minor units, 0 to 10^12; as in ``OrderPlaced``.
  public var total: Int
  /// Those of the order, without the prices.
  public var lines: [StockLine]
  public var payment: PaymentMethod
  public var shipTo: Address

  public init(
    orderId: OrderID, customerId: String, currency: String, total: Int, lines: [StockLine],
    payment: PaymentMethod, shipTo: Address
  ) {
    self.orderId = orderId
    self.customerId = customerId
    self.currency = currency
    self.total = total
    self.lines = lines
    self.payment = payment
    self.shipTo = shipTo
  }
}

/// There is not enough stock for an order; nothing was set aside.
/// Its schema: Topics/schemas/inventory.rejected.json.
public struct InventoryRejected: Hashable, Sendable, Codable {
  public var orderId: OrderID
  public var reason: CancellationReason
  /// The articles that are short.
  public var skus: [String]

  public init(orderId: OrderID, reason: CancellationReason, skus: [String]) {
    self.orderId = orderId
    self.reason = reason
    self.skus = skus
  }
}

/// What was set aside for an order is back in stock, or never will be set aside.
/// Its schema: Topics/schemas/inventory.released.json.
public struct InventoryReleased: Hashable, Sendable, Codable {
  public var orderId: OrderID
  public var reason: CancellationReason

  public init(orderId: OrderID, reason: CancellationReason) {
    self.orderId = orderId
    self.reason = reason
  }
}

/// The money for an order is taken. Carries what fulfilment needs.
/// Its schema: Topics/schemas/payment.captured.json.
public struct PaymentCaptured: Hashable, Sendable, Codable {
  public var orderId: OrderID
  /// The provider's reference of the capture.
  public var paymentId: String
  /// ISO 4217.
  public var currency: String
  /// Minor units, 0 to 10^12: the whole total of the order.
  public var amount: Int
  /// As in ``InventoryReserved``.
  public var lines: [StockLine]
  public var shipTo: Address

  public init(
    orderId: OrderID, paymentId: String, currency: String, amount: Int, lines: [StockLine],
    shipTo: Address
  ) {
    self.orderId = orderId
    self.paymentId = paymentId
    self.currency = currency
    self.amount = amount
    self.lines = lines
    self.shipTo = shipTo
  }
}

/// No money was taken; the reason is `declined` or `fraud-suspected`.
/// Its schema: Topics/schemas/payment.declined.json.
public struct PaymentDeclined: Hashable, Sendable, Codable {
  public var orderId: OrderID
  public var reason: CancellationReason

  public init(orderId: OrderID, reason: CancellationReason) {
    self.orderId = orderId
    self.reason = reason
  }
}

/// The money that was taken for an order has been given back.
/// Its schema: Topics/schemas/payment.refunded.json.
public struct PaymentRefunded: Hashable, Sendable, Codable {
  public var orderId: OrderID
  /// The provider's reference of the capture that was refunded.
  public var paymentId: String
  /// ISO 4217.
  public var currency: String
  /// Minor units, 0 to 10^12: all that was captured.
  public var amount: Int
  public var reason: CancellationReason

  public init(
    orderId: OrderID, paymentId: String, currency: String, amount: Int, reason: CancellationReason
  ) {
    self.orderId = orderId
    self.paymentId = paymentId
    self.currency = currency
    self.amount = amount
    self.reason = reason
  }
}

/// No money was taken for an order and none will be.
/// Its schema: Topics/schemas/payment.voided.json.
public struct PaymentVoided: Hashable, Sendable, Codable {
  public var orderId: OrderID
  public var reason: CancellationReason

  public init(orderId: OrderID, reason: CancellationReason) {
    self.orderId = orderId
    self.reason = reason
  }
}

/// The parcel has left: the point of no return.
/// Its schema: Topics/schemas/fulfilment.shipped.json.
public struct FulfilmentShipped: Hashable, Sendable, Codable {
  public var orderId: OrderID
  /// The carrier's reference of the parcel, 1 to 128 characters.
  public var trackingId: String

  public init(orderId: OrderID, trackingId: String) {
    self.orderId = orderId
    self.trackingId = trackingId
  }
}

/// The parcel can't be shipped; the reason is `undeliverable`.
/// Its schema: Topics/schemas/fulfilment.failed.json.
public struct FulfilmentFailed: Hashable, Sendable, Codable {
  public var orderId: OrderID
  public var reason: CancellationReason

  public init(orderId: OrderID, reason: CancellationReason) {
    self.orderId = orderId
    self.reason = reason
  }
}

/// The parcel has not left and never will.
/// Its schema: Topics/schemas/fulfilment.cancelled.json.
public struct FulfilmentCancelled: Hashable, Sendable, Codable {
  public var orderId: OrderID
  public var reason: CancellationReason

  public init(orderId: OrderID, reason: CancellationReason) {
    self.orderId = orderId
    self.reason = reason
  }
}

/// It is too late to cancel: the parcel has left.
/// Its schema: Topics/schemas/fulfilment.cancel-refused.json.
public struct FulfilmentCancelRefused: Hashable, Sendable, Codable {
  public var orderId: OrderID
  /// As in ``FulfilmentShipped``.
  public var trackingId: String

  public init(orderId: OrderID, trackingId: String) {
    self.orderId = orderId
    self.trackingId = trackingId
  }
}
