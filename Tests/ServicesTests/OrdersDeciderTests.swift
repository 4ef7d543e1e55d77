import Contracts
import FoundationEssentials
import Orders
import Testing

struct OrdersDeciderTests {
  private static let order = sampleOrder()
  private static let terms = Order.Terms(
    customerID: "customer-1", currency: "EUR", total: 3_000, placedAt: noon,
    deadlineAt: noon + 900)

  @Test func everyPairOfStateAndInput() {
    TransitionTable(
      """
      new               | order.placed                  | placed            | order.accepted
      shipped-early     | order.placed                  | completed         | order.accepted, order.completed
      unfulfilled-early | order.placed                  | cancelled         | order.accepted, order.cancelled
      cancel-early      | order.placed                  | cancelling        | order.accepted, order.cancelling
      new               | order.cancel-requested        | cancel-early      |
      placed            | order.cancel-requested        | cancelling        | order.cancelling
      placed            | deadline                      | cancelling        | order.cancelling
      new, cancel-early | inventory.rejected            | unfulfilled-early |
      new, cancel-early | inventory.released            | unfulfilled-early |
      new, cancel-early | fulfilment.shipped            | shipped-early     |
      placed, cancelling| inventory.rejected            | cancelled         | order.cancelled
      placed, cancelling| inventory.released            | cancelled         | order.cancelled
      placed, cancelling| fulfilment.shipped            | completed         | order.completed
      """
    ).check(
      [
        nil,
        .endedEarly(.shipped),
        .endedEarly(.unfulfilled(.outOfStock)),
        .cancelEarly,
        .placed(Self.terms),
        .cancelling(Self.terms, .timedOut),
        .completed(Self.terms),
        .cancelled(Self.terms, .declined),
      ] as [Order?], stateName: Self.name, outcomes: [],
      { input, row in
        var rows = OrderRows(
          orders: RowSet(loaded: [Self.order.orderId: row].compactMapValues { $0 }))
        let decision = OrdersDecider().decide(input, at: noon, in: &rows)
        return (decision, rows.orders[Self.order.orderId])
      }, effectName: String.init(describing:))
  }

  private static func name(_ order: Order?) -> String {
    switch order {
    case nil: "new"
    case .endedEarly(.shipped): "shipped-early"
    case .endedEarly(.unfulfilled): "unfulfilled-early"
    case .cancelEarly: "cancel-early"
    case .placed: "placed"
    case .cancelling: "cancelling"
    case .completed: "completed"
    case .cancelled: "cancelled"
    }
  }

  @Test func theDeadlineCountsFromTheAcceptance() throws {
    var rows = OrderRows()
    let decision = OrdersDecider(deadlineAfter: 60).decide(
      .event(.orderPlaced(Self.order)), at: noon + 5, in: &rows)
    #expect(
      decision.emits == [
        .orderAccepted(OrderAccepted(orderId: Self.order.orderId, deadlineAt: noon + 65))
      ])
    guard case .placed(let terms) = rows.orders[Self.order.orderId] else {
      Issue.record("not placed")
      return
    }
    #expect(terms.deadlineAt == noon + 65)
    #expect(rows.placedLines.map(\.lines) == [Self.order.lines])
  }

  @Test(arguments: [CancellationReason.cancelRequested, .timedOut])
  func theReasonOfTheWayBackIsTold(_ reason: CancellationReason) {
    let id = Self.order.orderId
    let request = OrderCancelRequested(orderId: id, requestedAt: noon)
    let input: Input<Never> =
      reason == .timedOut ? .deadline(id) : .event(.orderCancelRequested(request))
    var rows = OrderRows(orders: RowSet(loaded: [id: .placed(Self.terms)]))
    let decision = OrdersDecider().decide(input, at: noon, in: &rows)
    #expect(decision.emits == [.orderCancelling(OrderCancelling(orderId: id, reason: reason))])
  }

  /// The parcel could not be delivered before the cancellation reached fulfilment: the customer is
  /// told what really ended the order.
  @Test func theReasonThatComesBackWins() {
    let id = Self.order.orderId
    var rows = OrderRows(
      orders: RowSet(loaded: [id: .cancelling(Self.terms, .cancelRequested)]))
    let released = EventPayload.inventoryReleased(
      InventoryReleased(orderId: id, reason: .undeliverable))
    let decision = OrdersDecider().decide(.event(released), at: noon, in: &rows)
    #expect(
      decision.emits == [.orderCancelled(OrderCancelled(orderId: id, reason: .undeliverable))])
  }

  @Test func everyEventIsAStepAndADeadlineIsNone() {
    var rows = OrderRows()
    for event in everyEvent(about: Self.order) {
      _ = OrdersDecider().decide(.event(event), at: noon, in: &rows)
    }
    _ = OrdersDecider().decide(.deadline(Self.order.orderId), at: noon, in: &rows)
    #expect(rows.steps.map(\.type) == EventType.allCases)
  }
}
