import Contracts
import Foundation
import Postgres

/// The plans in `fleet.replay_plan`. All of it runs on a connection as an operator.
extension ReplayPlan {
  func insert(on connection: Connection) throws {
    try connection.execute(
      """
      INSERT INTO fleet.replay_plan (id, created_at, created_by, selection, digest)
      VALUES ($1, $2, $3, $4, $5)
      """, id, createdAt, createdBy, selection, digest)
    _ = try connection.execute(
      """
      INSERT INTO fleet.replay_plan_item (plan_id, position, service, letter_id, order_id,
        letter_digest, saga_digest, verdict, detail)
      SELECT $1, place - 1, service, letter_id, order_id, letter_digest, saga_digest, verdict, detail
      FROM unnest($2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::text[]) WITH ORDINALITY AS row(service, letter_id, order_id, letter_digest,
          saga_digest, verdict, detail, place)
      """, id, items.map(\.service.rawValue), items.map(\.letter), items.map(\.order),
      items.map(\.letterDigest), items.map(\.sagaDigest), items.map(\.verdict.rawValue),
      items.map { $0.detail.replacing("\0", with: "\u{FFFD}") })
  }

  /// Finds the one plan whose id begins so.
  ///
  /// - Throws: ``CommandFailure`` when there is none, more than one, or one that was tampered with.
  static func find(_ prefix: DeadLetterPrefix, on connection: Connection) throws -> ReplayPlan {
    let (low, high) = prefix.range
    let found = try connection.execute(
      """
      SELECT id, created_at, created_by, selection, digest FROM fleet.replay_plan
      WHERE id BETWEEN $1 AND $2 ORDER BY id LIMIT 2
      """, low, high)
    guard let row = found.first else {
      throw CommandFailure(
        "No plan has an id that begins with \(prefix.text). See 'orderly get plans', or make one "
          + "with 'orderly dlq plan'.")
    }
    guard found.count == 1 else {
      throw CommandFailure("More than one plan has an id that begins with \(prefix.text).")
    }
    let id: UUID = try row.decode(0)
    let plan = ReplayPlan(
      id: id, createdAt: try row.decode(1), createdBy: try row.decode(2),
      selection: try row.decode(3), digest: try row.decode(4),
      items: try items(of: id, on: connection))
    guard digest(of: plan.items) == plan.digest else {
      throw CommandFailure(
        "The plan \(plan.shortID) is not as it was made: its items have been changed in the "
          + "database. Make a new one with 'orderly dlq plan'.")
    }
    return plan
  }

  private static func items(of plan: UUID, on connection: Connection) throws -> [Item] {
    try connection.execute(
      """
      SELECT service, letter_id, order_id, letter_digest, saga_digest, verdict, detail, state,
        result
      FROM fleet.replay_plan_item WHERE plan_id = $1 ORDER BY position
      """, plan
    ).map { row in
      guard let service = ServiceName(rawValue: try row.decode(0)),
        let verdict = ReplayVerdict(rawValue: try row.decode(5)),
        let state = Item.State(rawValue: try row.decode(7))
      else {
        throw CommandFailure(
          "The plan was made by another version of this command. Make a new one.")
      }
      return Item(
        service: service, letter: try row.decode(1), order: try row.decode(2),
        letterDigest: try row.decode(3), sagaDigest: try row.decode(4), verdict: verdict,
        detail: try row.decode(6), state: state, result: try row.decode(8))
    }
  }

  /// The plan as it is now.
  func readAgain(_ table: Pool) async throws -> ReplayPlan {
    try await table.withConnection { try Self.find(DeadLetterPrefix(id), on: $0) }
  }

  /// Takes the lock without which nobody applies the plan, for as long as the connection lasts.
  ///
  /// - Returns: false while another connection has it.
  func lock(on connection: Connection) throws -> Bool {
    try connection.execute("SELECT \(Self.lock)", id).scalar()
  }

  private static let lock =
    "pg_try_advisory_lock(hashtextextended('fleet.replay_plan ' || $1::uuid::text, 0))"

  /// Writes what has become of an item that had not ended yet.
  ///
  /// - Throws: ``CommandFailure`` when another run has come in between.
  func update(_ position: Int, on connection: Connection) throws {
    let item = items[position]
    // The lock again: if the connection was lost and is a new one now, it was lost too.
    let updated = try connection.execute(
      """
      UPDATE fleet.replay_plan_item SET state = $3, result = $4, changed_at = clock_timestamp()
      WHERE plan_id = $1 AND position = $2 AND state IN ('planned', 'replaying') AND \(Self.lock)
      RETURNING position
      """, id, Int32(position), item.state.rawValue,
      item.result.map { String($0.replacing("\0", with: "\u{FFFD}").prefix(1000)) })
    guard !updated.isEmpty else {
      throw CommandFailure(
        "The plan \(shortID) is applied by another run too, so that this one has stopped.")
    }
  }
}
