import Contracts
import FleetProcesses
import Foundation
import Glibc
import Postgres

extension Fault {
  /// The workers reach Postgres at an address that moves to the standby. Connections that are open
  /// stay at the old primary, which does not know that it is one no more. It waits for its standby
  /// before it answers to a COMMIT, as it must where none may be lost.
  static var standbyPromoted: Fault {
    Fault(
      number: 14, name: "a standby promoted while the old primary answers",
      watched: ["I1", "I4"], serverSettings: [], isBehindProxy: true
    ) { scene in
      guard let front = scene.front else { throw NotRun("needs a proxy before Postgres") }
      let standby = try await Standby.start(of: scene.server)
      scene.atEnd { await standby.stop() }
      try await scene.fleet.run("ALTER SYSTEM SET synchronous_standby_names = '*'")
      try await scene.fleet.run("SELECT pg_reload_conf()")
      try await eventually("the standby is a synchronous one") {
        let count: Int64 = try await scene.fleet.scalar(
          "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'")
        return count == 1
      }
      let workers = try await scene.fleet.startEach()
      try await scene.underLoad {
        try await scene.progress(events: 200)
        try await standby.promote()
        front.redirect(to: standby.port)
        scene.injected("the standby promoted, new connections sent to it, the old ones left")
        let old: Bool = try await scene.fleet.scalar("SELECT NOT pg_is_in_recovery()")
        scene.note("the old primary takes writes: \(old)")
        for worker in workers {
          try await eventually("\(worker.name) has found the new primary") {
            worker.log.contains { $0.message == "database is well again" }
          }
        }
        let before = try scene.handledAtTheNewPrimary()
        try await eventually("the new primary is worked on") {
          try scene.handledAtTheNewPrimary() > before + 200
        }
        try await scene.server.stopImmediately()
        scene.note("the old primary stopped")
        try await scene.everybodyIsReady()
        try await scene.progress(events: 200)
      }
    }
  }
}

extension Scene {
  /// By a new connection: those that are open stay where they are.
  fileprivate func handledAtTheNewPrimary() throws -> Int64 {
    try Connection.with(try ConnectionConfiguration(url: databaseURL)) {
      try $0.execute("SELECT count(*) FROM orders.inbox").scalar()
    }
  }
}

/// A copy of a server that follows it.
private final class Standby: Sendable {
  let port: UInt16
  private let data: URL
  private let programs: URL
  private let process: Int32

  private init(port: UInt16, data: URL, programs: URL, process: Int32) {
    self.port = port
    self.data = data
    self.programs = programs
    self.process = process
  }

  static func start(of server: PostgresServer) async throws -> Standby {
    let parent = server.data.deletingLastPathComponent()
    let data = parent.appending(path: "standby")
    let log = parent.appending(path: "standby.log")
    let password = URLComponents(string: server.url)?.password ?? ""
    let user = URLComponents(string: server.url)?.user ?? ""
    let copy = try PostgresServer.run(
      [
        server.programs.appending(path: "pg_basebackup").path, "-D", data.path, "-R", "-X",
        "stream", "-c", "fast", "-h", "127.0.0.1", "-p", "\(server.port)", "-U", user,
      ], as: server.data, log: log, environment: ["PGPASSWORD": password])
    try await eventually("the standby is copied") { !copy.isRunning }
    try require(copy.terminationStatus == 0, "pg_basebackup failed; see \(log.path)")
    // A port that is free now.
    let probe = try Proxy(to: server.port)
    let port = probe.port
    probe.set(.over)
    let process = try PostgresServer.run(
      [
        server.programs.appending(path: "postgres").path, "-D", data.path, "-p", "\(port)", "-k",
        parent.path, "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200",
      ], as: server.data, log: log)
    return Standby(
      port: port, data: data, programs: server.programs, process: process.processIdentifier)
  }

  func promote() async throws {
    let promotion = try PostgresServer.run(
      [programs.appending(path: "pg_ctl").path, "promote", "-D", data.path], as: data,
      log: data.deletingLastPathComponent().appending(path: "standby.log"))
    try await eventually("the standby is promoted") { !promotion.isRunning }
    try require(promotion.terminationStatus == 0, "pg_ctl promote failed")
  }

  func stop() async {
    kill(process, SIGINT)
    _ = try? await eventually("the standby has stopped") { [process] in
      kill(process, 0) != 0
    }
  }
}
