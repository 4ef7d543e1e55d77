import Contracts
import Payments
import Testing

struct PaymentsDeciderTests {
  private static let order = sampleOrder()
  private static let charge = Payment.Charge(
    customerID: "customer-1", currency: "EUR", amount: 3_000)

  @Test func everyPairOfStateAndInput() {
    TransitionTable(
      """
      new                           | inventory.reserved   | capturing          | !capture
      capturing                     | =captured            | captured           | payment.captured
      capturing, capturing-unwanted | =declined            | declined           | payment.declined
      capturing-unwanted            | =captured            | refunding          | !refund
      refunding                     | =refunded            | refunded           | payment.refunded
      new                           | fulfilment.failed    | voided             | payment.voided
      new                           | fulfilment.cancelled | voided             | payment.voided
      capturing                     | fulfilment.failed    | capturing-unwanted |
      capturing                     | fulfilment.cancelled | capturing-unwanted |
      captured                      | fulfilment.failed    | refunding          | !refund
      captured                      | fulfilment.cancelled | refunding          | !refund
      """
    ).check(
      [
        nil,
        .capturing(Self.charge, Self.parcel),
        .capturingUnwanted(Self.charge, .timedOut),
        .captured(Self.charge, paymentID: "pay_1"),
        .declined(Self.charge, .declined),
        .refunding(Self.charge, paymentID: "pay_1", .timedOut),
        .refunded(Self.charge, paymentID: "pay_1", .timedOut),
        .voided(.timedOut),
      ] as [Payment?], stateName: Self.name,
      outcomes: [
        ("=captured", PaymentOutcome.captured(paymentID: "pay_1")), ("=declined", .declined),
        ("=refunded", .refunded),
      ],
      { input, row in
        var rows = PaymentRows(
          payments: RowSet(loaded: [Self.order.orderId: row].compactMapValues { $0 }))
        let decision = PaymentsDecider().decide(input, at: noon, in: &rows)
        return (decision, rows.payments[Self.order.orderId])
      },
      effectName: { effect in
        switch effect {
        case .capture: "!capture"
        case .refund: "!refund"
        }
      })
  }

  private static func name(_ payment: Payment?) -> String {
    switch payment {
    case nil: "new"
    case .capturing: "capturing"
    case .capturingUnwanted: "capturing-unwanted"
    case .captured: "captured"
    case .declined: "declined"
    case .refunding: "refunding"
    case .refunded: "refunded"
    case .voided: "voided"
    }
  }

  private static var parcel: Payment.Parcel {
    Payment.Parcel(lines: reserved(order).lines, shipTo: order.shipTo)
  }

  @Test func aCaptureAndItsRefundAreBookedOnBothSides() {
    let id = Self.order.orderId
    var rows = PaymentRows()
    let capture = decide(.event(.inventoryReserved(reserved(Self.order))), in: &rows)
    #expect(
      capture.effects == [
        .capture(orderID: id, amount: 3_000, currency: "EUR", token: "tok_ok")
      ])
    #expect(rows.ledger.isEmpty)
    let said = decide(.outcome(.captured(paymentID: "pay_1"), of: id), in: &rows)
    #expect(said.emits == [.paymentCaptured(captured(Self.order))])
    #expect(rows.ledger.map(\.account) == [.providerReceivable, .customerSales])
    #expect(rows.ledger.map(\.amount) == [3_000, -3_000])

    let failed = FulfilmentFailed(orderId: id, reason: .undeliverable)
    let refund = decide(.event(.fulfilmentFailed(failed)), in: &rows)
    #expect(
      refund.effects == [
        .refund(orderID: id, paymentID: "pay_1", amount: 3_000, currency: "EUR")
      ])
    let refunded = decide(.outcome(.refunded, of: id), in: &rows)
    #expect(
      refunded.emits == [
        .paymentRefunded(
          PaymentRefunded(
            orderId: id, paymentId: "pay_1", currency: "EUR", amount: 3_000,
            reason: .undeliverable))
      ])
    #expect(rows.ledger.map(\.kind) == [.capture, .capture, .refund, .refund])
    #expect(rows.ledger.map(\.amount) == [3_000, -3_000, -3_000, 3_000])
    let keys = rows.ledger.map { "\($0.orderID) \($0.kind) \($0.account)" }
    #expect(Set(keys).count == 4)
  }

  struct Screened: Sendable {
    var total = 100
    var card = "DE"
    var country = "DE"
    var earlier = 0
    var isFlagged: Bool
  }

  @Test(arguments: [
    Screened(total: 999_999, isFlagged: false),
    Screened(total: 1_000_000, isFlagged: true),
    Screened(total: 199_999, card: "FR", isFlagged: false),
    Screened(total: 200_000, card: "FR", isFlagged: true),
    Screened(total: 200_000, isFlagged: false),
    Screened(total: 200_000, country: "ZZ", isFlagged: false),
    Screened(total: 200_000, card: "ZZ", isFlagged: false),
    Screened(total: 1_000_000, country: "ZZ", isFlagged: true),
    Screened(earlier: 99, isFlagged: false),
    Screened(earlier: 100, isFlagged: true),
  ])
  func fraud(_ screened: Screened) {
    let order = sampleOrder(
      lines: [OrderLine(sku: "SKU-0001", quantity: 1, unitPrice: screened.total)],
      cardCountry: screened.card, country: screened.country)
    var rows = PaymentRows(recentPayments: ["customer-1": screened.earlier])
    let decision = decide(.event(.inventoryReserved(reserved(order))), in: &rows)
    let refusal = PaymentDeclined(orderId: order.orderId, reason: .fraudSuspected)
    #expect(decision.emits == (screened.isFlagged ? [.paymentDeclined(refusal)] : []))
    #expect(decision.effects.isEmpty == screened.isFlagged)
  }

  @Test func thePaymentsOfABatchCountForTheVelocity() {
    let decider = PaymentsDecider(screen: FraudScreen(paymentsPerHour: 3))
    var rows = PaymentRows(recentPayments: ["customer-1": 1])
    let flagged = ["a", "b", "c"].map { id in
      let body = reserved(sampleOrder(id))
      return decider.decide(.event(.inventoryReserved(body)), at: noon, in: &rows).effects.isEmpty
    }
    #expect(flagged == [false, false, true])
    let other = reserved(sampleOrder("d", customer: "customer-2"))
    let decision = decider.decide(.event(.inventoryReserved(other)), at: noon, in: &rows)
    #expect(decision.effects.count == 1)
  }

  private func decide(
    _ input: Input<PaymentOutcome>, in rows: inout PaymentRows
  ) -> Decision<PaymentEffect> {
    PaymentsDecider().decide(input, at: noon, in: &rows)
  }
}
