public import Contracts
public import Fleet
public import Foundation
public import Postgres

/// The database of one service: the tables of ``CommonMigrations`` by statements that all services
/// share, and its own ones by its ``ServiceStore``.
public struct PostgresLaneStore<Tables: ServiceStore>: LaneStore {
  public typealias Rows = Tables.Rows
  public typealias Transaction = PostgresStep<Tables>

  let pool: Pool
  private let tables: Tables

  /// - Parameter pool: connections whose `search_path` is the service's schema.
  public init(pool: Pool, tables: Tables) {
    self.pool = pool
    self.tables = tables
  }

  public func confirmPartitions(_ count: Int32) async throws {
    let before = try await reportingStoreErrors {
      try await pool.withTransaction { connection in
        try connection.executeLater(
          "INSERT INTO partitioning (partitions) VALUES ($1) ON CONFLICT DO NOTHING", count)
        return try connection.execute("SELECT partitions FROM partitioning").scalar(as: Int32.self)
      }
    }
    if before != count { throw StoreError.partitionsChanged(from: before, to: count) }
  }

  public func takeOver(lane: Int32, owner: String) async throws -> Int64 {
    try await reportingStoreErrors {
      try await pool.withConnection { connection in
        // Waits for a step of the former owner that is under way: the row is locked by it.
        try connection.execute(
          """
          INSERT INTO lane (lane, epoch, owner, taken_at) VALUES ($1, 1, $2, now())
          ON CONFLICT (lane) DO UPDATE
            SET epoch = lane.epoch + 1, owner = excluded.owner, taken_at = excluded.taken_at
          RETURNING epoch
          """, lane, owner
        ).scalar(as: Int64.self)
      }
    }
  }

  public func step<Result: Sendable>(
    _ body: @Sendable (PostgresStep<Tables>) throws -> Result
  ) async throws -> Result {
    try await reportingStoreErrors {
      try await pool.withTransaction { connection in
        try body(PostgresStep(connection: connection, tables: tables))
      }
    }
  }

  public func outbox(lane: Int32, limit: Int) async throws -> [OutboxRecord] {
    try await reportingStoreErrors {
      try await pool.withConnection { connection in
        try connection.execute(
          """
          SELECT seq, id, aggregatetype, aggregateid, payload, type, source, time, causationid,
            traceparent, headers::text
          FROM outbox WHERE lane = $1 ORDER BY seq LIMIT $2
          """, lane, Int64(limit)
        ).map { row in
          OutboxRecord(
            sequence: try row.decode(0), id: try row.decode(1), topic: try row.decode(2),
            key: try row.decode(3), value: try row.decode(4), type: try row.decode(5),
            source: try row.decode(6), time: try row.decode(7), causationID: try row.decode(8),
            traceparent: try row.decode(9),
            headers: try row.decode(10, as: String?.self).map(HeaderList.decode))
        }
      }
    }
  }

  public func removeFromOutbox(lane: Int32, sequences: [Int64]) async throws {
    try await reportingStoreErrors {
      try await pool.withTransaction { connection in
        // Losing this in a crash costs a second publication, not an event; not waiting for the disk
        // saves one of the two flushes of a step.
        try connection.executeLater("SET LOCAL synchronous_commit = off")
        try connection.executeLater(
          "DELETE FROM outbox WHERE lane = $1 AND seq = ANY($2::bigint[])", lane, sequences)
      }
    }
  }

  public var hasDeadlines: Bool { tables.hasDeadlines }

  public func dueDeadlines(lane: Int32, at now: Date, limit: Int) async throws -> [OrderID] {
    try await reportingStoreErrors {
      try await pool.withConnection { connection in
        try tables.dueDeadlines(lane: lane, at: now, limit: limit, on: connection)
      }
    }
  }

  public func dueKeys(lane: Int32, at now: Date, limit: Int) async throws -> [OrderID] {
    try await reportingStoreErrors {
      try await pool.withConnection { connection in
        try connection.execute(
          """
          SELECT key FROM parked_key
          WHERE lane = $1 AND state = 'waiting' AND next_attempt_at <= $2
          ORDER BY next_attempt_at, key LIMIT $3
          """, lane, now, Int64(limit)
        ).map { try $0.decode(0) }
      }
    }
  }
}
