import Contracts
import Foundation
import Payments
import Postgres
import Testing

struct PaymentStoreTests {
  private static let charge = Payment.Charge(
    customerID: "customer-1", currency: "EUR", amount: 3_000)
  private static let parcel = Payment.Parcel(
    lines: reserved(sampleOrder()).lines,
    shipTo: Address(
      name: "Zoë \"Zed\" O'Neil\\", line1: "1 Main Street", city: "Åbo", postcode: "20100",
      country: "FI"))

  private static let everyState: [Payment] = [
    .capturing(charge, parcel), .capturingUnwanted(charge, .cancelRequested),
    .captured(charge, paymentID: "pay_1"), .declined(charge, .fraudSuspected),
    .refunding(charge, paymentID: "pay_1", .undeliverable),
    .refunded(charge, paymentID: "pay_1", .undeliverable), .voided(.timedOut),
  ]

  @Test func aSavedPaymentIsLoadedAsItWas() throws {
    try StoreBench.with(PaymentStore()) { bench in
      try bench.connect { connection in
        let payments = numbered(Self.everyState)
        try bench.step([], on: connection) { rows in
          for (id, row) in payments { rows.payments.write(row, for: id) }
        }
        let loaded = try bench.load(payments.map(\.id), on: connection)
        for (id, row) in payments { #expect(loaded.payments[id] == row) }

        // Every change but those from and to voided, which has no charge.
        let charged = payments.dropLast()
        let changed = zip(charged, charged.dropFirst() + [charged[0]]).map { ($0.id, $1.row) }
        try bench.step([], also: charged.map(\.id), on: connection) { rows in
          for (id, row) in changed { rows.payments.write(row, for: id) }
        }
        let reloaded = try bench.load(charged.map(\.id), on: connection)
        for (id, row) in changed { #expect(reloaded.payments[id] == row) }
      }
    }
  }

  @Test func theLedgerSumsToZeroAndNothingIsBookedTwice() throws {
    try StoreBench.with(PaymentStore()) { bench in
      try bench.connect { connection in
        let id = OrderID(rawValue: "order-1")
        let inputs: [Input<PaymentOutcome>] = [
          .event(.inventoryReserved(reserved(sampleOrder()))),
          .outcome(.captured(paymentID: "pay_1"), of: id),
          .event(.fulfilmentFailed(FulfilmentFailed(orderId: id, reason: .undeliverable))),
          .outcome(.refunded, of: id),
        ]
        for input in inputs {
          try bench.step([], also: [id], on: connection) { rows in
            _ = PaymentsDecider().decide(input, at: noon, in: &rows)
          }
        }
        let sums = try connection.execute(
          """
          SELECT account, count(*), sum(amount)::bigint FROM ledger_entry
          GROUP BY account ORDER BY account
          """)
        let accounts = try sums.map { "\(try $0[0, as: String.self]) \(try $0[1, as: Int.self])" }
        #expect(accounts == ["customer-sales 2", "provider-receivable 2"])
        #expect(try sums.map { try $0[2, as: Int.self] } == [0, 0])

        let again = #expect(throws: PostgresError.self) {
          try bench.step([], on: connection) { rows in
            rows.ledger.append(
              LedgerEntry(
                orderID: id, kind: .capture, account: .customerSales, currency: "EUR", amount: -1))
          }
        }
        #expect(again?.sqlState == .uniqueViolation)
      }
    }
  }

  @Test func theLastHoursPaymentsOfACustomerAreCountedUpToTheLimit() throws {
    let screen = FraudScreen(paymentsPerHour: 3)
    try StoreBench.with(PaymentStore(screen: screen)) { bench in
      try bench.connect { connection in
        func pay(_ id: String, _ customer: String, at time: Date) throws {
          let event = EventPayload.inventoryReserved(
            reserved(sampleOrder(id, customer: customer)))
          try bench.step([event], at: time, on: connection) { rows in
            _ = PaymentsDecider().decide(.event(event), at: time, in: &rows)
          }
        }
        for number in 0..<5 { try pay("many-\(number)", "often", at: noon) }
        try pay("old", "seldom", at: noon - 3_601)
        try pay("new", "seldom", at: noon - 3_599)
        let events = ["often", "seldom", "never"].map {
          EventPayload.inventoryReserved(reserved(sampleOrder("next-\($0)", customer: $0)))
        }
        let rows = try bench.store.load(events, orders: [], at: noon, on: connection)
        #expect(rows.recentPayments == ["often": 3, "seldom": 1, "never": 0])
      }
    }
  }

  @Test func theNumberOfStatementsDoesNotGrowWithTheBatch() throws {
    let counts = try [2, 50].map { count in
      try StoreBench.with(PaymentStore()) { bench in
        let log = StatementLog()
        try log.connect(bench.configuration) { connection in
          let orders = sampleOrders(count)
          let events = orders.map { EventPayload.inventoryReserved(reserved($0)) }
          try bench.step(events, on: connection) { rows in
            for event in events { _ = PaymentsDecider().decide(.event(event), at: noon, in: &rows) }
          }
          try bench.step([], also: orders.map(\.orderId), on: connection) { rows in
            for order in orders {
              _ = PaymentsDecider().decide(
                .outcome(.captured(paymentID: "pay_1"), of: order.orderId), at: noon, in: &rows)
            }
          }
        }
        return log.count
      }
    }
    // Each step: BEGIN, two of the load, COMMIT; the first inserts, the second updates and books.
    #expect(counts == [11, 11])
  }
}
