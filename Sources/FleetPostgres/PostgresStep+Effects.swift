import Contracts
public import Fleet
public import Foundation
import Postgres

/// The statements about effects.
extension PostgresStep {
  public func store(_ effects: [StoredEffect], lane: Int32) throws {
    try connection.executeLater(
      """
      INSERT INTO effect (id, lane, order_id, kind, request, state, attempts, next_attempt_at,
        causationid, traceparent, created_at)
      SELECT id, $1, order_id, kind, request::json, 'pending', 0, next_attempt_at, causationid,
        traceparent, created_at
      FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::uuid[],
        $8::text[], $9::timestamptz[])
        AS row(id, order_id, kind, request, next_attempt_at, causationid, traceparent, created_at)
      """,
      lane, effects.map(\.id), effects.map(\.order), effects.map(\.kind), effects.map(\.request),
      effects.map(\.nextAttempt), effects.map(\.causationID), effects.map(\.traceparent),
      effects.map(\.createdAt))
  }

  public func settle(_ effects: [StoredEffect]) throws -> [StoredEffect] {
    let rows = try connection.execute(
      """
      UPDATE effect SET state = new.state, attempts = new.attempts,
        next_attempt_at = new.next_attempt_at, reason = new.reason, detail = new.detail,
        first_failed = new.first_failed, last_failed = new.last_failed,
        outcome = new.outcome::json, done_at = new.done_at
      FROM unnest($1::uuid[], $2::text[], $3::int[], $4::timestamptz[], $5::text[], $6::text[],
        $7::timestamptz[], $8::timestamptz[], $9::text[], $10::timestamptz[])
        AS new(id, state, attempts, next_attempt_at, reason, detail, first_failed, last_failed,
          outcome, done_at)
      WHERE effect.id = new.id AND effect.state = 'pending'
      RETURNING effect.id, is_replayed
      """,
      effects.map(\.id), effects.map(\.state.rawValue), effects.map { Int32($0.attempts) },
      effects.map(\.nextAttempt), effects.map(\.failure?.reason), effects.map(\.failure?.detail),
      effects.map(\.failure?.first), effects.map(\.failure?.last), effects.map(\.outcome),
      effects.map(\.doneAt))
    let pending = try Dictionary(
      uniqueKeysWithValues: rows.map { (try $0[0, as: UUID.self], try $0[1, as: Bool.self]) })
    return effects.compactMap { effect in
      guard let isReplayed = pending[effect.id] else { return nil }
      var effect = effect
      effect.isReplayed = isReplayed
      return effect
    }
  }
}

extension PostgresLaneStore {
  public func dueEffects(
    lane: Int32, at now: Date, except ids: [UUID], limit: Int
  ) async throws -> [StoredEffect] {
    try await reportingStoreErrors {
      try await pool.withConnection { connection in
        try connection.execute(
          """
          SELECT id, order_id, kind, request::text, causationid, traceparent, created_at,
            next_attempt_at, attempts, reason, detail, first_failed, last_failed, is_replayed
          FROM effect
          WHERE lane = $1 AND state = 'pending' AND next_attempt_at <= $2 AND id <> ALL($3)
          ORDER BY next_attempt_at, id LIMIT $4
          """, lane, now, ids, Int64(limit)
        ).map(Self.effect)
      }
    }
  }

  private static func effect(_ row: Row) throws -> StoredEffect {
    let attempts = Int(try row[8, as: Int32.self])
    return StoredEffect(
      id: try row.decode(0), order: try row.decode(1), kind: try row.decode(2),
      request: try row.decode(3), causationID: try row.decode(4), traceparent: try row.decode(5),
      createdAt: try row.decode(6), nextAttempt: try row.decode(7),
      // The table has all of it or none.
      failure: attempts == 0
        ? nil
        : EventFailure(
          reason: try row.decode(9), detail: try row.decode(10), attempts: attempts,
          first: try row.decode(11), last: try row.decode(12)),
      isReplayed: try row.decode(13))
  }
}

extension PostgresDeadLetterTransaction {
  public func revive(effect id: UUID, at now: Date) throws -> Int32? {
    try connection.execute(
      """
      UPDATE effect SET state = 'pending', attempts = 0, next_attempt_at = $2, reason = NULL,
        detail = NULL, first_failed = NULL, last_failed = NULL, is_replayed = true
      WHERE id = $1 AND state = 'dead' RETURNING lane
      """, id, now
    ).first.map { try $0.decode(0) }
  }

  public func hasten(effect id: UUID, lane: Int32, at now: Date) throws -> Bool {
    try !connection.execute(
      """
      UPDATE effect SET next_attempt_at = least(next_attempt_at, $3)
      WHERE id = $1 AND lane = $2 AND state = 'pending' RETURNING id
      """, id, lane, now
    ).isEmpty
  }
}
