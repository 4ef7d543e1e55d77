public import Contracts
public import FleetPostgres
public import Foundation
public import Postgres

/// The tables of the schema `inventory`.
public struct InventoryStore: ServiceStore {
  public static let migrations = [
    Migration(file: "0001_init.sql", bytes: PackageResources._001_init_sql),
    Migration(file: "0002_catalogue.sql", bytes: PackageResources._002_catalogue_sql),
  ]

  public init() {}

  public func load(
    _ events: [EventPayload], orders: [OrderID], at now: Date, on connection: Connection
  ) throws -> InventoryRows {
    var skus: Set<String> = []
    var mayRelease: [OrderID] = []
    for event in events {
      if case .orderPlaced(let body) = event {
        skus.formUnion(body.lines.lazy.map(\.sku))
      } else {
        mayRelease.append(event.orderID)
      }
    }
    // Lanes share the stock rows. Each step locks its own in the order of their SKUs and takes no
    // other lock after them, so that no two steps wait for each other. They are what other lanes
    // wait for, so they come last.
    let results = try connection.pipeline([
      Statement(
        "SELECT order_id, status, reason, lines FROM reservation WHERE order_id = ANY($1)", orders),
      Statement(
        """
        SELECT sku, on_hand, reserved FROM stock
        WHERE sku = ANY($1::text[] || ARRAY(
          SELECT jsonb_object_keys(lines) FROM reservation
          WHERE order_id = ANY($2) AND status = 'reserved'))
        ORDER BY sku FOR UPDATE
        """, Array(skus), mayRelease),
    ])
    var reservations: [OrderID: Reservation] = [:]
    for row in results[0] {
      let id: OrderID = try row.decode(0)
      reservations[id] = try ReservationColumns(row, from: 1).reservation(of: id)
    }
    var stock: [String: Stock] = [:]
    for row in results[1] {
      stock[try row.decode(0)] = Stock(onHand: try row.decode(1), reserved: try row.decode(2))
    }
    return InventoryRows(
      reservations: RowSet(loaded: reservations), stock: RowSet(loaded: stock))
  }

  public func save(
    _ rows: InventoryRows, lane: Int32, at now: Date, on connection: Connection
  ) throws {
    if let (sku, _) = rows.stock.inserted.first {
      throw UnreadableRow(
        table: "stock", key: sku, problem: "an order has it reserved, but the article is not there")
    }
    try insert(rows.reservations.inserted, now, connection)
    try update(rows.reservations.updated, now, connection)
    try update(rows.stock.updated, connection)
  }

  public func selection(
    by event: EventPayload, on connection: Connection
  ) throws -> [RowSelection] {
    var skus: [String] = try connection.execute(
      "SELECT jsonb_object_keys(lines) FROM reservation WHERE order_id = $1", event.orderID
    ).map { row in try row.decode(0) }
    if case .orderPlaced(let body) = event { skus += body.lines.map(\.sku) }
    return RowSelection.rows(of: event.orderID, in: "reservation")
      + [RowSelection(table: "stock", column: "sku", values: skus)]
  }

  private func insert(
    _ reservations: [(key: OrderID, row: Reservation)], _ now: Date, _ connection: Connection
  ) throws {
    guard !reservations.isEmpty else { return }
    try connection.executeLater(
      Statement(
        """
        INSERT INTO reservation (order_id, status, reason, lines, created_at, updated_at)
        SELECT order_id, status, reason, lines::jsonb, $5, $5
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
          AS new (order_id, status, reason, lines)
        """, parameters: Self.arrays(reservations) + [now]))
  }

  private func update(
    _ reservations: [(key: OrderID, row: Reservation)], _ now: Date, _ connection: Connection
  ) throws {
    guard !reservations.isEmpty else { return }
    try connection.executeLater(
      Statement(
        """
        UPDATE reservation SET status = new.status, reason = new.reason, lines = new.lines::jsonb,
          updated_at = $5
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
          AS new (order_id, status, reason, lines)
        WHERE reservation.order_id = new.order_id
        """, parameters: Self.arrays(reservations) + [now]))
  }

  /// The reservations by columns, `$1` to `$4` of the statements above.
  private static func arrays(
    _ reservations: [(key: OrderID, row: Reservation)]
  ) -> [(any PostgresEncodable)?] {
    let columns = reservations.map { ReservationColumns($0.row) }
    return [
      reservations.map(\.key), columns.map(\.status), columns.map(\.reason), columns.map(\.lines),
    ]
  }

  private func update(
    _ stock: [(key: String, row: Stock)], _ connection: Connection
  ) throws {
    guard !stock.isEmpty else { return }
    try connection.executeLater(
      """
      UPDATE stock SET on_hand = new.on_hand, reserved = new.reserved
      FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS new (sku, on_hand, reserved)
      WHERE stock.sku = new.sku
      """, stock.map(\.key), stock.map(\.row.onHand), stock.map(\.row.reserved))
  }
}
