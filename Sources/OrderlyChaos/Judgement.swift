import Contracts
import FleetProcesses
import Foundation
import JSONSchema
import Postgres

/// Waits for rest, and asks the audit, the processes and the database what has become of it all.
struct Judgement {
  let scene: Scene
  let fault: Fault
  /// The workers are left running where a promise was broken.
  let keepsBroken: Bool

  /// Most memory that a worker may ever hold, in bytes: far above what it needs, and far below what
  /// a queue without a bound would take.
  static let memoryBound = 512 << 20

  /// What the audit has said.
  ///
  /// - Throws: ``NotReached`` when the fleet does not come to rest.
  func judge() async throws -> JSONValue {
    let fleet = scene.fleet
    if fault.breaksOnPurpose.isEmpty { try await fleet.quiet(within: .seconds(300)) }
    scene.weigh()
    let audit = try await audit()
    for orders in scene.orders where fault.breaksOnPurpose.isEmpty {
      for wrong in try await orders.wrongEnds(on: fleet).prefix(5) { scene.breach("I3", wrong) }
    }
    try await saveMetrics()
    try await sessions()
    if keepsBroken, !scene.breaches.isEmpty { return audit }
    for (name, status) in await fleet.stopRunning() {
      scene.breach("I9", "\(name) ended with \(status) after SIGTERM")
    }
    try await resources()
    return audit
  }

  private func audit() async throws -> JSONValue {
    let fleet = scene.fleet
    let file = fleet.folder.appending(path: "expected.jsonl")
    var lines = scene.extraExpectations
    for orders in scene.orders {
      lines += try String(contentsOfFile: orders.expectations(fleet), encoding: .utf8)
        .split(separator: "\n").map(String.init)
    }
    try Data(lines.map { $0 + "\n" }.joined().utf8).write(to: file)
    let outcome = try await fleet.orderly(["audit", "--expect", file.path, "-o", "json"])
    try Data(outcome.output.utf8).write(to: fleet.folder.appending(path: "audit.json"))
    guard let audit = try? JSONValue(parsing: outcome.output) else {
      scene.breach("-", "orderly audit failed: \(outcome)")
      return .null
    }
    for finding in audit["promises"]?.array ?? [] {
      let promise = finding["promise"]?.string ?? "?"
      for violation in finding["violations"]?.array ?? []
      where !fault.breaksOnPurpose.contains(promise) {
        let ids = violation["ids"]?.array?.compactMap(\.string).prefix(5).joined(separator: ", ")
        scene.breach(
          promise == "--expect" ? "I3" : promise,
          "\(violation["what"]?.string ?? "") (\(violation["count"]?.int ?? 0)): \(ids ?? "")")
      }
    }
    if fault.breaksOnPurpose.isEmpty {
      if audit["settled"] != .bool(true) {
        scene.breach("I9", "the audit found the system still at work")
      }
      if audit["kept"] != .bool(true) {
        scene.breach("-", "the audit's verdict is \(audit["verdict"]?.string ?? "unknown")")
      }
    }
    return audit
  }

  private func saveMetrics() async throws {
    for worker in scene.fleet.workers where worker.program.isRunning {
      guard let metrics = try? await worker.get("/metrics") else { continue }
      try Data(metrics.body.utf8).write(
        to: scene.fleet.folder.appending(path: "metrics-\(worker.name).txt"))
    }
  }

  /// Most connections of a worker: two that the lanes of a service share, and the process's one to
  /// the fleet's schema.
  private static func connectionBound(services: Int) -> Int64 { Int64(services * 2 + 1) }

  /// What is bounded is so, now that nothing is left to be done: connections, transactions, locks.
  private func sessions() async throws {
    let running = scene.fleet.workers.filter(\.program.isRunning)
    let rows = try await scene.fleet.database.withConnection { connection in
      try connection.execute(
        "SELECT application_name, count(*) FROM pg_stat_activity "
          + "WHERE application_name = ANY ($1) GROUP BY 1", running.map(\.name)
      ).map { (try $0.decode(0, as: String.self), try $0.decode(1, as: Int64.self)) }
    }
    for (name, count) in rows {
      let services = running.first { $0.name == name }?.services.count ?? 1
      if count > Self.connectionBound(services: services) {
        scene.breach("I9", "\(name) has \(count) connections to the database")
      }
    }
    try await eventually("no transaction of a worker is left open, and none waits for a lock") {
      let left: Int64 = try await scene.fleet.database.withConnection { connection in
        try connection.execute(
          """
          SELECT count(*) FROM pg_stat_activity WHERE application_name = ANY ($1)
            AND (wait_event_type = 'Lock' OR xact_start < now() - interval '5 seconds')
          """, running.map(\.name)
        ).scalar()
      }
      return left == 0
    }
  }

  /// What is bounded has stayed so: memory, and connections after their workers' ends.
  private func resources() async throws {
    if scene.peakMemory > Self.memoryBound {
      scene.breach("I9", "a worker held \(scene.peakMemory >> 20) MiB")
    }
    let names = scene.fleet.workers.map(\.name)
    try await eventually("no connection of a worker is left") {
      let left = try await scene.fleet.database.withConnection { connection in
        try connection.execute(
          "SELECT count(*) FROM pg_stat_activity WHERE application_name = ANY ($1) AND datname = "
            + "current_database()", names
        ).scalar(as: Int64.self)
      }
      return left == 0
    }
  }
}
