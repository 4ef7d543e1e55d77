public import Foundation
public import Postgres

/// What waits in a service's schema.
public struct Backlog: Sendable, Hashable {
  public let outboxRows: Int64
  /// When the oldest row of the outbox was committed; nil when there is none.
  public let oldestOutboxRow: Date?
  /// Parked keys that are tried again by themselves.
  public let waitingKeys: Int64
  /// Parked keys that wait for someone to decide about a dead letter.
  public let deadKeys: Int64
  /// Events in the queues of both.
  public let parkedEvents: Int64
  /// Effects that are called, or called again, by themselves.
  public let pendingEffects: Int64
  /// Effects that were given up on, and whose letters nobody has discarded.
  public let deadEffects: Int64

  /// - Parameter connection: one whose `search_path` is the service's schema.
  /// - Throws: `PostgresError`.
  public static func read(_ connection: Connection) throws -> Backlog {
    let results = try connection.pipeline([
      Statement("SELECT count(*), min(created_at) FROM outbox"),
      Statement(
        """
        SELECT count(*) FILTER (WHERE state = 'waiting'), count(*) FILTER (WHERE state = 'dead'),
          (SELECT count(*) FROM parked)
        FROM parked_key
        """),
      // Those of a state by an index that has no others.
      Statement(
        """
        SELECT (SELECT count(*) FROM effect WHERE state = 'pending'),
          (SELECT count(*) FROM effect WHERE state = 'dead' AND EXISTS (
            SELECT FROM dead_letter
            WHERE order_id = effect.order_id AND event_id = effect.id AND state = 'open'))
        """),
    ])
    let (outbox, parked, effects) = (results[0][0], results[1][0], results[2][0])
    return Backlog(
      outboxRows: try outbox.decode(0), oldestOutboxRow: try outbox.decode(1),
      waitingKeys: try parked.decode(0), deadKeys: try parked.decode(1),
      parkedEvents: try parked.decode(2), pendingEffects: try effects.decode(0),
      deadEffects: try effects.decode(1))
  }
}
