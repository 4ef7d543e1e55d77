import Contracts
import FleetProcesses
import Foundation
import Glibc
import Postgres

extension Fault {
  /// The database server.
  static let databaseFaults: [Fault] = [
    databaseStopped, backendKilled, databaseFrozen, slotsExhausted, fewDescriptors,
    outboxHeldOpen, longRead,
  ]

  private static var databaseStopped: Fault {
    Fault(
      number: 11, name: "Postgres: stop -m immediate", watched: ["I1", "I5", "I9"],
      serverSettings: []
    ) { scene in
      try await scene.fleet.startEach()
      try await scene.underLoad {
        try await scene.rounds(2) { _ in
          try await scene.server.stopImmediately()
          scene.injected("stop -m immediate, and start")
          try await scene.server.startAgain()
          try await scene.everybodyIsReady()
          try await scene.progress(events: 50)
        }
      }
    }
  }

  /// The server ends all connections and recovers from its log when one process of it was killed.
  private static var backendKilled: Fault {
    Fault(
      number: 11, name: "Postgres: kill -9 of one backend", watched: ["I1", "I5", "I9"],
      serverSettings: []
    ) { scene in
      try await scene.fleet.startEach()
      try await scene.underLoad {
        try await scene.rounds(2) { _ in
          let service = scene.pick(ServiceName.allCases)
          let backend: Int32 = try await scene.backend(of: service)
          scene.server.signal(SIGKILL, [backend])
          scene.injected("kill -9 of a backend of \(service.rawValue)")
          try await scene.server.isAnswering()
          try await scene.everybodyIsReady()
          try await scene.progress(events: 50)
        }
      }
    }
  }

  private static var databaseFrozen: Fault {
    Fault(
      number: 11, name: "Postgres: SIGSTOP of all its processes", watched: ["I1", "I5", "I9"],
      serverSettings: []
    ) { scene in
      let workers = try await scene.fleet.startEach()
      try await scene.underLoad {
        try await scene.rounds(1) { _ in
          let processes = try scene.server.processes()
          scene.server.signal(SIGSTOP, processes)
          scene.injected("SIGSTOP of all processes until every worker had said so")
          let result = await catching {
            for worker in workers {
              try await worker.notReady(saying: "database", within: .seconds(90))
            }
          }
          scene.server.signal(SIGCONT, processes)
          try result.get()
          try await scene.everybodyIsReady()
          try await scene.progress(events: 50)
        }
      }
    }
  }

  private static var slotsExhausted: Fault {
    Fault(
      number: 16, name: "connection slots exhausted", watched: ["I9"],
      serverSettings: ["max_connections=30", "superuser_reserved_connections=0"]
    ) { scene in
      let workers = try await scene.fleet.startEach()
      try await scene.underLoad {
        try await scene.rounds(2) { _ in
          // All that are free, and those of the workers as they lose them.
          let slots = try Slots(url: scene.databaseURL)
          let result = await catching {
            try await slots.takeAll()
            try await scene.cutConnections(of: scene.pick(workers).name)
            try await slots.takeAll()
            scene.injected("all free connections taken")
            let victim = try scene.fleet.start(.payments)
            try await victim.notReady(saying: "too many")
            return victim
          }
          await slots.giveBack()
          let victim = try result.get()
          try await victim.ready()
          try await scene.everybodyIsReady()
          await scene.stop(victim)
          try await scene.progress(events: 50)
        }
      }
    }
  }

  /// Such a worker either says what is wrong or ends; what it had is another's work.
  private static var fewDescriptors: Fault {
    Fault(number: 16, name: "few file descriptors", watched: ["I9"]) { scene in
      try await scene.fleet.startEach()
      try await scene.underLoad {
        try await scene.rounds(1) { _ in
          for limit in [16, 32, 64, 128] {
            let worker = try scene.fleet.start(
              scene.pick(ServiceName.allCases),
              launch: Fleet.Launch(setup: "ulimit -n \(limit)"))
            scene.fleet.doom(worker)
            scene.injected("a worker with \(limit) file descriptors")
            var isWorking = false
            try await eventually("\(worker.name) works, complains or ends") {
              if !worker.program.isRunning { return true }
              isWorking = (try? await worker.get("/readyz").status == 200) ?? false
              return isWorking || !worker.complaints.isEmpty
            }
            // What goes wrong before there is a log is said in a sentence.
            let sentence = worker.program.errorLines.first { $0.hasPrefix("Error:") }
            let told = worker.complaints.first?.text ?? sentence ?? ""
            scene.note("\(limit): \(isWorking ? "works" : told)")
            if !worker.program.isRunning {
              let status = await worker.program.wait()
              if status < 0 { scene.breach("I9", "\(limit) descriptors: ended by \(-status)") }
            }
            if !isWorking, told.isEmpty {
              scene.breach("I9", "a worker with \(limit) descriptors ended without a word")
            }
            try await scene.progress(events: 50)
            await worker.kill()
          }
        }
      }
    }
  }

  /// Transactions that have written to the outbox are kept from committing, while those of other
  /// lanes, which began later, commit before them.
  private static var outboxHeldOpen: Fault {
    Fault(number: 17, name: "outbox transactions held open", watched: ["I4"]) { scene in
      for service in ServiceName.allCases {
        try await scene.fleet.run(
          """
          CREATE FUNCTION \(service.rawValue).hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            PERFORM pg_advisory_xact_lock_shared(NEW.lane); RETURN NULL; END $$;
          CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON \(service.rawValue).outbox
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION \(service.rawValue).hold();
          """)
      }
      try await scene.fleet.startEach()
      try await scene.underLoad {
        try await scene.rounds(6) { _ in
          let lane = scene.draw(scene.allLanes.count)
          try await OpenTransaction.with(
            scene.databaseURL, "SELECT pg_advisory_xact_lock(\(lane))"
          ) {
            try await eventually("a COMMIT waits") {
              let waiting: Int64 = try await scene.fleet.scalar(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
              return waiting > 0
            }
            scene.injected("the commits of a lane held while others committed")
            try await scene.progress(events: 20)
          }
        }
      }
    }
  }

  private static var longRead: Fault {
    Fault(number: 23, name: "a read transaction open for long", watched: ["I9"], isInCI: false) {
      scene in
      try await scene.fleet.startEach()
      try await scene.underLoad {
        try await OpenTransaction.with(
          scene.databaseURL,
          """
          SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
          SELECT count(*) FROM orders.outbox
          """
        ) {
          try await scene.progress(events: 8_000, within: .seconds(600))
          scene.injected("a snapshot held for 8000 events")
        }
      }
      try await scene.fleet.quiet()
      let size = "SELECT pg_relation_size('orders.outbox')"
      let bloated: Int64 = try await scene.fleet.scalar(size)
      // Without the snapshot the dead rows can be cleared away, and the file cut.
      try await eventually("the outbox is small again") {
        try await scene.fleet.run("VACUUM orders.outbox")
        return try await scene.fleet.scalar(size) <= 128 << 10
      }
      scene.note("the outbox of orders took \(bloated >> 10) KiB")
      try require(bloated > 512 << 10, "the snapshot has kept nothing")
    }
  }
}

extension Scene {
  /// Waits until all workers that run work.
  func everybodyIsReady(within limit: Duration = .seconds(120)) async throws {
    for worker in fleet.workers where worker.program.isRunning {
      try await worker.ready(within: limit)
    }
  }

  /// A process of the server that works for a service.
  fileprivate func backend(of service: ServiceName) async throws -> Int32 {
    let names = fleet.workers.filter { $0.services.contains(service) }.map(\.name)
    return try await fleet.database.withConnection { connection in
      try connection.execute(
        "SELECT pid FROM pg_stat_activity WHERE application_name = ANY ($1) LIMIT 1", names
      ).scalar()
    }
  }

  func cutConnections(of worker: String) async throws {
    try await fleet.database.withConnection { connection in
      _ = try connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1",
        worker)
    }
  }
}

/// Connections that only take places.
private actor Slots {
  private let configuration: ConnectionConfiguration
  private var pools: [Pool] = []

  init(url: String) throws { configuration = try ConnectionConfiguration(url: url) }

  /// Connects until the server refuses.
  func takeAll() async throws {
    while pools.count < 100 {
      let pool = Pool(configuration, maximum: 1)
      do {
        try await pool.withConnection { _ in }
        pools.append(pool)
      } catch {
        await pool.close()
        return
      }
    }
  }

  func giveBack() async {
    for pool in pools { await pool.close() }
    pools = []
  }
}
