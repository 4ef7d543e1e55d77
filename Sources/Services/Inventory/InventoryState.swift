public import Contracts

/// What inventory knows of an order; an order that has not been heard of has no row.
///
/// ```
///   (new) ── order.placed ──┬─▶ reserved ── payment.declined, .refunded, .voided ──▶ released
///     │                     └─▶ rejected                                               ▲
///     └────────── payment.declined, payment.refunded, payment.voided (tombstone) ──────┘
/// ```
public enum Reservation: Hashable, Sendable {
  /// Set aside: each article once, sorted by SKU. A shipped order stays reserved.
  case reserved([StockLine])
  /// Nothing was set aside: there was not enough.
  case rejected
  /// Nothing is set aside any more, nor will be.
  case released(CancellationReason)
}

/// The pieces of an article.
public struct Stock: Hashable, Sendable {
  /// Free to be reserved; 0 or more.
  public var onHand: Int
  /// Set aside for orders; 0 or more.
  public var reserved: Int

  public init(onHand: Int, reserved: Int) {
    self.onHand = onHand
    self.reserved = reserved
  }
}

/// The rows of the schema `inventory` that a batch touches.
public struct InventoryRows: Sendable {
  public var reservations: RowSet<OrderID, Reservation>
  /// By SKU: those of the orders to reserve and of the reservations to release. An article that
  /// the catalogue does not have has no row.
  public var stock: RowSet<String, Stock>

  public init(
    reservations: RowSet<OrderID, Reservation> = RowSet(), stock: RowSet<String, Stock> = RowSet()
  ) {
    self.reservations = reservations
    self.stock = stock
  }
}
