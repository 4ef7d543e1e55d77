import Contracts
import FleetPostgres
import Foundation
import Postgres
import Settings

/// What `orderly doctor` finds out about the workers that have registered.
enum DoctorWorkers {
  /// The workers that have been heard of lately; nil when the registry can't be read:
  /// ``DoctorPostgres`` has said why then.
  static func alive(_ settings: Settings) async -> [WorkerRecord]? {
    guard let configuration = try? DoctorPostgres.configuration(nil, settings) else { return nil }
    let pool = Pool(configuration, maximum: 1)
    let listing = try? await WorkerRegistry(pool: pool).list()
    await pool.close()
    return listing?.alive
  }

  /// - Parameter alive: the workers that have been heard of lately.
  static func findings(_ alive: [WorkerRecord]) -> [DoctorFinding] {
    guard !alive.isEmpty else {
      return [
        .warn("workers", "none is running", advice: "Start 'orderly-worker', or 'orderly dev'.")
      ]
    }
    var findings: [DoctorFinding] = []
    let idle = ServiceName.allCases.filter { service in
      !alive.contains { $0.services.contains(service) }
    }
    if !idle.isEmpty {
      let names = idle.map(\.rawValue)
      findings.append(
        .warn(
          "workers", "none works for \(names.joined(separator: ", "))",
          advice: "Start 'orderly-worker \(names.joined(separator: " "))'."))
    }
    for worker in alive where !worker.isReady {
      let problems = worker.problems.isEmpty ? "" : ": \(worker.problems.joined(separator: "; "))"
      findings.append(
        .warn(
          "workers", "\(worker.id) is not ready\(problems)",
          advice: "Look at its log, and at http://\(worker.address)/readyz."))
    }
    let versions = Set(alive.map(\.version)).sorted()
    if versions.count > 1 {
      findings.append(
        .warn(
          "workers", "different versions are running: \(versions.joined(separator: ", "))",
          advice: "Finish the roll-out."))
    }
    guard findings.isEmpty else { return findings }
    return [.ok("workers", "\(counted(alive.count, "worker")) ready, for all services")]
  }
}
