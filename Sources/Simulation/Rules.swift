import Contracts
import Foundation
import Fulfilment
import Inventory
import Orders
import Payments

/// A decider as a function, so that a faulty one can be put in its place, and its decisions counted.
struct Rules<Base: Sendable, Effect: EffectRequest, Outcome: Codable & Sendable>: Decider {
  let rules: @Sendable (Input<Outcome>, Date, inout Base) -> Decision<Effect>

  func decide(
    _ input: Input<Outcome>, at now: Date, in rows: inout Witnessed<Base>
  ) -> Decision<Effect> {
    if case .event(let event) = input {
      rows.handled.append(
        HandledEvent(order: event.orderID.rawValue, type: event.type.rawValue))
    }
    return rules(input, now, &rows.rows)
  }
}

extension PlantedBug? {
  func orders(deadlineAfter: TimeInterval) -> Rules<OrderRows, Never, Never> {
    let decider = OrdersDecider(deadlineAfter: deadlineAfter)
    return Rules { input, now, rows in
      if self == .closesTwice, case .event(.paymentCaptured(let body)) = input,
        case .completed = rows.orders[body.orderId]
      {
        return .emit(.orderCompleted(OrderCompleted(orderId: body.orderId)))
      }
      let decision = decider.decide(input, at: now, in: &rows)
      if self == .confusesReasons, case .cancelled(let terms, _) = rows.orders[input.orderID] {
        rows.orders.write(.cancelled(terms, .cancelRequested), for: input.orderID)
      }
      return decision
    }
  }

  var inventory: Rules<InventoryRows, Never, Never> {
    let decider = InventoryDecider()
    return Rules { input, now, rows in
      let row = rows.reservations[input.orderID]
      switch (self, input, row) {
      case (.noTombstone, .event(.paymentVoided), nil):
        var forgotten = rows
        return decider.decide(input, at: now, in: &forgotten)
      case (.reservesTwice, .event(.orderPlaced), .released):
        rows = InventoryRows(stock: rows.stock)
        let decision = decider.decide(input, at: now, in: &rows)
        // The row itself stays as it was.
        rows = InventoryRows(stock: rows.stock)
        return decision
      case (.losesStock, .event, .reserved(let lines)):
        let decision = decider.decide(input, at: now, in: &rows)
        if !decision.emits.isEmpty, var stock = rows.stock[lines[0].sku] {
          stock.onHand -= 1
          rows.stock.write(stock, for: lines[0].sku)
        }
        return decision
      default:
        return decider.decide(input, at: now, in: &rows)
      }
    }
  }

  var payments: Rules<PaymentRows, PaymentEffect, PaymentOutcome> {
    let decider = PaymentsDecider()
    return Rules { input, now, rows in
      let decision = decider.decide(input, at: now, in: &rows)
      if self == .forgetsRefund { rows.ledger.removeAll { $0.kind == .refund } }
      return decision
    }
  }

  var fulfilment: Rules<ShipmentRows, ShipmentEffect, ShipmentOutcome> {
    let decider = FulfilmentDecider()
    return Rules { input, now, rows in
      if self == .cancelsShipped, case .event(.orderCancelling(let body)) = input,
        case .shipped = rows.shipments[body.orderId]
      {
        return .emit(
          .fulfilmentCancelled(FulfilmentCancelled(orderId: body.orderId, reason: body.reason)))
      }
      return decider.decide(input, at: now, in: &rows)
    }
  }
}
