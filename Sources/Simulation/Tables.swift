import Contracts
import Fleet
import FleetTesting
import Foundation
import Fulfilment
import Inventory
import Orders
import Payments

// The services' own tables, with the constraints that their migrations give them.

struct OrderTables: InMemoryTables {
  var orders: [OrderID: (order: Order, lane: Int32)] = [:]

  func load(_ events: [EventPayload], orders ids: [OrderID], at now: Date) -> Witnessed<OrderRows> {
    Witnessed(OrderRows(orders: RowSet(loaded: selected(ids, from: orders.mapValues(\.order)))))
  }

  mutating func save(_ witnessed: Witnessed<OrderRows>, lane: Int32, at now: Date) throws {
    let rows = witnessed.rows
    for (id, row) in rows.orders.inserted {
      guard orders[id] == nil else { throw StoreError.rejected("order \(id) is there already") }
      orders[id] = (row, lane)
    }
    for (id, row) in rows.orders.updated { orders[id]?.order = row }
  }

  func dueDeadlines(lane: Int32, at now: Date, limit: Int) -> [OrderID] {
    let due = orders.compactMap { id, row -> (Date, OrderID)? in
      guard row.lane == lane, case .placed(let terms) = row.order, terms.deadlineAt <= now else {
        return nil
      }
      return (terms.deadlineAt, id)
    }
    return due.sorted { $0 < $1 }.prefix(limit).map(\.1)
  }
}

struct InventoryTables: InMemoryTables {
  static let lanesShareRows = true

  var reservations: [OrderID: Reservation] = [:]
  var stock: [String: Stock]

  func load(_ events: [EventPayload], orders: [OrderID], at now: Date) -> Witnessed<InventoryRows> {
    var skus: Set<String> = []
    for event in events {
      if case .orderPlaced(let body) = event {
        skus.formUnion(body.lines.map(\.sku))
      } else if case .reserved(let lines) = reservations[event.orderID] {
        skus.formUnion(lines.map(\.sku))
      }
    }
    return Witnessed(
      InventoryRows(
        reservations: RowSet(loaded: selected(orders, from: reservations)),
        stock: RowSet(loaded: selected(Array(skus), from: stock))))
  }

  mutating func save(_ witnessed: Witnessed<InventoryRows>, lane: Int32, at now: Date) throws {
    let rows = witnessed.rows
    for (id, row) in rows.reservations.inserted {
      guard reservations[id] == nil else {
        throw StoreError.rejected("reservation \(id) is there already")
      }
      reservations[id] = row
    }
    for (id, row) in rows.reservations.updated { reservations[id] = row }
    for (sku, row) in rows.stock.updated {
      guard row.onHand >= 0, row.reserved >= 0 else {
        throw StoreError.rejected("stock of \(sku) would be below zero")
      }
      stock[sku] = row
    }
  }
}

struct PaymentTables: InMemoryTables {
  var payments: [OrderID: (payment: Payment, customer: String?, createdAt: Date)] = [:]
  var ledger: [LedgerEntry] = []

  func load(_ events: [EventPayload], orders: [OrderID], at now: Date) -> Witnessed<PaymentRows> {
    var recent: [String: Int] = [:]
    for case .inventoryReserved(let body) in events {
      recent[body.customerId] = payments.values.count {
        $0.customer == body.customerId && $0.createdAt > now - 3_600
      }
    }
    return Witnessed(
      PaymentRows(
        payments: RowSet(loaded: selected(orders, from: payments.mapValues(\.payment))),
        recentPayments: recent))
  }

  mutating func save(_ witnessed: Witnessed<PaymentRows>, lane: Int32, at now: Date) throws {
    let rows = witnessed.rows
    for (id, row) in rows.payments.inserted {
      guard payments[id] == nil else { throw StoreError.rejected("payment \(id) is there already") }
      payments[id] = (row, Self.customer(of: row), now)
    }
    for (id, row) in rows.payments.updated { payments[id]?.payment = row }
    for entry in rows.ledger {
      let isThere = ledger.contains {
        $0.orderID == entry.orderID && $0.kind == entry.kind && $0.account == entry.account
      }
      guard !isThere else { throw StoreError.rejected("\(entry.orderID) is booked already") }
      ledger.append(entry)
    }
  }

  private static func customer(of payment: Payment) -> String? {
    switch payment {
    case .capturing(let charge, _), .capturingUnwanted(let charge, _), .captured(let charge, _),
      .declined(let charge, _), .refunding(let charge, _, _), .refunded(let charge, _, _):
      charge.customerID
    case .voided: nil
    }
  }
}

struct ShipmentTables: InMemoryTables {
  var shipments: [OrderID: Shipment] = [:]

  func load(_ events: [EventPayload], orders: [OrderID], at now: Date) -> Witnessed<ShipmentRows> {
    Witnessed(ShipmentRows(shipments: RowSet(loaded: selected(orders, from: shipments))))
  }

  mutating func save(_ witnessed: Witnessed<ShipmentRows>, lane: Int32, at now: Date) throws {
    let rows = witnessed.rows
    for (id, row) in rows.shipments.inserted {
      guard shipments[id] == nil else {
        throw StoreError.rejected("shipment \(id) is there already")
      }
      shipments[id] = row
    }
    for (id, row) in rows.shipments.updated { shipments[id] = row }
  }
}

private func selected<Key: Hashable, Row>(_ keys: [Key], from rows: [Key: Row]) -> [Key: Row] {
  var selection: [Key: Row] = [:]
  for key in keys { selection[key] = rows[key] }
  return selection
}
