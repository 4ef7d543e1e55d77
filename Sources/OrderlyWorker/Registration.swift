import Contracts
import Fleet
import FleetPostgres
import Foundation
import Postgres
import Settings
import Telemetry

/// The worker's entry in `fleet.worker`: what it runs, what it owns, and that it is alive.
struct Registration: Sendable {
  private let name: String
  private let host: String
  private let services: [AssembledService]
  private let registry: WorkerRegistry
  private let logger = Logger(label: "worker")
  private let startedAt = Date()

  /// - Parameter pool: connections to the fleet's schema.
  init(name: String, host: String, services: [AssembledService], pool: Pool) {
    self.name = name
    self.host = host
    self.services = services
    registry = WorkerRegistry(pool: pool)
  }

  /// Says every few seconds that the worker is there, until it is cancelled. A database that does
  /// not answer is logged once and is no reason to stop work.
  ///
  /// - Parameter address: of the HTTP endpoint, `host:port`.
  func keep(address: String) async {
    var isKnown = false
    var isTroubled = false
    while !Task.isCancelled {
      do {
        let record = record(address)
        if isKnown {
          try await registry.heartbeat(record)
        } else {
          try await registry.register(record)
        }
        isKnown = true
        if isTroubled { logger.info("registered in the fleet again") }
        isTroubled = false
      } catch {
        if !isTroubled, !Task.isCancelled {
          logger.warning("can't register in the fleet", metadata: ["problem": "\(problem(error))"])
        }
        isTroubled = true
      }
      try? await Task.sleep(for: WorkerRecord.timeToLive / 5)
    }
  }

  /// Takes the worker out, so that nobody waits for its heartbeat.
  func remove() async {
    do {
      try await registry.remove(name)
    } catch {
      logger.warning("can't leave the fleet", metadata: ["problem": "\(error)"])
    }
  }

  private func problem(_ error: any Error) -> String {
    let state = (error as? PostgresError)?.sqlState
    let isMissing = state == .undefinedTable || state == .undefinedSchema
    return isMissing ? "\(error). Run 'orderly db migrate'." : "\(error)"
  }

  private func record(_ address: String) -> WorkerRecord {
    let problems = services.flatMap(\.problems)
    return WorkerRecord(
      id: name, services: services.map(\.service), host: host, processID: getpid(),
      version: OrderlyVersion.current, address: address, startedAt: startedAt,
      heartbeatAt: startedAt,
      lanes: Dictionary(uniqueKeysWithValues: services.map { ($0.service, $0.health.lanes) }),
      isReady: problems.isEmpty, problems: problems + services.flatMap(\.limitations))
  }
}
