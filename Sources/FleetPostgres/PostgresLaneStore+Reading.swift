public import Fleet
public import Foundation
import Postgres

/// A table whose rows are needed only as long as the log may bring back the records that they came
/// from.
private struct ForgettableTable {
  let name: String
  let key: String
  /// When a row was finished: by the database's clock, or an effect by its worker's, whose
  /// deviation the grace of the horizon covers.
  let time: String
  /// Rows that may go, whatever their age.
  var condition = "true"

  /// The inbox, and what else is kept for the sake of records that may come again. Each has the
  /// column `lane`, and an index on it and its time.
  static let all = [
    ForgettableTable(name: "inbox", key: "id", time: "received_at"),
    ForgettableTable(name: "effect", key: "id", time: "done_at", condition: "state = 'done'"),
  ]

  /// `$1` the lane, `$2` its horizon, `$3` the most rows.
  var statement: String {
    """
    DELETE FROM \(name) WHERE \(key) = ANY (ARRAY(
      SELECT \(key) FROM \(name) WHERE lane = $1 AND \(time) < $2 AND \(condition)
      ORDER BY \(time) LIMIT $3))
    """
  }
}

extension PostgresLaneStore {
  public func lastMark(lane: Int32) async throws -> (now: Date, mark: ReadingMark?) {
    try await reportingStoreErrors {
      try await pool.withConnection { connection in
        let results = try connection.pipeline([
          Statement("SELECT now()"),
          Statement(
            """
            SELECT at, topic, handled, log_end FROM reading_mark
            WHERE lane = $1 AND at = (SELECT max(at) FROM reading_mark WHERE lane = $1)
            """, lane),
        ])
        let now = try results[0].scalar(as: Date.self)
        guard let first = results[1].first else { return (now, nil) }
        var mark = ReadingMark(at: try first.decode(0), places: [:])
        for row in results[1] {
          mark.places[try row.decode(1)] = ReadingMark.Place(
            handled: try row.decode(2), end: try row.decode(3))
        }
        return (now, mark)
      }
    }
  }

  public func record(
    _ mark: ReadingMark, lane: Int32, epoch: Int64, starts: [String: Int64], grace: Duration
  ) async throws {
    let places = mark.places.map { ($0.key, $0.value.handled, $0.value.end) }
    try await reportingStoreErrors {
      try await pool.withTransaction { connection in
        _ = try lock(lane, epoch, on: connection)
        try connection.execute(
          """
          INSERT INTO reading_mark (lane, at, topic, handled, log_end)
          SELECT $1, $2, * FROM unnest($3::text[], $4::bigint[], $5::bigint[])
          """, lane, mark.at, places.map(\.0), places.map(\.1), places.map(\.2))
        // A topic that is not read any more holds nothing back.
        let gone = try connection.execute(
          """
          SELECT at FROM reading_mark
          LEFT JOIN unnest($2::text[], $3::bigint[]) AS log (topic, log_start) USING (topic)
          WHERE lane = $1 GROUP BY at HAVING bool_and(coalesce(log_end <= log_start, true))
          ORDER BY at DESC LIMIT 1
          """, lane, Array(starts.keys), Array(starts.values))
        guard let row = gone.first else { return }
        let at: Date = try row.decode(0)
        try connection.executeLater(
          "UPDATE lane SET inbox_horizon = greatest(inbox_horizon, $2) WHERE lane = $1", lane,
          at - grace / .seconds(1))
        try connection.executeLater(
          "DELETE FROM reading_mark WHERE lane = $1 AND at < $2", lane, at)
      }
    }
  }

  public func forget(lane: Int32, epoch: Int64, limit: Int) async throws -> Bool {
    try await reportingStoreErrors {
      try await pool.withTransaction { connection in
        guard let horizon = try lock(lane, epoch, on: connection) else { return false }
        try connection.executeLater("SET LOCAL synchronous_commit = off")
        let results = try connection.pipeline(
          ForgettableTable.all.map { Statement($0.statement, lane, horizon, Int64(limit)) })
        return results.contains { $0.affectedRows == limit }
      }
    }
  }

  /// Keeps other owners away until the transaction ends.
  ///
  /// - Returns: the lane's horizon.
  /// - Throws: ``StoreError/fenced`` when it has a newer owner.
  private func lock(_ lane: Int32, _ epoch: Int64, on connection: Connection) throws -> Date? {
    let rows = try connection.execute(
      "SELECT inbox_horizon FROM lane WHERE lane = $1 AND epoch = $2 FOR NO KEY UPDATE", lane,
      epoch)
    guard let row = rows.first else { throw StoreError.fenced }
    return try row.decode(0)
  }
}
