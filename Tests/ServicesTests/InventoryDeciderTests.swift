import Contracts
import Inventory
import Testing

struct InventoryDeciderTests {
  private static let order = sampleOrder()

  @Test(arguments: [(10, "reserved"), (1, "rejected")])
  func everyPairOfStateAndInput(_ onHand: Int, _ placed: String) {
    TransitionTable(
      """
      new           | order.placed     | \(placed) | inventory.\(placed)
      new, reserved | payment.declined | released  | inventory.released
      new, reserved | payment.refunded | released  | inventory.released
      new, reserved | payment.voided   | released  | inventory.released
      """
    ).check(
      [
        nil,
        .reserved([StockLine(sku: "SKU-0001", quantity: 2)]),
        .rejected,
        .released(.declined),
      ] as [Reservation?], stateName: Self.name, outcomes: [],
      { input, row in
        var rows = InventoryRows(
          reservations: RowSet(loaded: [Self.order.orderId: row].compactMapValues { $0 }),
          stock: RowSet(loaded: ["SKU-0001": Stock(onHand: onHand, reserved: 2)]))
        let decision = InventoryDecider().decide(input, at: noon, in: &rows)
        return (decision, rows.reservations[Self.order.orderId])
      }, effectName: String.init(describing:))
  }

  private static func name(_ reservation: Reservation?) -> String {
    switch reservation {
    case nil: "new"
    case .reserved: "reserved"
    case .rejected: "rejected"
    case .released: "released"
    }
  }

  @Test func aReleasePutsBackWhatWasSetAside() {
    var rows = InventoryRows(stock: RowSet(loaded: ["SKU-0001": Stock(onHand: 5, reserved: 1)]))
    let id = Self.order.orderId
    _ = decide(.orderPlaced(Self.order), in: &rows)
    #expect(rows.stock["SKU-0001"] == Stock(onHand: 3, reserved: 3))
    let decision = decide(
      .paymentDeclined(PaymentDeclined(orderId: id, reason: .fraudSuspected)), in: &rows)
    #expect(rows.stock["SKU-0001"] == Stock(onHand: 5, reserved: 1))
    #expect(
      decision.emits == [
        .inventoryReleased(InventoryReleased(orderId: id, reason: .fraudSuspected))
      ])
    // As before the batch, so there is nothing to save.
    #expect(rows.stock.inserted.isEmpty)
  }

  @Test func allLinesOrNone() {
    let stock = [
      "SKU-0001": Stock(onHand: 5, reserved: 0), "SKU-0002": Stock(onHand: 1, reserved: 0),
    ]
    var rows = InventoryRows(stock: RowSet(loaded: stock))
    let order = sampleOrder(lines: [
      OrderLine(sku: "SKU-0001", quantity: 1, unitPrice: 1),
      OrderLine(sku: "SKU-0002", quantity: 2, unitPrice: 1),
      OrderLine(sku: "SKU-0003", quantity: 1, unitPrice: 1),
    ])
    let decision = decide(.orderPlaced(order), in: &rows)
    #expect(
      decision.emits == [
        .inventoryRejected(
          InventoryRejected(
            orderId: order.orderId, reason: .outOfStock, skus: ["SKU-0002", "SKU-0003"]))
      ])
    #expect(rows.stock.updated.isEmpty && rows.stock.inserted.isEmpty)
  }

  @Test(arguments: [(3, true), (2, false)])
  func linesOfTheSameArticleAddUp(_ onHand: Int, _ isEnough: Bool) {
    var rows = InventoryRows(
      stock: RowSet(loaded: ["SKU-0001": Stock(onHand: onHand, reserved: 0)]))
    let order = sampleOrder(lines: [
      OrderLine(sku: "SKU-0001", quantity: 1, unitPrice: 100),
      OrderLine(sku: "SKU-0001", quantity: 2, unitPrice: 90),
    ])
    let decision = decide(.orderPlaced(order), in: &rows)
    if isEnough {
      #expect(decision.emits == [.inventoryReserved(reserved(order))])
      #expect(rows.stock["SKU-0001"] == Stock(onHand: 0, reserved: 3))
    } else {
      #expect(decision.emits.map(\.type) == [.inventoryRejected])
      #expect(rows.stock["SKU-0001"] == Stock(onHand: 2, reserved: 0))
    }
  }

  @Test func ordersOfABatchShareTheStock() {
    var rows = InventoryRows(stock: RowSet(loaded: ["SKU-0001": Stock(onHand: 3, reserved: 0)]))
    let types = ["a", "b"].flatMap { id in
      decide(.orderPlaced(sampleOrder(id)), in: &rows).emits.map(\.type)
    }
    #expect(types == [.inventoryReserved, .inventoryRejected])
  }

  private func decide(_ event: EventPayload, in rows: inout InventoryRows) -> Decision<Never> {
    InventoryDecider().decide(.event(event), at: noon, in: &rows)
  }
}
