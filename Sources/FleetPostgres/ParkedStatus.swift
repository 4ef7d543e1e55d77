public import Postgres

/// How much of a service is parked.
public struct ParkedStatus: Sendable, Hashable {
  /// Keys that are tried again by themselves.
  public let waitingKeys: Int64
  /// Keys that wait for someone to decide about a dead letter.
  public let deadKeys: Int64
  /// Events in the queues of both.
  public let events: Int64

  /// - Parameter connection: one whose `search_path` is the service's schema.
  /// - Throws: `PostgresError`.
  public static func read(_ connection: Connection) throws -> ParkedStatus {
    let row = try connection.execute(
      """
      SELECT count(*) FILTER (WHERE state = 'waiting'), count(*) FILTER (WHERE state = 'dead'),
        (SELECT count(*) FROM parked)
      FROM parked_key
      """)[0]
    return ParkedStatus(
      waitingKeys: try row.decode(0), deadKeys: try row.decode(1), events: try row.decode(2))
  }
}
