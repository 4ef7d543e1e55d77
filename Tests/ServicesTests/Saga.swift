import Contracts
import FoundationEssentials
import Fulfilment
import Inventory
import Orders
import Payments

/// The four deciders as functions, so that a test can put a faulty one in a decider's place.
struct Saga {
  typealias Decide<Rows, Effect: Sendable, Outcome: Sendable> =
    (Input<Outcome>, inout Rows) -> Decision<Effect>

  var orders: Decide<OrderRows, Never, Never> = {
    OrdersDecider().decide($0, at: noon, in: &$1)
  }
  var inventory: Decide<InventoryRows, Never, Never> = {
    InventoryDecider().decide($0, at: noon, in: &$1)
  }
  var payments: Decide<PaymentRows, PaymentEffect, PaymentOutcome> = {
    PaymentsDecider().decide($0, at: noon, in: &$1)
  }
  var fulfilment: Decide<ShipmentRows, ShipmentEffect, ShipmentOutcome> = {
    FulfilmentDecider().decide($0, at: noon, in: &$1)
  }
}

/// What is on its way to a service.
enum Letter: Hashable, CustomStringConvertible {
  case event(EventPayload, to: ServiceName)
  case payment(PaymentOutcome)
  case shipment(ShipmentOutcome)
  case deadline

  var recipient: ServiceName {
    switch self {
    case .event(_, let service): service
    case .payment: .payments
    case .shipment: .fulfilment
    case .deadline: .orders
    }
  }

  var description: String {
    switch self {
    case .event(let payload, let service): "\(payload.type.rawValue) to \(service.rawValue)"
    case .payment(let outcome): "=\(outcome) to payments"
    case .shipment(let outcome): "=\(outcome) to fulfilment"
    case .deadline: "the deadline to orders"
    }
  }
}

/// What a service keeps of the one order.
enum Desk: Hashable {
  case orders(Order?)
  case inventory(Reservation?, Stock)
  case payments(Payment?, [LedgerEntry])
  case fulfilment(Shipment?)
}

/// What a service does with a letter.
struct Reaction {
  var desk: Desk
  var emits: [EventPayload] = []
  var charges: [PaymentEffect] = []
  var bookings: [ShipmentEffect] = []
}

extension Saga {
  /// The reaction of the service that `letter` is for, of which `desk` is the state.
  func react(_ desk: Desk, to letter: Letter, about order: OrderPlaced) -> Reaction {
    let id = order.orderId
    let sku = order.lines[0].sku
    switch desk {
    case .orders(let row):
      var rows = OrderRows(orders: RowSet(loaded: [id: row].compactMapValues { $0 }))
      let decision = orders(letter.input(id) { nil }, &rows)
      return Reaction(desk: .orders(rows.orders[id]), emits: decision.emits)
    case .inventory(let row, let stock):
      var rows = InventoryRows(
        reservations: RowSet(loaded: [id: row].compactMapValues { $0 }),
        stock: RowSet(loaded: [sku: stock]))
      let decision = inventory(letter.input(id) { nil }, &rows)
      return Reaction(
        desk: .inventory(rows.reservations[id], rows.stock[sku] ?? stock), emits: decision.emits)
    case .payments(let row, let ledger):
      var rows = PaymentRows(payments: RowSet(loaded: [id: row].compactMapValues { $0 }))
      let decision = payments(letter.input(id) { letter.paymentOutcome }, &rows)
      return Reaction(
        desk: .payments(rows.payments[id], ledger + rows.ledger), emits: decision.emits,
        charges: decision.effects)
    case .fulfilment(let row):
      var rows = ShipmentRows(shipments: RowSet(loaded: [id: row].compactMapValues { $0 }))
      let decision = fulfilment(letter.input(id) { letter.shipmentOutcome }, &rows)
      return Reaction(
        desk: .fulfilment(rows.shipments[id]), emits: decision.emits, bookings: decision.effects)
    }
  }
}

extension Letter {
  fileprivate var paymentOutcome: PaymentOutcome? {
    if case .payment(let outcome) = self { outcome } else { nil }
  }

  fileprivate var shipmentOutcome: ShipmentOutcome? {
    if case .shipment(let outcome) = self { outcome } else { nil }
  }

  fileprivate func input<Outcome>(_ id: OrderID, _ outcome: () -> Outcome?) -> Input<Outcome> {
    switch self {
    case .event(let payload, _): return .event(payload)
    case .deadline: return .deadline(id)
    case .payment, .shipment:
      guard let outcome = outcome() else { preconditionFailure("\(self) came to a wrong service") }
      return .outcome(outcome, of: id)
    }
  }
}
