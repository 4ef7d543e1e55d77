import Arguments
import Contracts
import Foundation
import Postgres

extension OrderDetails {
  /// What the services know of an order.
  ///
  /// - Throws: ``CommandFailure`` when none of them has heard of it.
  static func find(_ id: String, _ global: GlobalOptions) async throws -> OrderDetails {
    let details = try await load(id, global)
    guard !details.isEmpty else {
      throw CommandFailure(
        "No service has heard of the order \(printable(id)). Is its order.placed still waiting "
          + "('orderly get groups'), or was it too damaged to name its order ('orderly dlq list')?")
    }
    return details
  }

  static func load(_ id: String, _ global: GlobalOptions) async throws -> OrderDetails {
    var details = try await global.read(.orders) { connection in
      var details = OrderDetails(id: id)
      try details.readOrder(on: connection)
      try details.readFailures(in: .orders, on: connection)
      return details
    }
    for service in [ServiceName.inventory, .payments, .fulfilment] {
      details = try await global.read(service) { [details] connection in
        var details = details
        switch service {
        case .orders: break
        case .inventory: try details.readReservation(on: connection)
        case .payments: try details.readPayment(on: connection)
        case .fulfilment: try details.readShipment(on: connection)
        }
        try details.readFailures(in: service, on: connection)
        return details
      }
    }
    return details
  }

  private mutating func readOrder(on connection: Connection) throws {
    let results = try connection.pipeline([
      Statement("SELECT \(OrderRow.columns) FROM orders WHERE order_id = $1", id),
      Statement(
        "SELECT sku, quantity, unit_price FROM order_line WHERE order_id = $1 ORDER BY line", id),
      Statement("SELECT type, at FROM saga_step WHERE order_id = $1 ORDER BY at, type", id),
    ])
    order = try results[0].first.map { try OrderRow($0) }
    lines = try results[1].map { row in
      Line(
        sku: try row.decode(0), quantity: try row.decode(1), unitPrice: try row.decode(2))
    }
    steps = try results[2].map { row in Step(type: try row.decode(0), at: try row.decode(1)) }
  }

  private mutating func readReservation(on connection: Connection) throws {
    reservation = try connection.execute(
      """
      SELECT status, reason, updated_at, ARRAY(
        SELECT value || ' × ' || key FROM jsonb_each_text(coalesce(lines, '{}')) ORDER BY key)
      FROM reservation WHERE order_id = $1
      """, id
    ).first.map { row in
      Reservation(
        status: try row.decode(0), reason: try row.decode(1), lines: try row.decode(3),
        updatedAt: try row.decode(2))
    }
  }

  private mutating func readPayment(on connection: Connection) throws {
    let results = try connection.pipeline([
      Statement(
        """
        SELECT status, reason, currency, amount, payment_id, updated_at
        FROM payment WHERE order_id = $1
        """, id),
      Statement(
        """
        SELECT kind, account, currency, amount, at FROM ledger_entry WHERE order_id = $1
        ORDER BY at, kind, account
        """, id),
    ])
    payment = try results[0].first.map { row in
      let currency = try row[2, as: String?.self]
      let amount = try row[3, as: Int64?.self]
      return Payment(
        status: try row.decode(0), reason: try row.decode(1),
        amount: currency.flatMap { currency in
          amount.map { Money(amount: $0, currency: currency) }
        }, paymentID: try row.decode(4), updatedAt: try row.decode(5))
    }
    ledger = try results[1].map { row in
      LedgerEntry(
        kind: try row.decode(0), account: try row.decode(1),
        amount: Money(amount: try row.decode(3), currency: try row.decode(2)),
        at: try row.decode(4))
    }
  }

  private mutating func readShipment(on connection: Connection) throws {
    shipment = try connection.execute(
      "SELECT status, reason, tracking_id, updated_at FROM shipment WHERE order_id = $1", id
    ).first.map { row in
      Shipment(
        status: try row.decode(0), reason: try row.decode(1), trackingID: try row.decode(2),
        updatedAt: try row.decode(3))
    }
  }

  private mutating func readFailures(
    in service: ServiceName, on connection: Connection
  ) throws {
    if let key = try ParkedKeyRow.one(id, of: service, on: connection) { parkedKeys.append(key) }
    parkedEvents += try ParkedEventRow.queue(of: id, in: service, on: connection)
    effects += try EffectRow.unanswered(of: id, in: service, on: connection)
    deadLetters += try connection.execute(
      """
      SELECT \(DeadLetterRow.columns) FROM dead_letter
      WHERE order_id = $1 OR key = convert_to($1, 'UTF8') ORDER BY first_failed, id LIMIT 100
      """, id
    ).map { try DeadLetterRow($0, of: service) }
  }
}
