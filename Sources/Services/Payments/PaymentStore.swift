public import Contracts
public import FleetPostgres
public import Foundation
public import Postgres

/// The tables of the schema `payments`.
public struct PaymentStore: ServiceStore {
  public static let migrations = [
    Migration(file: "0001_init.sql", bytes: PackageResources._001_init_sql)
  ]

  private let screen: FraudScreen

  /// - Parameter screen: tells how far a customer's payments need counting.
  public init(screen: FraudScreen = FraudScreen()) {
    self.screen = screen
  }

  public func load(
    _ events: [EventPayload], orders: [OrderID], at now: Date, on connection: Connection
  ) throws -> PaymentRows {
    let customers = Set(
      events.compactMap { event in
        if case .inventoryReserved(let body) = event { body.customerId } else { nil }
      })
    let results = try connection.pipeline([
      Statement(
        """
        SELECT order_id, status, reason, customer_id, currency, amount, payment_id, parcel
        FROM payment WHERE order_id = ANY($1)
        """, orders),
      // Lanes that screen the same customer at the same moment do not see each other's payments:
      // the count may be short by those. Nobody counts further than the limit.
      Statement(
        """
        SELECT customer_id, (
          SELECT count(*) FROM (
            SELECT FROM payment
            WHERE payment.customer_id = customer.customer_id AND created_at > $2 LIMIT $3
          ) AS recent)
        FROM unnest($1::text[]) AS customer (customer_id)
        """, Array(customers), now - 3_600, screen.paymentsPerHour),
    ])
    var payments: [OrderID: Payment] = [:]
    for row in results[0] {
      let id: OrderID = try row.decode(0)
      guard let payment = try PaymentColumns(row, from: 1).payment else {
        throw UnreadableRow(
          table: "payment", key: id.rawValue, problem: "the status does not fit the other columns")
      }
      payments[id] = payment
    }
    var recentPayments: [String: Int] = [:]
    for row in results[1] { recentPayments[try row.decode(0)] = try row[1, as: Int.self] }
    return PaymentRows(payments: RowSet(loaded: payments), recentPayments: recentPayments)
  }

  public func save(
    _ rows: PaymentRows, lane: Int32, at now: Date, on connection: Connection
  ) throws {
    try insert(rows.payments.inserted, now, connection)
    try update(rows.payments.updated, now, connection)
    try insert(rows.ledger, now, connection)
  }

  public func selection(
    by event: EventPayload, on connection: Connection
  ) -> [RowSelection] {
    RowSelection.rows(of: event.orderID, in: "payment", "ledger_entry")
  }

  private func insert(
    _ payments: [(key: OrderID, row: Payment)], _ now: Date, _ connection: Connection
  ) throws {
    guard !payments.isEmpty else { return }
    try connection.executeLater(
      Statement(
        """
        INSERT INTO payment (order_id, status, reason, customer_id, currency, amount, payment_id,
          parcel, created_at, updated_at)
        SELECT order_id, status, reason, customer_id, currency, amount, payment_id, parcel::jsonb,
          $9, $9
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[],
          $7::text[], $8::text[])
          AS new (order_id, status, reason, customer_id, currency, amount, payment_id, parcel)
        """, parameters: try Self.arrays(payments) + [now]))
  }

  private func update(
    _ payments: [(key: OrderID, row: Payment)], _ now: Date, _ connection: Connection
  ) throws {
    guard !payments.isEmpty else { return }
    // Who pays how much never changes; leaving the indexed columns alone also keeps the update
    // within the page.
    try connection.executeLater(
      Statement(
        """
        UPDATE payment SET status = new.status, reason = new.reason, payment_id = new.payment_id,
          parcel = new.parcel::jsonb, updated_at = $9
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[],
          $7::text[], $8::text[])
          AS new (order_id, status, reason, customer_id, currency, amount, payment_id, parcel)
        WHERE payment.order_id = new.order_id
        """, parameters: try Self.arrays(payments) + [now]))
  }

  /// The payments by columns, `$1` to `$8` of the statements above.
  private static func arrays(
    _ payments: [(key: OrderID, row: Payment)]
  ) throws -> [(any PostgresEncodable)?] {
    let columns = payments.map { PaymentColumns($0.row) }
    return [
      payments.map(\.key), columns.map(\.status), columns.map(\.reason),
      columns.map(\.charge?.customerID), columns.map(\.charge?.currency),
      columns.map(\.charge?.amount), columns.map(\.paymentID),
      try columns.map { try $0.parcelJSON() },
    ]
  }

  private func insert(_ entries: [LedgerEntry], _ now: Date, _ connection: Connection) throws {
    guard !entries.isEmpty else { return }
    // No ON CONFLICT: should the rules ever book twice, the step has to fail.
    try connection.executeLater(
      """
      INSERT INTO ledger_entry (order_id, kind, account, currency, amount, at)
      SELECT *, $6 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[])
      """, entries.map(\.orderID), entries.map(\.kind.rawValue), entries.map(\.account.rawValue),
      entries.map(\.currency), entries.map(\.amount), now)
  }
}
