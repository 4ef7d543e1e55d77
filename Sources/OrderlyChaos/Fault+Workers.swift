import Contracts
import FleetProcesses
import Foundation
import Glibc
import Synchronization

extension Fault {
  /// Workers are killed, stopped, replaced.
  static let workerFaults: [Fault] =
    [
      killed(at: "polled"), killed(at: "in-transaction"), killedAfterCommitWasSent,
      killed(at: "committed"), killed(at: "produced"), killedWhileRevoked,
    ] + [zombie, churn, rollingStop]

  private static let everything = ["I1", "I2", "I3", "I4", "I5", "I6", "I7"]

  /// A worker of each service ends itself at a place of its work, while another one of each goes on.
  private static func killed(at place: String) -> Fault {
    Fault(number: 1, name: "kill -9 at: \(place)", watched: everything) { scene in
      _ = try scene.failpointLaunch(place, after: 0)
      try await scene.fleet.startEach()
      try await scene.underLoad {
        try await scene.rounds(1) { _ in
          let doomed = try ServiceName.allCases.map { service in
            try scene.fleet.start(
              service, launch: try scene.failpointLaunch(place, after: scene.draw(4)))
          }
          for worker in doomed { try await mustBeKilled(worker, at: place, scene) }
        }
      }
    }
  }

  private static func mustBeKilled(_ worker: Worker, at place: String, _ scene: Scene) async throws
  {
    let status = try await scene.ended(worker)
    try require(status == -SIGKILL, "\(worker.name) ended with \(status) before it was killed")
    scene.injected("kill -9 of \(worker.name) at: \(place)")
  }

  /// The group takes the partitions from a worker because another one joins.
  private static var killedWhileRevoked: Fault {
    Fault(number: 1, name: "kill -9 at: in revoke", watched: everything) { scene in
      _ = try scene.failpointLaunch("revoke", after: 0)
      try await scene.fleet.startEach()
      try await scene.underLoad {
        try await scene.rounds(1) { _ in
          let doomed = try ServiceName.allCases.map { service in
            try scene.fleet.start(service, launch: try scene.failpointLaunch("revoke", after: 0))
          }
          for worker in doomed { try await worker.ready() }
          let others = try await scene.fleet.startEach()
          for worker in doomed { try await mustBeKilled(worker, at: "revoke", scene) }
          for worker in others { await scene.stop(worker) }
        }
      }
    }
  }

  /// A proxy sees Postgres's answer to a COMMIT, keeps it, and the worker is killed.
  private static var killedAfterCommitWasSent: Fault {
    Fault(number: 1, name: "kill -9 at: COMMIT sent", watched: everything) { scene in
      try await scene.fleet.startEach()
      try await scene.underLoad {
        try await scene.rounds(1) { _ in
          let doomed = try ServiceName.allCases.map { service in
            let (proxy, url) = try scene.proxiedDatabase()
            return (try scene.fleet.start(service, databaseURL: url), proxy)
          }
          for (worker, proxy) in doomed {
            try await worker.ready()
            proxy.onCut { worker.program.signal(SIGKILL) }
            proxy.set(.cutAtCommit(every: 1 + scene.draw(4)))
          }
          for (worker, proxy) in doomed {
            try await mustBeKilled(worker, at: "COMMIT sent", scene)
            proxy.set(.over)
          }
        }
      }
    }
  }

  /// A stopped process loses its lanes, and goes on in the midst of a step that is no longer its.
  private static var zombie: Fault {
    Fault(number: 2, name: "SIGSTOP past the session timeout", watched: ["I5", "I7"]) { scene in
      let first = try await scene.fleet.startEach()
      let second = try await scene.fleet.startEach()
      try await scene.underLoad {
        try await scene.rounds(3) { _ in
          let place = scene.draw(ServiceName.allCases.count)
          let pair =
            scene.draw(2) == 0 ? (first[place], second[place]) : (second[place], first[place])
          let (zombie, successor) = pair
          zombie.program.signal(SIGSTOP)
          scene.injected("SIGSTOP of \(zombie.name) until it had lost its lanes")
          try await scene.fleet.owns(successor, scene.allLanes)
          try await scene.progress(events: 20)
          zombie.program.signal(SIGCONT)
          try await zombie.ready()
          try await scene.progress(events: 20)
        }
      }
    }
  }

  private static var churn: Fault {
    Fault(
      number: 5, name: "members join and leave every 2 s", watched: ["I6", "I7", "I9"]
    ) { scene in
      try await scene.fleet.startEach()
      try await scene.underLoad {
        try await scene.rounds(12) { _ in
          let guest = try scene.fleet.start(scene.pick(ServiceName.allCases))
          await hold(for: .seconds(2))
          scene.injected("\(guest.name) joined and left after 2 s")
          await scene.stop(guest)
        }
      }
    }
  }

  private static var rollingStop: Fault {
    Fault(number: 6, name: "rolling SIGTERM of every worker", watched: ["I3"]) { scene in
      var standing = try await scene.fleet.startEach()
      try await scene.underLoad {
        try await scene.rounds(2) { _ in
          for (place, worker) in standing.enumerated() {
            let successor = try scene.fleet.start(worker.services[0])
            try await successor.ready()
            await scene.stop(worker)
            scene.injected("SIGTERM of \(worker.name), replaced before")
            standing[place] = successor
          }
          try await scene.progress(events: 20)
        }
      }
    }
  }
}

extension Scene {
  /// A proxy of its own before the database, and the URL through it.
  func proxiedDatabase() throws -> (Proxy, String) {
    let proxy = try Proxy(to: server.port)
    return (proxy, try proxy.url(of: databaseURL))
  }
}
