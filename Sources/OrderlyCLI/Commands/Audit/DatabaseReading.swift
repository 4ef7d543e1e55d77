import Contracts
import Foundation
import Kafka
import Postgres

/// Reads the facts from the services' tables, by plain SQL.
struct DatabaseReading {
  /// How many rows one statement fetches.
  static let page = 20_000

  let connection: Connection
  /// nil for all orders.
  let since: Date?

  /// What the other services are asked for. They may have heard of an order long before orders did,
  /// so that the age of their rows says nothing.
  private func ids(_ facts: DatabaseFacts) -> [String]? {
    since == nil ? nil : facts.orders.map(\.id)
  }

  /// Adds a service's facts. Runs in a read-only transaction, so that they are of one moment.
  func read(_ service: ServiceName, into facts: inout DatabaseFacts) throws {
    switch service {
    case .orders: try readOrders(&facts)
    case .inventory: try readInventory(&facts)
    case .payments: try readPayments(&facts)
    case .fulfilment: try readShipments(&facts)
    }
    try readOutbox(service, &facts)
    try readDeadLetters(service, &facts)
    try readParked(service, &facts)
    try readCalls(service, &facts)
    try readInbox(service, &facts)
  }

  /// Rows of orders, a page at a time. `sql` has `$1` for the last id, `$2` for the most rows and
  /// `$3` for the ids of the orders; nil for all of them.
  private func pages(_ sql: String, of ids: [String]?, _ body: (Row) throws -> Void) throws {
    guard let ids else { return try pages(sql, nil, body) }
    for start in stride(from: 0, to: ids.count, by: Self.page) {
      let page = Array(ids[start..<min(start + Self.page, ids.count)])
      for row in try connection.execute(sql, "", Int64(Self.page), page) { try body(row) }
    }
  }

  /// The same with anything else for `$3`.
  private func pages(
    _ sql: String, _ filter: (any PostgresEncodable)?, _ body: (Row) throws -> Void
  ) throws {
    var last = ""
    while true {
      let rows = try connection.execute(sql, last, Int64(Self.page), filter)
      for row in rows { try body(row) }
      guard rows.count == Self.page, let row = rows.last else { return }
      last = try row.decode(0)
    }
  }

  private func readOrders(_ facts: inout DatabaseFacts) throws {
    let sql = """
      SELECT order_id, status, reason, currency, total, lane, created_at,
        CASE WHEN closed_at IS NULL THEN extract(epoch FROM now() - deadline_at)::float8 END
      FROM orders
      WHERE order_id > $1 AND ($3::timestamptz IS NULL OR created_at >= $3)
      ORDER BY order_id LIMIT $2
      """
    try pages(sql, since) { row in
      try facts.withOrder(try row.decode(0)) { order in
        order.order = try row.decode(1)
        order.reason = try row.decode(2)
        order.total = try Self.money(row[4, as: Int64?.self], row[3, as: String?.self])
        order.lane = try row.decode(5)
        order.createdAt = try row.decode(6)
        order.lateness = try row.decode(7)
      }
    }
  }

  private func readInventory(_ facts: inout DatabaseFacts) throws {
    let sql = """
      SELECT order_id, status FROM reservation
      WHERE order_id > $1 AND ($3::text[] IS NULL OR order_id = ANY($3))
      ORDER BY order_id LIMIT $2
      """
    try pages(sql, of: ids(facts)) { row in
      try facts.withOrder(try row.decode(0)) { $0.reservation = try row.decode(1) }
    }
    // Of all orders, however old: stock has no beginning.
    facts.stock = try connection.execute(
      """
      SELECT coalesce(stock.sku, held.sku), coalesce(received, 0), coalesce(on_hand, 0),
        coalesce(reserved, 0), coalesce(pieces, 0), stock.sku IS NOT NULL
      FROM stock FULL JOIN (
        SELECT line.key AS sku, sum(line.value::bigint)::bigint AS pieces
        FROM reservation, jsonb_each_text(lines) AS line WHERE status = 'reserved' GROUP BY 1
      ) AS held ON held.sku = stock.sku ORDER BY 1
      """
    ).map { row in
      StockFacts(
        sku: try row.decode(0), received: try row.decode(1), onHand: try row.decode(2),
        reserved: try row.decode(3), held: try row.decode(4), isKnown: try row.decode(5))
    }
  }

  private func readPayments(_ facts: inout DatabaseFacts) throws {
    let payments = """
      SELECT order_id, status, currency, amount FROM payment
      WHERE order_id > $1 AND ($3::text[] IS NULL OR order_id = ANY($3))
      ORDER BY order_id LIMIT $2
      """
    try pages(payments, of: ids(facts)) { row in
      try facts.withOrder(try row.decode(0)) { order in
        order.payment = try row.decode(1)
        order.charge = try Self.money(row[3, as: Int64?.self], row[2, as: String?.self])
      }
    }
    let ledger = """
      SELECT order_id, min(currency), count(DISTINCT currency),
        coalesce(sum(amount) FILTER (WHERE account = 'provider-receivable'), 0)::bigint,
        count(*) FILTER (WHERE account = 'provider-receivable' AND kind = 'capture'),
        count(*) FILTER (WHERE account = 'provider-receivable' AND kind = 'refund'),
        coalesce(sum(amount) FILTER (WHERE kind = 'capture'), 0)::bigint,
        coalesce(sum(amount) FILTER (WHERE kind = 'refund'), 0)::bigint
      FROM ledger_entry
      WHERE order_id > $1 AND ($3::text[] IS NULL OR order_id = ANY($3))
      GROUP BY order_id ORDER BY order_id LIMIT $2
      """
    try pages(ledger, of: ids(facts)) { row in
      let ledger = LedgerFacts(
        net: Money(amount: try row.decode(3), currency: try row.decode(1)),
        currencies: try row.decode(2), captures: try row.decode(4), refunds: try row.decode(5),
        captureBalance: try row.decode(6), refundBalance: try row.decode(7))
      facts.withOrder(try row.decode(0)) { $0.ledger = ledger }
    }
  }

  private func readShipments(_ facts: inout DatabaseFacts) throws {
    let sql = """
      SELECT order_id, status FROM shipment
      WHERE order_id > $1 AND ($3::text[] IS NULL OR order_id = ANY($3))
      ORDER BY order_id LIMIT $2
      """
    try pages(sql, of: ids(facts)) { row in
      try facts.withOrder(try row.decode(0)) { $0.shipment = try row.decode(1) }
    }
  }

  private func readOutbox(_ service: ServiceName, _ facts: inout DatabaseFacts) throws {
    for row in try connection.execute(
      """
      SELECT id, aggregatetype, type, aggregateid,
        extract(epoch FROM clock_timestamp() - created_at)::float8
      FROM outbox ORDER BY lane, seq
      """)
    {
      let key = try row[3, as: [UInt8]?.self]
      facts.outbox.append(
        OutboxFacts(
          service: service, id: try row.decode(0), topic: try row.decode(1),
          type: try row.decode(2), key: key.flatMap { String(validating: $0, as: UTF8.self) },
          waiting: try row.decode(4)))
    }
  }

  private func readDeadLetters(_ service: ServiceName, _ facts: inout DatabaseFacts) throws {
    for row in try connection.execute(
      """
      SELECT id, topic, partition, "offset", order_id, reason, state, event_id FROM dead_letter
      WHERE $1::timestamptz IS NULL OR last_failed >= $1 ORDER BY topic, partition, "offset", id
      """, since?.addingTimeInterval(-3600))
    {
      let partition = TopicPartition(topic: try row.decode(1), partition: try row.decode(2))
      facts.deadLetters.append(
        DeadLetterFacts(
          service: service, id: try row.decode(0),
          place: Place(partition: partition, offset: try row.decode(3)),
          order: try row.decode(4), reason: try row.decode(5), state: try row.decode(6),
          event: try row.decode(7)))
    }
  }

  /// However old: what is parked is under way.
  private func readParked(_ service: ServiceName, _ facts: inout DatabaseFacts) throws {
    for row in try connection.execute(
      """
      SELECT key, state = 'dead', (SELECT count(*) FROM parked WHERE order_id = parked_key.key),
        reason
      FROM parked_key
      """)
    {
      let parked = ParkedFacts(
        isDead: try row.decode(1), events: Int(try row[2, as: Int64.self]),
        reason: try row.decode(3))
      facts.parked[service, default: [:]][try row.decode(0)] = parked
    }
    for row in try connection.execute(
      #"SELECT event_id, topic, partition, "offset" FROM parked"#)
    {
      let partition = TopicPartition(topic: try row.decode(1), partition: try row.decode(2))
      facts.parkedEvents.append(
        ParkedEventFacts(
          service: service, id: try row.decode(0),
          place: Place(partition: partition, offset: try row.decode(3))))
    }
  }

  /// However old, as what is parked. Each side of the OR has its index.
  private func readCalls(_ service: ServiceName, _ facts: inout DatabaseFacts) throws {
    for row in try connection.execute(
      """
      SELECT order_id, kind, state = 'dead',
        CASE WHEN state = 'dead' OR attempts > 0 THEN coalesce(reason, 'given up')
          WHEN next_attempt_at < now() - interval '1 minute' THEN 'due, and not made yet' END
      FROM effect WHERE state = 'pending' OR state = 'dead' ORDER BY order_id, id
      """)
    {
      facts.add(
        CallFacts(
          service: service, order: try row.decode(0), kind: try row.decode(1),
          isDead: try row.decode(2), trouble: try row.decode(3)))
    }
  }

  private func readInbox(_ service: ServiceName, _ facts: inout DatabaseFacts) throws {
    let inbox = try connection.execute("SELECT count(*), min(received_at) FROM inbox")[0]
    facts.inboxRows += try inbox.decode(0)
    facts.firstTakenIn[service] = try inbox.decode(1)
    // What the key guarantees need not be counted; that it is there must be seen.
    let isGuarded = try connection.execute(
      """
      SELECT EXISTS (
        SELECT FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
        WHERE indrelid = 'inbox'::regclass AND indisprimary AND indisvalid AND indnkeyatts = 1
          AND attname = 'id')
      """
    ).scalar(as: Bool.self)
    if !isGuarded { facts.unguardedInboxes.append(service) }
  }

  private static func money(_ amount: Int64?, _ currency: String?) -> Money? {
    guard let amount, let currency else { return nil }
    return Money(amount: amount, currency: currency)
  }
}
