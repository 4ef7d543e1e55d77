import Contracts
import Foundation
import JSONSchema
import Postgres

/// A worker as it has registered itself in `fleet.worker`.
struct WorkerRow: Sendable {
  let id: String
  let services: [String]
  let host: String
  let pid: Int32
  let version: String
  /// Where it answers /livez, /readyz and /metrics.
  let address: String?
  /// The lanes that it owns, by service.
  let lanes: [String: Set<Int32>]
  let isReady: Bool
  let startedAt: Date
  let heartbeatAt: Date
  /// How old its last sign of life is by the database's clock, in seconds.
  let silence: TimeInterval

  /// A worker gives a sign of life every few seconds; one that has been silent for longer than this
  /// many is dead, or cut off from the database.
  static let patience: TimeInterval = 30

  var isAlive: Bool { silence <= Self.patience }

  /// `ready`, `not ready`, or `dead`.
  var condition: String { isAlive ? (isReady ? "ready" : "not ready") : "dead" }

  var laneCount: Int { lanes.values.reduce(0) { $0 + $1.count } }

  static func all(on connection: Connection) throws -> [WorkerRow] {
    try connection.execute(
      """
      SELECT id, services, host, pid, version, address, lanes::text, ready, started_at,
        heartbeat_at, extract(epoch FROM clock_timestamp() - heartbeat_at)::float8
      FROM worker ORDER BY id
      """
    ).map { row in
      WorkerRow(
        id: try row.decode(0), services: try row.decode(1), host: try row.decode(2),
        pid: try row.decode(3), version: try row.decode(4), address: try row.decode(5),
        lanes: Self.lanes(try row.decode(6)), isReady: try row.decode(7),
        startedAt: try row.decode(8), heartbeatAt: try row.decode(9), silence: try row.decode(10))
    }
  }

  /// Reads `{"orders": [0, 3], …}`.
  private static func lanes(_ json: String) -> [String: Set<Int32>] {
    let object = (try? JSONValue(parsing: json))?.object ?? [:]
    return object.mapValues { value in
      Set((value.array ?? []).compactMap { $0.int.flatMap(Int32.init(exactly:)) })
    }
  }
}
