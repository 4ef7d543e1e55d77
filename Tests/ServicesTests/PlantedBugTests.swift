import Contracts
import Fulfilment
import Inventory
import Orders
import Payments
import Testing

/// The explorer is only worth something if it finds what is wrong: each of these sagas has one
/// fault, of the kind that a tester who tries a few orders would not meet.
struct PlantedBugTests {
  @Test func paymentsForgetsACancellationThatComesWhileItCaptures() {
    var saga = Saga()
    let decide = saga.payments
    saga.payments = { input, rows in
      if case .event(.fulfilmentCancelled) = input, case .capturing = rows.payments[input.orderID] {
        return .nothing
      }
      return decide(input, &rows)
    }
    expect(saga, toBreak: "I3: the order has not ended, and nothing is on its way")
  }

  @Test func inventoryLeavesNoTombstone() {
    var saga = Saga()
    let decide = saga.inventory
    saga.inventory = { input, rows in
      let isUnknown = rows.reservations[input.orderID] == nil
      guard isUnknown, case .event(.paymentVoided) = input else { return decide(input, &rows) }
      var forgotten = rows
      return decide(input, &forgotten)
    }
    expect(saga, toBreak: "I3: cancelled, but 2 is held")
  }

  @Test func inventoryReservesAgainForASecondDelivery() {
    var saga = Saga()
    let decide = saga.inventory
    saga.inventory = { input, rows in
      if case .event(.orderPlaced) = input, case .reserved = rows.reservations[input.orderID] {
        rows = InventoryRows(stock: rows.stock)
      }
      return decide(input, &rows)
    }
    expect(saga, toBreak: "I2: completed, but 4 reserved")
  }

  @Test func fulfilmentGivesAwayThePivotWhileItBooks() {
    var saga = Saga()
    let decide = saga.fulfilment
    saga.fulfilment = { input, rows in
      guard case .event(.orderCancelling(let body)) = input,
        case .booking = rows.shipments[body.orderId]
      else { return decide(input, &rows) }
      // The carrier has already been asked, and what it does can no longer be called off.
      return .emit(
        .fulfilmentCancelled(FulfilmentCancelled(orderId: body.orderId, reason: body.reason)))
    }
    expect(saga, toBreak: "I1: the money goes back for a parcel that has left")
  }

  @Test func paymentsCapturesAgainAfterARefund() {
    var saga = Saga()
    let decide = saga.payments
    saga.payments = { input, rows in
      if case .event(.inventoryReserved) = input, case .refunded = rows.payments[input.orderID] {
        rows = PaymentRows()
      }
      return decide(input, &rows)
    }
    expect(saga, toBreak: "I1: the money is taken twice")
  }

  @Test func ordersForgetsAnEndingThatComesBeforeTheOrder() {
    var saga = Saga()
    let decide = saga.orders
    saga.orders = { input, rows in
      if case .event(.inventoryRejected) = input, rows.orders[input.orderID] == nil {
        return .nothing
      }
      return decide(input, &rows)
    }
    expect(saga, toBreak: "I3: the order has not ended, and nothing is on its way", stock: 1)
  }

  @Test func ordersClosesAnOrderTwice() {
    var saga = Saga()
    let decide = saga.orders
    saga.orders = { input, rows in
      if case .event(.fulfilmentShipped(let body)) = input,
        case .completed = rows.orders[body.orderId]
      {
        return .emit(.orderCompleted(OrderCompleted(orderId: body.orderId)))
      }
      return decide(input, &rows)
    }
    expect(saga, toBreak: "I3: there is more than one terminal event")
  }

  @Test func theLedgerMissesOneSide() {
    var saga = Saga()
    let decide = saga.payments
    saga.payments = { input, rows in
      let decision = decide(input, &rows)
      rows.ledger.removeAll { $0.account == .customerSales }
      return decision
    }
    expect(saga, toBreak: "I1: the ledger does not sum to zero")
  }

  private func expect(
    _ saga: Saga, toBreak rule: String, stock: Int = 10,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    var explorer = SagaExplorer(sampleOrder(), stock: stock, saga: saga)
    let violation = explorer.explore().violation
    #expect(violation?.rule == rule, sourceLocation: sourceLocation)
    // The path is given as it must be walked to see the fault.
    #expect(violation?.trace.isEmpty == false, sourceLocation: sourceLocation)
  }
}
