public import FoundationEssentials

// The bodies of the events, one type each. Topics/schemas holds the same as JSON Schemas, and a
// test compares the two. Amounts are integers in minor units of the currency.

/// A customer has placed an order. The total must be the sum of the lines.
public struct OrderPlaced: Hashable, Sendable, Codable {
  public var orderId: OrderID
  public var customerId: String
  /// ISO 4217.
  public var currency: String
  /// Minor units, 0 to 10^12.
  public var total: Int
  /// 1 to 100 lines.
  public var lines: [OrderLine]
  public var payment: PaymentMethod
  public var shipTo: Address
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
public struct OrderCancelRequested: Hashable, Sendable, Codable {
  public var orderId: OrderID
  public var requestedAt: Date

  public init(orderId: OrderID, requestedAt: Date) {
    self.orderId = orderId
    self.requestedAt = requestedAt
  }
}

/// The platform has taken an order on and will end it by `deadlineAt` in one way or another.
public struct OrderAccepted: Hashable, Sendable, Codable {
  public var orderId: OrderID
  public var deadlineAt: Date

  public init(orderId: OrderID, deadlineAt: Date) {
    self.orderId = orderId
    self.deadlineAt = deadlineAt
  }
}

/// The cue that starts the way back at its far end; the reason is `cancel-requested` or
/// `timed-out`.
public struct OrderCancelling: Hashable, Sendable, Codable {
  public var orderId: OrderID
  public var reason: CancellationReason

  public init(orderId: OrderID, reason: CancellationReason) {
    self.orderId = orderId
    self.reason = reason
  }
}

/// The end of an order that was shipped.
public struct OrderCompleted: Hashable, Sendable, Codable {
  public var orderId: OrderID

  public init(orderId: OrderID) {
    self.orderId = orderId
  }
}

/// The end of an order that was fully compensated: stock back, money back.
public struct OrderCancelled: Hashable, Sendable, Codable {
  public var orderId: OrderID
  public var reason: CancellationReason

  public init(orderId: OrderID, reason: CancellationReason) {
    self.orderId = orderId
    self.reason = reason
  }
}

/// The stock for an order is set aside. Carries what payments needs.
public struct InventoryReserved: Hashable, Sendable, Codable {
  public var orderId: OrderID
  public var customerId: String
  public var currency: String
  public var total: Int
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
public struct InventoryReleased: Hashable, Sendable, Codable {
  public var orderId: OrderID
  public var reason: CancellationReason

  public init(orderId: OrderID, reason: CancellationReason) {
    self.orderId = orderId
    self.reason = reason
  }
}

/// The money for an order is taken. Carries what fulfilment needs.
public struct PaymentCaptured: Hashable, Sendable, Codable {
  public var orderId: OrderID
  /// The provider's reference of the capture.
  public var paymentId: String
  public var currency: String
  public var amount: Int
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
public struct PaymentDeclined: Hashable, Sendable, Codable {
  public var orderId: OrderID
  public var reason: CancellationReason

  public init(orderId: OrderID, reason: CancellationReason) {
    self.orderId = orderId
    self.reason = reason
  }
}

/// The money that was taken for an order has been given back.
public struct PaymentRefunded: Hashable, Sendable, Codable {
  public var orderId: OrderID
  /// The provider's reference of the capture that was refunded.
  public var paymentId: String
  public var currency: String
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
public struct PaymentVoided: Hashable, Sendable, Codable {
  public var orderId: OrderID
  public var reason: CancellationReason

  public init(orderId: OrderID, reason: CancellationReason) {
    self.orderId = orderId
    self.reason = reason
  }
}

/// The parcel has left: the point of no return.
public struct FulfilmentShipped: Hashable, Sendable, Codable {
  public var orderId: OrderID
  public var trackingId: String

  public init(orderId: OrderID, trackingId: String) {
    self.orderId = orderId
    self.trackingId = trackingId
  }
}

/// The parcel can't be shipped; the reason is `undeliverable`.
public struct FulfilmentFailed: Hashable, Sendable, Codable {
  public var orderId: OrderID
  public var reason: CancellationReason

  public init(orderId: OrderID, reason: CancellationReason) {
    self.orderId = orderId
    self.reason = reason
  }
}

/// The parcel has not left and never will.
public struct FulfilmentCancelled: Hashable, Sendable, Codable {
  public var orderId: OrderID
  public var reason: CancellationReason

  public init(orderId: OrderID, reason: CancellationReason) {
    self.orderId = orderId
    self.reason = reason
  }
}

/// It is too late to cancel: the parcel has left.
public struct FulfilmentCancelRefused: Hashable, Sendable, Codable {
  public var orderId: OrderID
  public var trackingId: String

  public init(orderId: OrderID, trackingId: String) {
    self.orderId = orderId
    self.trackingId = trackingId
  }
}
