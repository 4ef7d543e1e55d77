public import Contracts
public import FleetPostgres
public import Foundation
public import Postgres

/// The tables of the schema `orders`.
public struct OrderStore: ServiceStore {
  public static let migrations = [
    Migration(file: "0001_init.sql", bytes: PackageResources._001_init_sql),
    Migration(file: "0002_newest.sql", bytes: PackageResources._002_newest_sql),
  ]

  public init() {}

  public func load(
    _ events: [EventPayload], orders: [OrderID], at now: Date, on connection: Connection
  ) throws -> OrderRows {
    let rows = try connection.execute(
      """
      SELECT order_id, status, reason, customer_id, currency, total, placed_at, deadline_at
      FROM orders WHERE order_id = ANY($1)
      """, orders)
    var loaded: [OrderID: Order] = [:]
    for row in rows {
      let id: OrderID = try row.decode(0)
      guard let order = try OrderColumns(row, from: 1).order else {
        throw UnreadableRow(
          table: "orders", key: id.rawValue, problem: "the status does not fit the other columns")
      }
      loaded[id] = order
    }
    return OrderRows(orders: RowSet(loaded: loaded))
  }

  public func save(
    _ rows: OrderRows, lane: Int32, at now: Date, on connection: Connection
  ) throws {
    try insert(rows.orders.inserted, lane, now, connection)
    try update(rows.orders.updated, now, connection)
    try insert(rows.placedLines, connection)
    try insert(rows.steps, connection)
  }

  public func selection(
    by event: EventPayload, on connection: Connection
  ) -> [RowSelection] {
    RowSelection.rows(of: event.orderID, in: "orders", "order_line", "saga_step")
  }

  public var hasDeadlines: Bool { true }

  public func dueDeadlines(
    lane: Int32, at now: Date, limit: Int, on connection: Connection
  ) throws -> [OrderID] {
    try connection.execute(
      """
      SELECT order_id FROM orders WHERE lane = $1 AND status = 'placed' AND deadline_at <= $2
      ORDER BY deadline_at LIMIT $3
      """, lane, now, limit
    ).map { row in try row.decode(0) }
  }

  private func insert(
    _ orders: [(key: OrderID, row: Order)], _ lane: Int32, _ now: Date, _ connection: Connection
  ) throws {
    guard !orders.isEmpty else { return }
    try connection.executeLater(
      Statement(
        """
        INSERT INTO orders (order_id, status, reason, customer_id, currency, total, placed_at,
          deadline_at, closed_at, created_at, updated_at, lane)
        SELECT *, $10, $10, $11
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[],
          $7::timestamptz[], $8::timestamptz[], $9::timestamptz[])
        """, parameters: Self.arrays(orders, now) + [now, lane]))
  }

  private func update(
    _ orders: [(key: OrderID, row: Order)], _ now: Date, _ connection: Connection
  ) throws {
    guard !orders.isEmpty else { return }
    try connection.executeLater(
      Statement(
        """
        UPDATE orders SET status = new.status, reason = new.reason, customer_id = new.customer_id,
          currency = new.currency, total = new.total, placed_at = new.placed_at,
          deadline_at = new.deadline_at, closed_at = new.closed_at, updated_at = $10
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[],
          $7::timestamptz[], $8::timestamptz[], $9::timestamptz[])
          AS new (order_id, status, reason, customer_id, currency, total, placed_at, deadline_at,
            closed_at)
        WHERE orders.order_id = new.order_id
        """, parameters: Self.arrays(orders, now) + [now]))
  }

  /// The orders by columns, `$1` to `$9` of the statements above.
  private static func arrays(
    _ orders: [(key: OrderID, row: Order)], _ now: Date
  ) -> [(any PostgresEncodable)?] {
    let columns = orders.map { OrderColumns($0.row) }
    return [
      orders.map(\.key), columns.map(\.status), columns.map(\.reason),
      columns.map(\.terms?.customerID), columns.map(\.terms?.currency), columns.map(\.terms?.total),
      columns.map(\.terms?.placedAt), columns.map(\.terms?.deadlineAt),
      // A closed order does not change any more, so it is closed once.
      columns.map { $0.isClosed ? now : nil } as [Date?],
    ]
  }

  private func insert(
    _ placed: [(orderID: OrderID, lines: [OrderLine])], _ connection: Connection
  ) throws {
    guard !placed.isEmpty else { return }
    let lines = placed.flatMap { order in
      order.lines.enumerated().map { (id: order.orderID, number: $0 + 1, line: $1) }
    }
    try connection.executeLater(
      """
      INSERT INTO order_line (order_id, line, sku, quantity, unit_price)
      SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[])
      """,
      lines.map(\.id), lines.map(\.number), lines.map(\.line.sku),
      lines.map(\.line.quantity), lines.map(\.line.unitPrice))
  }

  private func insert(_ steps: [SagaStep], _ connection: Connection) throws {
    guard !steps.isEmpty else { return }
    // A customer may ask for a cancellation more than once: the first counts.
    try connection.executeLater(
      """
      INSERT INTO saga_step (order_id, type, at)
      SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[])
      ON CONFLICT DO NOTHING
      """, steps.map(\.orderID), steps.map(\.type), steps.map(\.at))
  }
}
