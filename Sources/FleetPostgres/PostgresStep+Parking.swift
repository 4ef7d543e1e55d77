public import Contracts
public import Fleet
public import Foundation
import Postgres

/// The statements about parked keys. All but the reading one are put off: they travel with COMMIT.
extension PostgresStep {
  public func dueQueues(
    of keys: [OrderID], lane: Int32, at now: Date, limit: Int, bytes: Int
  ) throws -> [ParkedQueue] {
    // Of a long queue only the head is read, and the sizes are known without the values themselves.
    let rows = try connection.execute(
      """
      SELECT due.key, due.attempts, due.next_attempt_at, due.reason, due.detail, due.first_failed,
        due.last_failed, due.dead_letter, due.length, event_id, event_type, topic, partition,
        "offset", parked.key, value, headers::text, parked.attempts, parked.reason, parked.detail,
        parked.first_failed, parked.last_failed, parked.dead_letter, due.is_last_try
      FROM (
        SELECT due.*, event, row_number() OVER queue AS place, sum(size) OVER queue AS bytes
        FROM (
          SELECT *, (SELECT count(*) FROM parked WHERE order_id = parked_key.key) AS length
          FROM parked_key
          WHERE key = ANY($1) AND lane = $2 AND state = 'waiting' AND next_attempt_at <= $3
        ) AS due
        LEFT JOIN LATERAL (
          SELECT event_id AS event, octet_length(value) AS size, dead_letter IS NULL AS is_original,
            position
          FROM parked WHERE order_id = due.key ORDER BY dead_letter IS NULL, position LIMIT $4
        ) AS head ON true
        WINDOW queue AS (ORDER BY due.next_attempt_at, due.key, is_original, position
          ROWS UNBOUNDED PRECEDING)
      ) AS due
      LEFT JOIN parked ON parked.event_id = due.event
      WHERE due.place <= $4 AND (due.place = 1 OR coalesce(due.bytes, 0) <= $5)
      ORDER BY due.place
      """, keys, lane, now, Int64(limit), Int64(bytes))
    var queues: [ParkedQueue] = []
    for row in rows {
      let key: OrderID = try row.decode(0)
      if queues.last?.key.key != key {
        queues.append(try queue(key, row))
      }
      if let id = try row[9, as: UUID?.self] {
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
        firstFailed: try row.decode(5), lastFailed: try row.decode(6), behind: try row.decode(7),
        isLastTry: try row.decode(23)),
      events: [], length: Int(try row[8, as: Int64.self]))
  }

  private func event(_ id: UUID, of key: OrderID, _ row: Row) throws -> ParkedEvent {
    let attempts = Int(try row[17, as: Int32.self])
    return ParkedEvent(
      id: id, order: key, type: try row.decode(10),
      message: RawMessage(
        partition: Partition(topic: try row.decode(11), number: try row.decode(12)),
        offset: try row.decode(13), key: try row.decode(14), value: try row.decode(15),
        headers: try HeaderList.decode(row.decode(16))),
      // The table has all of them or none.
      failure: attempts == 0
        ? nil
        : EventFailure(
          reason: try row.decode(18), detail: try row.decode(19), attempts: attempts,
          first: try row.decode(20), last: try row.decode(21)),
      deadLetter: try row.decode(22))
  }

  public func fence(_ keys: [ParkedKey], lane: Int32) throws {
    try connection.fence(keys, lane: lane)
  }

  public func park(_ events: [ParkedEvent], lane: Int32) throws {
    try connection.park(events, lane: lane)
  }

  public func unpark(_ ids: [UUID]) throws {
    try connection.executeLater("DELETE FROM parked WHERE event_id = ANY($1)", ids)
  }

  public func lift(_ keys: [OrderID]) throws {
    try connection.executeLater("DELETE FROM parked_key WHERE key = ANY($1)", keys)
  }
}

/// The statements that a lane's step and an operator's transaction share.
extension Connection {
  func fence(_ keys: [ParkedKey], lane: Int32) throws {
    try executeLater(
      """
      INSERT INTO parked_key (key, lane, state, attempts, next_attempt_at, reason, detail,
        first_failed, last_failed, dead_letter, is_last_try)
      SELECT key, $1, state, attempts, next_attempt_at, reason, detail, first_failed, last_failed,
        dead_letter, is_last_try
      FROM unnest($2::text[], $3::text[], $4::int[], $5::timestamptz[], $6::text[], $7::text[],
        $8::timestamptz[], $9::timestamptz[], $10::uuid[], $11::bool[])
        AS row(key, state, attempts, next_attempt_at, reason, detail, first_failed, last_failed,
          dead_letter, is_last_try)
      ON CONFLICT (key) DO UPDATE SET lane = excluded.lane, state = excluded.state,
        attempts = excluded.attempts, next_attempt_at = excluded.next_attempt_at,
        reason = excluded.reason, detail = excluded.detail, first_failed = excluded.first_failed,
        last_failed = excluded.last_failed, dead_letter = excluded.dead_letter,
        is_last_try = excluded.is_last_try
      """,
      lane, keys.map(\.key), keys.map(\.state.rawValue), keys.map { Int32($0.attempts) },
      keys.map(\.nextAttempt), keys.map(\.reason), keys.map(\.detail), keys.map(\.firstFailed),
      keys.map(\.lastFailed), keys.map(\.behind), keys.map(\.isLastTry))
  }

  func park(_ events: [ParkedEvent], lane: Int32) throws {
    try executeLater(
      """
      INSERT INTO parked (event_id, lane, order_id, event_type, topic, partition, "offset", key,
        value, headers, attempts, reason, detail, first_failed, last_failed, dead_letter)
      SELECT event_id, $1, order_id, event_type, topic, partition, "offset", key, value,
        headers::jsonb, attempts, reason, detail, first_failed, last_failed, dead_letter
      FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::int[], $7::bigint[],
        $8::bytea[], $9::bytea[], $10::text[], $11::int[], $12::text[], $13::text[],
        $14::timestamptz[], $15::timestamptz[], $16::uuid[]) WITH ORDINALITY
        AS row(event_id, order_id, event_type, topic, partition, "offset", key, value, headers,
          attempts, reason, detail, first_failed, last_failed, dead_letter, place)
      ORDER BY place
      ON CONFLICT (event_id) DO UPDATE SET attempts = excluded.attempts,
        reason = excluded.reason, detail = excluded.detail, first_failed = excluded.first_failed,
        last_failed = excluded.last_failed,
        dead_letter = coalesce(excluded.dead_letter, parked.dead_letter)
      """,
      lane, events.map(\.id), events.map(\.order), events.map(\.type),
      events.map(\.message.partition.topic), events.map(\.message.partition.number),
      events.map(\.message.offset), events.map(\.message.key), events.map(\.message.value),
      events.map { HeaderList.encode($0.message.headers) },
      events.map { Int32($0.failure?.attempts ?? 0) }, events.map(\.failure?.reason),
      events.map(\.failure?.detail), events.map(\.failure?.first), events.map(\.failure?.last),
      events.map(\.deadLetter))
  }
}
