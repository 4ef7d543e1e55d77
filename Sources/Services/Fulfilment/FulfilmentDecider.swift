public import Contracts
public import FoundationEssentials

/// The rules of fulfilment: books a parcel once the money is there, and owns the pivot: whether an
/// order can still be cancelled. Tests/ServicesTests has its table of transitions.
public struct FulfilmentDecider: Decider {
  public init() {}

  public func decide(
    _ input: Input<ShipmentOutcome>, at now: Date, in rows: inout ShipmentRows
  ) -> Decision<ShipmentEffect> {
    switch input {
    case .event(.paymentCaptured(let body)):
      captured(body, in: &rows)
    case .event(.orderCancelling(let body)):
      cancel(body.orderId, body.reason, in: &rows)
    case .outcome(.shipped(let trackingID), let id):
      shipped(id, trackingID, in: &rows)
    case .outcome(.failed, let id):
      failed(id, in: &rows)
    case .event(.orderPlaced), .event(.orderCancelRequested), .event(.orderAccepted),
      .event(.orderCompleted), .event(.orderCancelled),
      .event(.inventoryReserved), .event(.inventoryRejected), .event(.inventoryReleased),
      .event(.paymentDeclined), .event(.paymentRefunded), .event(.paymentVoided),
      .event(.fulfilmentShipped), .event(.fulfilmentFailed), .event(.fulfilmentCancelled),
      .event(.fulfilmentCancelRefused), .deadline:
      .nothing
    }
  }

  private func captured(
    _ body: PaymentCaptured, in rows: inout ShipmentRows
  ) -> Decision<ShipmentEffect> {
    switch rows.shipments[body.orderId] {
    case nil:
      rows.shipments.write(.booking, for: body.orderId)
      return .perform(.book(orderID: body.orderId, lines: body.lines, shipTo: body.shipTo))
    case .booking, .bookingCancel, .shipped, .failed, .cancelled:
      return .nothing
    }
  }

  private func cancel(
    _ id: OrderID, _ reason: CancellationReason, in rows: inout ShipmentRows
  ) -> Decision<ShipmentEffect> {
    switch rows.shipments[id] {
    case nil:
      rows.shipments.write(.cancelled(reason), for: id)
      return .emit(.fulfilmentCancelled(FulfilmentCancelled(orderId: id, reason: reason)))
    case .booking:
      rows.shipments.write(.bookingCancel, for: id)
      return .nothing
    case .shipped(let trackingID):
      return .emit(Self.refusal(id, trackingID))
    case .bookingCancel, .failed, .cancelled:
      return .nothing
    }
  }

  private func shipped(
    _ id: OrderID, _ trackingID: String, in rows: inout ShipmentRows
  ) -> Decision<ShipmentEffect> {
    let shipped = EventPayload.fulfilmentShipped(
      FulfilmentShipped(orderId: id, trackingId: trackingID))
    switch rows.shipments[id] {
    case .booking:
      rows.shipments.write(.shipped(trackingID: trackingID), for: id)
      return .emit(shipped)
    case .bookingCancel:
      rows.shipments.write(.shipped(trackingID: trackingID), for: id)
      return .emit(shipped, Self.refusal(id, trackingID))
    case nil, .shipped, .failed, .cancelled:
      return .nothing
    }
  }

  private func failed(_ id: OrderID, in rows: inout ShipmentRows) -> Decision<ShipmentEffect> {
    switch rows.shipments[id] {
    case .booking, .bookingCancel:
      rows.shipments.write(.failed, for: id)
      return .emit(.fulfilmentFailed(FulfilmentFailed(orderId: id, reason: .undeliverable)))
    case nil, .shipped, .failed, .cancelled:
      return .nothing
    }
  }

  private static func refusal(_ id: OrderID, _ trackingID: String) -> EventPayload {
    .fulfilmentCancelRefused(FulfilmentCancelRefused(orderId: id, trackingId: trackingID))
  }
}
