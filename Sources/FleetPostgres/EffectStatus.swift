public import Postgres

/// How many effects of a service are not done.
public struct EffectStatus: Sendable, Hashable {
  /// Effects that are called, or called again, by themselves.
  public let pending: Int64
  /// Effects that were given up on, and whose letters nobody has discarded.
  public let dead: Int64

  /// - Parameter connection: one whose `search_path` is the service's schema.
  /// - Throws: `PostgresError`.
  public static func read(_ connection: Connection) throws -> EffectStatus {
    // Those of a state by an index that has no others.
    let row = try connection.execute(
      """
      SELECT (SELECT count(*) FROM effect WHERE state = 'pending'),
        (SELECT count(*) FROM effect WHERE state = 'dead' AND EXISTS (
          SELECT FROM dead_letter
          WHERE order_id = effect.order_id AND event_id = effect.id AND state = 'open'))
      """)[0]
    return EffectStatus(pending: try row.decode(0), dead: try row.decode(1))
  }
}
