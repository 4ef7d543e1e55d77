import Contracts
import FleetPostgres
import Foundation
import Postgres
import Settings

/// A registered worker, and the time by the database's clock at which it was looked up.
struct WorkerRow: Sendable {
  let record: WorkerRecord
  let now: Date

  var isAlive: Bool { record.isAlive(at: now) }

  /// `ready`, `not ready`, or `dead`.
  var condition: String { isAlive ? (record.isReady ? "ready" : "not ready") : "dead" }

  func lanes(of service: ServiceName) -> [Int32] { (record.lanes[service] ?? []).sorted() }

  var laneCount: Int { record.lanes.values.reduce(0) { $0 + $1.count } }
}

extension GlobalOptions {
  /// The workers that have registered, the dead ones too.
  ///
  /// - Throws: ``CommandFailure`` in the place of a `PostgresError`.
  func workers() async throws -> [WorkerRow] {
    let database = try settings().fleetDatabase(applicationName: "orderly-cli")
    let pool = Pool(database, maximum: 1)
    do {
      let listing = try await running {
        try await WorkerRegistry(pool: pool).list()
      } closing: {
        await pool.close()
      }
      return listing.workers.map { WorkerRow(record: $0, now: listing.now) }
    } catch let error as PostgresError {
      throw CommandFailure(error.trouble(at: database.description).sentence)
    }
  }

  /// How many workers that live work for each service.
  ///
  /// - Throws: as ``workers()``.
  func workersByService() async throws -> [ServiceName: Int] {
    let alive = try await workers().filter(\.isAlive)
    return Dictionary(
      uniqueKeysWithValues: ServiceName.allCases.map { service in
        (service, alive.count { $0.record.services.contains(service) })
      })
  }
}
