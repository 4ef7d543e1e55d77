public import Contracts

/// The payment of an order; an order that has not been heard of has no row.
///
/// ```
///   (new) ── inventory.reserved ──▶ capturing ── =captured ──▶ captured
///     │   └─ flagged ──▶ declined ◀── =declined ──┤                │ fulfilment.failed,
///     │                      ▲                    │ fulfilment.…   │ fulfilment.cancelled
///     │                      └── =declined ── capturingUnwanted    ▼
///     │                                           └─ =captured ─▶ refunding ── =refunded ─▶ refunded
///     └── fulfilment.failed, fulfilment.cancelled ──▶ voided (tombstone)
/// ```
public enum Payment: Hashable, Sendable {
  /// The provider has been asked for the money. The parcel is what fulfilment will need to know.
  case capturing(Charge, Parcel)
  /// As `capturing`, but the order is on its way back: the money will be given back at once.
  case capturingUnwanted(Charge, CancellationReason)
  /// The money is ours; the provider's reference of it is what a refund names.
  case captured(Charge, paymentID: String)
  /// No money was taken: the provider has refused, or the fraud screen has.
  case declined(Charge, CancellationReason)
  /// The provider has been asked to give the money back.
  case refunding(Charge, paymentID: String, CancellationReason)
  /// The money that was captured was given back, all of it.
  case refunded(Charge, paymentID: String, CancellationReason)
  /// No money was asked for, nor will be.
  case voided(CancellationReason)

  /// Who pays how much.
  public struct Charge: Hashable, Sendable {
    public var customerID: String
    /// ISO 4217.
    public var currency: String
    /// Minor units of the currency.
    public var amount: Int

    public init(customerID: String, currency: String, amount: Int) {
      self.customerID = customerID
      self.currency = currency
      self.amount = amount
    }
  }

  /// What is to be shipped and where. It is passed on when the money is captured, and not kept.
  public struct Parcel: Hashable, Sendable, Codable {
    public var lines: [StockLine]
    public var shipTo: Address

    public init(lines: [StockLine], shipTo: Address) {
      self.lines = lines
      self.shipTo = shipTo
    }
  }
}

/// What payments asks of the provider. Amounts are in minor units of the currency.
public enum PaymentEffect: Hashable, EffectRequest {
  case capture(orderID: OrderID, amount: Int, currency: String, token: String)
  case refund(orderID: OrderID, paymentID: String, amount: Int, currency: String)

  public var orderID: OrderID {
    switch self {
    case .capture(let orderID, _, _, _), .refund(let orderID, _, _, _): orderID
    }
  }

  public var kind: String {
    switch self {
    case .capture: "capture"
    case .refund: "refund"
    }
  }
}

/// The provider's answer.
public enum PaymentOutcome: Hashable, Sendable, Codable {
  /// The money is taken; the provider's reference of it.
  case captured(paymentID: String)
  /// It has refused, for good: no money is taken.
  case declined
  /// The money is given back.
  case refunded
}

/// The rows of the schema `payments` that a batch touches.
public struct PaymentRows: Sendable {
  public var payments: RowSet<OrderID, Payment>
  /// By customer: the payments of the last hour, those of this batch included.
  public var recentPayments: [String: Int]
  /// The entries of this batch.
  public var ledger: [LedgerEntry] = []

  public init(
    payments: RowSet<OrderID, Payment> = RowSet(), recentPayments: [String: Int] = [:]
  ) {
    self.payments = payments
    self.recentPayments = recentPayments
  }
}
