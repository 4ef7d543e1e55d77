public import Contracts
public import FoundationEssentials

/// The rules of inventory: sets aside all of an order's lines or none, and puts them back when
/// payments says that no money is kept. Tests/ServicesTests has its table of transitions.
public struct InventoryDecider: Decider {
  public init() {}

  public func decide(
    _ input: Input<Never>, at now: Date, in rows: inout InventoryRows
  ) -> Decision<Never> {
    switch input {
    case .event(.orderPlaced(let body)):
      placed(body, in: &rows)
    case .event(.paymentDeclined(let body)):
      release(body.orderId, body.reason, in: &rows)
    case .event(.paymentRefunded(let body)):
      release(body.orderId, body.reason, in: &rows)
    case .event(.paymentVoided(let body)):
      release(body.orderId, body.reason, in: &rows)
    case .event(.orderCancelRequested), .event(.orderAccepted), .event(.orderCancelling),
      .event(.orderCompleted), .event(.orderCancelled),
      .event(.inventoryReserved), .event(.inventoryRejected), .event(.inventoryReleased),
      .event(.paymentCaptured),
      .event(.fulfilmentShipped), .event(.fulfilmentFailed), .event(.fulfilmentCancelled),
      .event(.fulfilmentCancelRefused), .deadline:
      .nothing
    }
  }

  private func placed(_ body: OrderPlaced, in rows: inout InventoryRows) -> Decision<Never> {
    let id = body.orderId
    switch rows.reservations[id] {
    case nil: break
    case .reserved, .rejected, .released: return .nothing
    }
    let wanted = Self.perArticle(body.lines)
    let short = wanted.filter { $0.quantity > rows.stock[$0.sku]?.onHand ?? 0 }
    guard short.isEmpty else {
      rows.reservations.write(.rejected, for: id)
      return .emit(
        .inventoryRejected(
          InventoryRejected(orderId: id, reason: .outOfStock, skus: short.map(\.sku))))
    }
    for line in wanted { move(line.quantity, of: line.sku, in: &rows) }
    rows.reservations.write(.reserved(wanted), for: id)
    return .emit(
      .inventoryReserved(
        InventoryReserved(
          orderId: id, customerId: body.customerId, currency: body.currency, total: body.total,
          lines: body.lines.map { StockLine(sku: $0.sku, quantity: $0.quantity) },
          payment: body.payment, shipTo: body.shipTo)))
  }

  private func release(
    _ id: OrderID, _ reason: CancellationReason, in rows: inout InventoryRows
  ) -> Decision<Never> {
    switch rows.reservations[id] {
    case nil: break
    case .reserved(let lines):
      for line in lines { move(-line.quantity, of: line.sku, in: &rows) }
    case .rejected, .released: return .nothing
    }
    rows.reservations.write(.released(reason), for: id)
    return .emit(.inventoryReleased(InventoryReleased(orderId: id, reason: reason)))
  }

  /// Moves pieces from on hand to reserved, or back when `quantity` is negative.
  private func move(_ quantity: Int, of sku: String, in rows: inout InventoryRows) {
    // A reserved article has a row that the store has loaded. Were it not so, the negative numbers
    // that come of it would be refused by the table, and nothing would be lost.
    var stock = rows.stock[sku] ?? Stock(onHand: 0, reserved: 0)
    stock.onHand -= quantity
    stock.reserved += quantity
    rows.stock.write(stock, for: sku)
  }

  /// The order's articles, each once however many lines name it, sorted by SKU.
  static func perArticle(_ lines: [OrderLine]) -> [StockLine] {
    var quantities: [String: Int] = [:]
    for line in lines { quantities[line.sku, default: 0] += line.quantity }
    return quantities.map { StockLine(sku: $0.key, quantity: $0.value) }.sorted { $0.sku < $1.sku }
  }
}
