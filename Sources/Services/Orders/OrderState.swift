public import Contracts
public import FoundationEssentials

/// An order as orders knows it; an order that has not been heard of has no row.
///
/// ```
///            ┌── order.cancel-requested ──▶ cancelEarly ──┐ order.placed
///   (new) ───┼── order.placed ──▶ placed ──────────────▶ cancelling
///            │      deadline, order.cancel-requested ─┘      │
///            │                      │                        │
///            │      fulfilment.shipped ──▶ completed ◀── fulfilment.shipped
///            │      inventory.rejected,  ──▶ cancelled ◀── inventory.rejected,
///            │      inventory.released                     inventory.released
///            └── an ending's event ──▶ endedEarly ── order.placed ──▶ completed or cancelled
/// ```
public enum Order: Hashable, Sendable {
  /// The last event of the saga came before its first; `order.placed` will close the order.
  case endedEarly(Ending)
  /// The customer's cancellation came before the order; `order.placed` will start the way back.
  case cancelEarly
  /// Accepted; the other services are at work on it.
  case placed(Terms)
  /// On the way back, which fulfilment has been told to begin. The parcel may still turn out to
  /// have left.
  case cancelling(Terms, CancellationReason)
  /// Ended: the parcel has left.
  case completed(Terms)
  /// Ended: nothing is held in stock, and nothing is kept of the money.
  case cancelled(Terms, CancellationReason)

  /// How the other services have ended an order.
  public enum Ending: Hashable, Sendable {
    /// The parcel has left.
    case shipped
    /// Nothing is held in stock, and nothing is kept of the money.
    case unfulfilled(CancellationReason)
  }

  /// What was agreed when the order was accepted.
  public struct Terms: Hashable, Sendable {
    public var customerID: String
    /// ISO 4217.
    public var currency: String
    /// Minor units of the currency.
    public var total: Int
    public var placedAt: Date
    /// When orders starts the way back, if the order is still open.
    public var deadlineAt: Date

    public init(
      customerID: String, currency: String, total: Int, placedAt: Date, deadlineAt: Date
    ) {
      self.customerID = customerID
      self.currency = currency
      self.total = total
      self.placedAt = placedAt
      self.deadlineAt = deadlineAt
    }
  }
}

/// An event of an order that orders has received.
public struct SagaStep: Hashable, Sendable {
  public var orderID: OrderID
  public var type: EventType
  public var at: Date

  public init(orderID: OrderID, type: EventType, at: Date) {
    self.orderID = orderID
    self.type = type
    self.at = at
  }
}

/// The rows of the schema `orders` that a batch touches.
public struct OrderRows: Sendable {
  public var orders: RowSet<OrderID, Order>
  /// The lines of the orders that were placed in this batch. They are kept for people; the saga
  /// needs them only in `order.placed`.
  public var placedLines: [(orderID: OrderID, lines: [OrderLine])] = []
  /// The events of this batch, the ones that came too late included.
  public var steps: [SagaStep] = []

  public init(orders: RowSet<OrderID, Order> = RowSet()) {
    self.orders = orders
  }
}
