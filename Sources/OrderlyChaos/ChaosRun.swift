import Contracts
import FleetProcesses
import Foundation
import Glibc
import JSONSchema

/// Injects faults, one after the other, and judges what has become of the fleet.
struct ChaosRun: Sendable {
  let brokers: Brokers
  let seed: UInt64
  let patience: Duration
  let folder: URL
  let debugWorker: URL?
  let keepsBroken: Bool

  func inject(_ faults: [Fault]) async throws -> ChaosReport {
    var report = ChaosReport(seed: seed)
    try await PostgresServer.with(settings: Self.settings) { common in
      for (place, fault) in faults.enumerated() {
        let outcome = try await run(fault, place, common)
        report.outcomes.append(outcome)
        say(outcome.line)
        if outcome.isBroken, keepsBroken { break }
      }
    }
    return report
  }

  /// Enough for several members of each service, and what was done is told.
  private static let settings = ["max_connections=200", "log_lock_waits=on"]

  private func run(
    _ fault: Fault, _ place: Int, _ common: PostgresServer
  ) async throws -> FaultOutcome {
    if let settings = fault.serverSettings {
      return try await PostgresServer.with(settings: Self.settings + settings) {
        try await run(fault, place, on: $0)
      }
    }
    return try await run(fault, place, on: common)
  }

  private func run(
    _ fault: Fault, _ place: Int, on server: PostgresServer
  ) async throws -> FaultOutcome {
    let start = ContinuousClock.now
    let number = String(repeating: "0", count: fault.number < 10 ? 1 : 0) + "\(fault.number)"
    let name = fault.name.map { $0.isLetter || $0.isNumber ? String($0) : "-" }.joined()
    let own = folder.appending(path: "\(number)-\(place)-\(name)")
    var outcome = FaultOutcome(fault: fault)
    do {
      try await brokers.areServing()
      try await Servers.wipe(brokers.bootstrapServers)
      var url = try server.makeDatabase("chaos_\(place)_\(UInt32.random(in: 0 ... .max))")
      var front: Proxy?
      if fault.isBehindProxy {
        let proxy = try Proxy(to: server.port)
        url = try proxy.url(of: url)
        front = proxy
      }
      defer { front?.set(.over) }
      try await Fleet.with(
        bootstrapServers: brokers.bootstrapServers, databaseURL: url, folder: own
      ) { fleet in
        // With three brokers each partition is on all of them, so that one may be away.
        try await fleet.succeeding(
          "topics", "apply", "--replication-factor", brokers.count >= 3 ? "3" : "1")
        let scene = Scene(
          fleet, server, databaseURL: url, brokers, front: front,
          seed: seed &* 1_000 &+ UInt64(fault.number),
          patience: patience, debugFolder: debugWorker)
        await run(fault, in: scene, &outcome)
        let evidence = Evidence(folder: own, scene: scene)
        await evidence.write(serverLog: server.log)
        if outcome.isBroken, keepsBroken { await leaveRunning(scene) }
        await fleet.killRunning()
        await scene.cleanUp()
      }
    } catch {
      outcome.breaches.append(Breach(promise: "-", what: "the run itself failed: \(error)"))
    }
    outcome.seconds = (ContinuousClock.now - start) / .seconds(1)
    return outcome
  }

  private func run(_ fault: Fault, in scene: Scene, _ outcome: inout FaultOutcome) async {
    do {
      try await fault.inject(scene)
      outcome.audit = try await Judgement(
        scene: scene, fault: fault, keepsBroken: keepsBroken
      ).judge()
    } catch let why as NotRun {
      outcome.notRun = why.description
    } catch let error as NotReached {
      // What does not come about in time never comes to rest.
      scene.breach("I9", error.description)
    } catch {
      // Its evidence is kept, and what it has left behind is cleaned up, as of any other.
      scene.breach("-", "the injection itself failed: \(error)")
    }
    outcome.injections = scene.actions.filter(\.isInjection).map(\.what)
    outcome.breaches += scene.breaches
    outcome.peakMemory = scene.peakMemory
    outcome.orders = scene.orders.reduce(scene.extraExpectations.count) { $0 + $1.count }
  }

  private func leaveRunning(_ scene: Scene) async {
    say(
      """
      left running until Ctrl-C, with KAFKA_BOOTSTRAP_SERVERS=\(scene.brokers.bootstrapServers) \
      ORDERLY_DATABASE_URL=\(scene.databaseURL)
      """)
    for worker in scene.fleet.workers where worker.program.isRunning {
      say("  \(worker.name): process \(worker.program.processID)")
    }
    await interrupted()
  }
}

/// Waits for Ctrl-C.
private func interrupted() async {
  signal(SIGINT, SIG_IGN)
  let source = DispatchSource.makeSignalSource(signal: SIGINT)
  await withCheckedContinuation { continuation in
    source.setEventHandler {
      source.cancel()
      continuation.resume()
    }
    source.resume()
  }
}
