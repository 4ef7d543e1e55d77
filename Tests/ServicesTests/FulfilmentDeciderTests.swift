import Contracts
import Fulfilment
import Testing

struct FulfilmentDeciderTests {
  private static let order = sampleOrder()

  @Test func everyPairOfStateAndInput() {
    TransitionTable(
      """
      new                     | payment.captured | booking        | !book
      booking                 | order.cancelling | booking-cancel |
      booking                 | =shipped         | shipped        | fulfilment.shipped
      booking-cancel          | =shipped         | shipped        | fulfilment.shipped, fulfilment.cancel-refused
      booking, booking-cancel | =failed          | failed         | fulfilment.failed
      new                     | order.cancelling | cancelled      | fulfilment.cancelled
      shipped                 | order.cancelling | shipped        | fulfilment.cancel-refused
      """
    ).check(
      [
        nil,
        .booking,
        .bookingCancel,
        .shipped(trackingID: "trk_1"),
        .failed,
        .cancelled(.timedOut),
      ] as [Shipment?], stateName: Self.name,
      outcomes: [
        ("=shipped", ShipmentOutcome.shipped(trackingID: "trk_1")), ("=failed", .failed),
      ],
      { input, row in
        var rows = ShipmentRows(
          shipments: RowSet(loaded: [Self.order.orderId: row].compactMapValues { $0 }))
        let decision = FulfilmentDecider().decide(input, at: noon, in: &rows)
        return (decision, rows.shipments[Self.order.orderId])
      },
      effectName: { effect in
        switch effect {
        case .book: "!book"
        }
      })
  }

  private static func name(_ shipment: Shipment?) -> String {
    switch shipment {
    case nil: "new"
    case .booking: "booking"
    case .bookingCancel: "booking-cancel"
    case .shipped: "shipped"
    case .failed: "failed"
    case .cancelled: "cancelled"
    }
  }

  @Test func theParcelIsBookedAsItWasPaid() {
    var rows = ShipmentRows()
    let decision = FulfilmentDecider().decide(
      .event(.paymentCaptured(captured(Self.order))), at: noon, in: &rows)
    #expect(
      decision.effects == [
        .book(
          orderID: Self.order.orderId, lines: [StockLine(sku: "SKU-0001", quantity: 2)],
          shipTo: Self.order.shipTo)
      ])
  }
}
