public import Postgres

/// How many effects of a service are not done.
public struct EffectStatus: Sendable, Hashable {
  /// Effects that are called, or called again, by themselves.
  public let pending: Int64
  /// Effects that were given up on.
  public let dead: Int64

  /// - Parameter connection: one whose `search_path` is the service's schema.
  /// - Throws: `PostgresError`.
  public static func read(_ connection: Connection) throws -> EffectStatus {
    // Each by an index that has no others.
    let row = try connection.execute(
      """
      SELECT (SELECT count(*) FROM effect WHERE state = 'pending'),
        (SELECT count(*) FROM effect WHERE state = 'dead')
      """)[0]
    return EffectStatus(pending: try row.decode(0), dead: try row.decode(1))
  }
}
