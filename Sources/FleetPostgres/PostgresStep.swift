public import Contracts
public import Fleet
public import Foundation
import Postgres

/// The statements of one step on one connection. A handful, however many events the batch holds.
public struct PostgresStep<Tables: ServiceStore>: StepTransaction {
  let connection: Connection
  let tables: Tables

  public func admit(
    _ ids: [UUID], keys: [OrderID], lane: Int32, epoch: Int64
  ) throws -> Admission {
    // The lock makes a take-over wait for this step, so that a former owner can't commit after the
    // new one has looked into the outbox; and it makes this step wait for an earlier one of the
    // same owner whose COMMIT was sent, whose connection was lost, and which the server still works
    // on. All statements travel together with BEGIN; if the fence finds nothing, the inbox rows go
    // with the rollback.
    let results = try connection.pipeline([
      Statement("SELECT 1 FROM lane WHERE lane = $1 AND epoch = $2 FOR NO KEY UPDATE", lane, epoch),
      Statement(
        """
        INSERT INTO inbox (id, lane) SELECT id, $2::int FROM unnest($1::uuid[]) AS id
        ON CONFLICT (id) DO NOTHING RETURNING id
        """, ids, lane),
      // Nearly always nothing at all is parked: then no key is looked up.
      Statement(
        "SELECT key FROM parked_key WHERE EXISTS (SELECT FROM parked_key) AND key = ANY($1)", keys),
    ])
    guard !results[0].isEmpty else { throw StoreError.fenced }
    return Admission(
      fresh: Set(try results[1].map { try $0[0, as: UUID.self] }),
      parked: Set(try results[2].map { try $0[0, as: OrderID.self] }))
  }

  public func load(_ events: [EventPayload], orders: [OrderID], at now: Date) throws -> Tables.Rows
  {
    try tables.load(events, orders: orders, at: now, on: connection)
  }

  public func save(_ rows: Tables.Rows, lane: Int32, at now: Date) throws {
    try tables.save(rows, lane: lane, at: now, on: connection)
  }

  public func append(_ records: [OutboxRecord], lane: Int32) throws {
    try connection.executeLater(
      """
      INSERT INTO outbox (lane, seq, id, aggregatetype, aggregateid, type, payload, source, time,
        causationid, traceparent, headers)
      SELECT $1, seq, id, aggregatetype, aggregateid, type, payload, source, time, causationid,
        traceparent, headers::jsonb
      FROM unnest($2::bigint[], $3::uuid[], $4::text[], $5::bytea[], $6::text[], $7::bytea[],
        $8::text[], $9::timestamptz[], $10::uuid[], $11::text[], $12::text[])
        AS row(seq, id, aggregatetype, aggregateid, type, payload, source, time, causationid,
          traceparent, headers)
      """,
      lane, records.map(\.sequence), records.map(\.id), records.map(\.topic), records.map(\.key),
      records.map(\.type), records.map(\.value), records.map(\.source), records.map(\.time),
      records.map(\.causationID), records.map(\.traceparent),
      records.map { $0.headers.map(HeaderList.encode) })
  }

  public func record(_ letters: [DeadLetter], lane: Int32) throws {
    try connection.executeLater(
      """
      INSERT INTO dead_letter (id, lane, topic, partition, "offset", key, value, headers, event_id,
        event_type, order_id, reason, detail, fingerprint, attempts, state, state_since,
        first_failed, last_failed)
      SELECT id, $1, topic, partition, "offset", key, value, headers::jsonb, event_id, event_type,
        order_id, reason, detail, fingerprint, attempts, 'open', last_failed, first_failed,
        last_failed
      FROM unnest($2::uuid[], $3::text[], $4::int[], $5::bigint[], $6::bytea[], $7::bytea[],
        $8::text[], $9::uuid[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[],
        $15::int[], $16::timestamptz[], $17::timestamptz[])
        AS row(id, topic, partition, "offset", key, value, headers, event_id, event_type, order_id,
          reason, detail, fingerprint, attempts, first_failed, last_failed)
      ON CONFLICT (id) DO UPDATE SET state = excluded.state, reason = excluded.reason,
        detail = excluded.detail, fingerprint = excluded.fingerprint, attempts = excluded.attempts,
        state_since = greatest(dead_letter.first_failed, excluded.last_failed),
        last_failed = greatest(dead_letter.first_failed, excluded.last_failed)
        WHERE dead_letter.state = 'replaying'
      """,
      lane, letters.map(\.id), letters.map(\.message.partition.topic),
      letters.map(\.message.partition.number), letters.map(\.message.offset),
      letters.map(\.message.key), letters.map(\.message.value),
      letters.map { HeaderList.encode($0.message.headers) }, letters.map(\.eventID),
      letters.map(\.eventType), letters.map(\.order), letters.map(\.reason),
      letters.map(\.detail), letters.map(\.fingerprint), letters.map { Int32($0.attempts) },
      letters.map(\.firstFailed), letters.map(\.lastFailed))
  }

  public func resolve(_ letters: [UUID], at now: Date) throws {
    try connection.executeLater(
      """
      UPDATE dead_letter SET state = 'resolved', state_since = $2
      WHERE id = ANY($1) AND state = 'replaying'
      """, letters, now)
  }
}
