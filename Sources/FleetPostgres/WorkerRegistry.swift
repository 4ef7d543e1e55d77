public import Contracts
public import Foundation
public import Postgres

/// A worker process as it describes itself.
public struct WorkerRecord: Sendable, Hashable {
  /// Unique to the process, not to the machine.
  public var id: String
  /// Those that it runs, with lanes or without.
  public var services: [ServiceName]
  /// The machine's name, for people.
  public var host: String
  public var processID: Int32
  public var version: String
  /// Of its HTTP endpoint, as `host:port`.
  public var address: String
  /// By the worker's clock.
  public var startedAt: Date
  /// By the database's clock, so that the clocks of the machines need not agree.
  public var heartbeatAt: Date
  /// The partition numbers that it owns of each service.
  public var lanes: [ServiceName: [Int32]]
  /// Whether all of its services do their work.
  public var isReady: Bool
  /// Why it is not ready.
  public var problems: [String]

  /// How long after its last heartbeat a worker counts as gone.
  public static let timeToLive: Duration = .seconds(15)

  public init(
    id: String, services: [ServiceName], host: String, processID: Int32, version: String,
    address: String, startedAt: Date, heartbeatAt: Date, lanes: [ServiceName: [Int32]] = [:],
    isReady: Bool = false, problems: [String] = []
  ) {
    self.id = id
    self.services = services
    self.host = host
    self.processID = processID
    self.version = version
    self.address = address
    self.startedAt = startedAt
    self.heartbeatAt = heartbeatAt
    self.lanes = lanes
    self.isReady = isReady
    self.problems = problems
  }

  /// Whether its last heartbeat is at most ``timeToLive`` old.
  ///
  /// - Parameter now: by the database's clock; see ``WorkerRegistry/list()``.
  public func isAlive(at now: Date) -> Bool {
    now.timeIntervalSince(heartbeatAt) <= Self.timeToLive / .seconds(1)
  }
}

/// The workers of the fleet, in the table `fleet.worker`.
public struct WorkerRegistry: Sendable {
  /// What is registered, and when the database has said so.
  public struct Listing: Sendable {
    /// By the database's clock.
    public let now: Date
    /// By id.
    public let workers: [WorkerRecord]

    /// Those whose last heartbeat was not too long ago at ``now``.
    public var alive: [WorkerRecord] { workers.filter { $0.isAlive(at: now) } }
  }

  private let pool: Pool

  /// - Parameter pool: connections of any role of the platform; names are written in full.
  public init(pool: Pool) {
    self.pool = pool
  }

  /// Says that the worker is there and what it does: enters it, or renews what stands there. The
  /// record's `heartbeatAt` is not looked at; the database's clock counts.
  ///
  /// - Throws: `PostgresError`; an old heartbeat is no reason to stop work.
  public func heartbeat(_ worker: WorkerRecord) async throws {
    let lanes = try Self.encode(worker.lanes)
    try await pool.withConnection { connection in
      _ = try connection.execute(
        """
        INSERT INTO fleet.worker (id, services, host, pid, version, address, started_at,
          heartbeat_at, lanes, ready, problems)
        VALUES ($1, $2, $3, $4, $5, $6, $7, now(), $8::text::jsonb, $9, $10)
        ON CONFLICT (id) DO UPDATE SET services = excluded.services, host = excluded.host,
          pid = excluded.pid, version = excluded.version, address = excluded.address,
          started_at = excluded.started_at, heartbeat_at = excluded.heartbeat_at,
          lanes = excluded.lanes, ready = excluded.ready, problems = excluded.problems
        """, worker.id, worker.services.map(\.rawValue), worker.host, worker.processID,
        worker.version, worker.address, worker.startedAt, lanes, worker.isReady,
        worker.problems.map { $0.replacing("\0", with: "\u{FFFD}") })
    }
  }

  /// The first heartbeat. Takes out workers that have been gone for a day, so that those that were
  /// killed do not stay for ever.
  ///
  /// - Throws: `PostgresError`.
  public func register(_ worker: WorkerRecord) async throws {
    try await heartbeat(worker)
    try await pool.withConnection { connection in
      _ = try connection.execute(
        "DELETE FROM fleet.worker WHERE heartbeat_at < now() - interval '1 day'")
    }
  }

  /// Takes the worker out. No error where it was not there.
  ///
  /// - Throws: `PostgresError`.
  public func remove(_ id: String) async throws {
    try await pool.withConnection { connection in
      _ = try connection.execute("DELETE FROM fleet.worker WHERE id = $1", id)
    }
  }

  /// All workers, the gone ones too.
  ///
  /// - Throws: `PostgresError`.
  public func list() async throws -> Listing {
    try await pool.withConnection { connection in
      let results = try connection.pipeline([
        Statement("SELECT now()"),
        Statement(
          """
          SELECT id, services, host, pid, version, address, started_at, heartbeat_at, lanes::text,
            ready, problems
          FROM fleet.worker ORDER BY id
          """),
      ])
      return Listing(now: try results[0].scalar(), workers: try results[1].map(Self.worker))
    }
  }

  private static func worker(_ row: Row) throws -> WorkerRecord {
    WorkerRecord(
      id: try row.decode(0),
      services: try row[1, as: [String].self].compactMap(ServiceName.init),
      host: try row.decode(2), processID: try row.decode(3), version: try row.decode(4),
      address: try row.decode(5), startedAt: try row.decode(6), heartbeatAt: try row.decode(7),
      lanes: try decode(try row.decode(8)), isReady: try row.decode(9),
      problems: try row.decode(10))
  }

  private static func encode(_ lanes: [ServiceName: [Int32]]) throws -> String {
    let names = Dictionary(uniqueKeysWithValues: lanes.map { ($0.key.rawValue, $0.value) })
    return String(decoding: try JSONEncoder().encode(names), as: UTF8.self)
  }

  /// A service that this version does not know is left out.
  private static func decode(_ json: String) throws -> [ServiceName: [Int32]] {
    let names = try JSONDecoder().decode([String: [Int32]].self, from: Data(json.utf8))
    return names.reduce(into: [:]) { lanes, entry in
      if let service = ServiceName(rawValue: entry.key) { lanes[service] = entry.value }
    }
  }
}
