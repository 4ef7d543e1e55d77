import Contracts
import Fulfilment
import Payments
import Testing

struct TestPerformersTests {
  @Test(arguments: [
    ("tok_ok", 0), ("tok_anything", 0), ("tok_flaky_0", 0), ("tok_flaky_3", 3),
    ("tok_flaky_", 0), ("tok_flaky_x", 0),
  ])
  func aTokenForetellsTheFailuresBeforeTheCapture(_ token: String, _ failures: Int) throws {
    for attempt in 1..<(failures + 1) {
      let failure = #expect(throws: TransientFailure.self) {
        try TestProvider().perform(capture("order-1", token), attempt: attempt)
      }
      #expect(failure?.reason == "provider-unavailable")
    }
    let outcome = try TestProvider().perform(capture("order-1", token), attempt: failures + 1)
    guard case .captured(let paymentID) = outcome else {
      Issue.record("not captured: \(outcome)")
      return
    }
    #expect(paymentID.hasPrefix("pay_"))
  }

  @Test func aDeclinedCardAndAProviderThatIsDown() throws {
    #expect(
      try TestProvider().perform(capture("order-1", "tok_declined"), attempt: 1) == .declined)
    #expect(throws: TransientFailure.self) {
      try TestProvider().perform(capture("order-1", "tok_down"), attempt: 1_000_000)
    }
  }

  @Test func performingTwiceIsPerformingOnce() throws {
    let provider = TestProvider()
    let first = try provider.perform(capture("order-1", "tok_ok"), attempt: 1)
    #expect(try provider.perform(capture("order-1", "tok_ok"), attempt: 2) == first)
    #expect(try provider.perform(capture("order-2", "tok_ok"), attempt: 1) != first)
    let parcel = try TestCarrier().perform(book("order-1", "DE"), attempt: 1)
    #expect(try TestCarrier().perform(book("order-1", "DE"), attempt: 2) == parcel)
    #expect(try TestCarrier().perform(book("order-2", "DE"), attempt: 1) != parcel)
  }

  @Test func noParcelGoesToACountryThatIsNone() throws {
    #expect(try TestCarrier().perform(book("order-1", "ZZ"), attempt: 1) == .failed)
  }

  @Test func aRefundSucceeds() throws {
    let refund = PaymentEffect.refund(
      orderID: OrderID(rawValue: "order-1"), paymentID: "pay_1", amount: 1, currency: "EUR")
    #expect(try TestProvider().perform(refund, attempt: 1) == .refunded)
  }

  private func capture(_ id: String, _ token: String) -> PaymentEffect {
    .capture(orderID: OrderID(rawValue: id), amount: 3_000, currency: "EUR", token: token)
  }

  private func book(_ id: String, _ country: String) -> ShipmentEffect {
    let order = sampleOrder(id, country: country)
    return .book(orderID: order.orderId, lines: [], shipTo: order.shipTo)
  }
}
