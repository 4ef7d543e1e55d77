import Contracts
import FleetProcesses
import Foundation
import JSONSchema
import Postgres

/// Waits for rest, and asks the audit, the processes and the database what has become of it all.
struct Judgement {
  let scene: Scene
  let fault: Fault

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
    if audit["settled"] != .bool(true), fault.breaksOnPurpose.isEmpty {
      scene.breach("I9", "the audit found the system still at work")
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

  /// What is bounded has stayed so: memory, connections, locks.
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
