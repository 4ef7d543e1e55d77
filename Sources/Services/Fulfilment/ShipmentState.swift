public import Contracts

/// The parcel of an order; an order that has not been heard of has no row.
///
/// ```
///   (new) ── payment.captured ──▶ booking ── =shipped ──▶ shipped ◀──────────────┐
///     │                             │   └── =failed ──▶ failed ◀── =failed ──┐   │ =shipped
///     │                             └── order.cancelling ──────────▶ bookingCancel
///     └── order.cancelling ──▶ cancelled (tombstone)
/// ```
public enum Shipment: Hashable, Sendable {
  /// The carrier has been asked.
  case booking
  /// As `booking`, but the order is to be cancelled: the carrier's answer decides.
  case bookingCancel
  /// The parcel has left.
  case shipped(trackingID: String)
  /// The carrier has refused: no parcel has left, and none will.
  case failed
  /// No parcel will leave.
  case cancelled(CancellationReason)
}

/// What fulfilment asks of the carrier.
public enum ShipmentEffect: Hashable, EffectRequest {
  case book(orderID: OrderID, lines: [StockLine], shipTo: Address)

  public var orderID: OrderID {
    switch self {
    case .book(let orderID, _, _): orderID
    }
  }

  public var kind: String {
    switch self {
    case .book: "book"
    }
  }
}

/// The carrier's answer.
public enum ShipmentOutcome: Hashable, Sendable, Codable {
  case shipped(trackingID: String)
  /// The carrier does not deliver there.
  case failed
}

/// The rows of the schema `fulfilment` that a batch touches.
public struct ShipmentRows: Sendable {
  public var shipments: RowSet<OrderID, Shipment>

  public init(shipments: RowSet<OrderID, Shipment> = RowSet()) {
    self.shipments = shipments
  }
}
