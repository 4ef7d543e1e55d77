public import Contracts
public import Fleet
public import Foundation
import Postgres

/// The statements about parked keys. All but the reading one are put off: they travel with COMMIT.
extension PostgresStep {
  public func dueQueues(
    of keys: [OrderID], lane: Int32, at now: Date, limit: Int
  ) throws -> [ParkedQueue] {
    let rows = try connection.execute(
      """
      SELECT due.key, due.attempts, due.next_attempt_at, due.reason, due.detail, due.first_failed,
        due.last_failed, due.length, event_id, event_type, topic, partition, "offset", parked.key,
        value, headers::text, parked.attempts, parked.reason, parked.detail, parked.first_failed,
        parked.last_failed
      FROM (
        SELECT *, (SELECT count(*) FROM parked WHERE order_id = parked_key.key) AS length
        FROM parked_key
        WHERE key = ANY($1) AND lane = $2 AND state = 'waiting' AND next_attempt_at <= $3
      ) AS due
      LEFT JOIN parked ON parked.order_id = due.key
      ORDER BY due.next_attempt_at, due.key, parked.position
      LIMIT $4
      """, keys, lane, now, Int64(limit))
    var queues: [ParkedQueue] = []
    for row in rows {
      let key: OrderID = try row.decode(0)
      if queues.last?.key.key != key {
        queues.append(try queue(key, row))
      }
      if let id = try row[8, as: UUID?.self] {
        queues[queues.count - 1].events.append(try event(id, of: key, row))
      }
    }
    return queues
  }

  private func queue(_ key: OrderID, _ row: Row) throws -> ParkedQueue {
    ParkedQueue(
      key: ParkedKey(
        key: key, state: .waiting, attempts: Int(try row[1, as: Int32.self]),
        nextAttempt: try row.decode(2), reason: try row.decode(3), detail: try row.decode(4),
        firstFailed: try row.decode(5), lastFailed: try row.decode(6)),
      events: [], length: Int(try row[7, as: Int64.self]))
  }

  private func event(_ id: UUID, of key: OrderID, _ row: Row) throws -> ParkedEvent {
    let attempts = Int(try row[16, as: Int32.self])
    return ParkedEvent(
      id: id, order: key, type: try row.decode(9),
      message: RawMessage(
        partition: Partition(topic: try row.decode(10), number: try row.decode(11)),
        offset: try row.decode(12), key: try row.decode(13), value: try row.decode(14),
        headers: try HeaderList.decode(row.decode(15))),
      // The table has all of them or none.
      failure: attempts == 0
        ? nil
        : EventFailure(
          reason: try row.decode(17), detail: try row.decode(18), attempts: attempts,
          first: try row.decode(19), last: try row.decode(20)))
  }

  public func fence(_ keys: [ParkedKey], lane: Int32) throws {
    try connection.executeLater(
      """
      INSERT INTO parked_key (key, lane, state, attempts, next_attempt_at, reason, detail,
        first_failed, last_failed)
      SELECT key, $1, state, attempts, next_attempt_at, reason, detail, first_failed, last_failed
      FROM unnest($2::text[], $3::text[], $4::int[], $5::timestamptz[], $6::text[], $7::text[],
        $8::timestamptz[], $9::timestamptz[])
        AS row(key, state, attempts, next_attempt_at, reason, detail, first_failed, last_failed)
      ON CONFLICT (key) DO UPDATE SET lane = excluded.lane, state = excluded.state,
        attempts = excluded.attempts, next_attempt_at = excluded.next_attempt_at,
        reason = excluded.reason, detail = excluded.detail, first_failed = excluded.first_failed,
        last_failed = excluded.last_failed
      """,
      lane, keys.map(\.key), keys.map(\.state.rawValue), keys.map { Int32($0.attempts) },
      keys.map(\.nextAttempt), keys.map(\.reason), keys.map(\.detail), keys.map(\.firstFailed),
      keys.map(\.lastFailed))
  }

  public func park(_ events: [ParkedEvent], lane: Int32) throws {
    try connection.executeLater(
      """
      INSERT INTO parked (event_id, lane, order_id, event_type, topic, partition, "offset", key,
        value, headers, attempts, reason, detail, first_failed, last_failed)
      SELECT event_id, $1, order_id, event_type, topic, partition, "offset", key, value,
        headers::jsonb, attempts, reason, detail, first_failed, last_failed
      FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::int[], $7::bigint[],
        $8::bytea[], $9::bytea[], $10::text[], $11::int[], $12::text[], $13::text[],
        $14::timestamptz[], $15::timestamptz[]) WITH ORDINALITY
        AS row(event_id, order_id, event_type, topic, partition, "offset", key, value, headers,
          attempts, reason, detail, first_failed, last_failed, place)
      ORDER BY place
      ON CONFLICT (event_id) DO UPDATE SET attempts = excluded.attempts,
        reason = excluded.reason, detail = excluded.detail, first_failed = excluded.first_failed,
        last_failed = excluded.last_failed
      """,
      lane, events.map(\.id), events.map(\.order), events.map(\.type),
      events.map(\.message.partition.topic), events.map(\.message.partition.number),
      events.map(\.message.offset), events.map(\.message.key), events.map(\.message.value),
      events.map { HeaderList.encode($0.message.headers) },
      events.map { Int32($0.failure?.attempts ?? 0) }, events.map(\.failure?.reason),
      events.map(\.failure?.detail), events.map(\.failure?.first), events.map(\.failure?.last))
  }

  public func unpark(_ ids: [UUID], lane: Int32) throws {
    try connection.executeLater("DELETE FROM parked WHERE event_id = ANY($1)", ids)
  }

  public func lift(_ keys: [OrderID], lane: Int32) throws {
    try connection.executeLater("DELETE FROM parked_key WHERE key = ANY($1)", keys)
  }
}
