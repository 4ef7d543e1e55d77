import Contracts
import FleetProcesses
import Foundation

extension Fault {
  /// What lies between the workers and the servers.
  static let networkFaults: [Fault] = [
    commitReplyLost, databaseCut(.deafServer, "to"), databaseCut(.deafClients, "from"),
    brokerCut(.deafServer, "to"), brokerCut(.deafClients, "from"), standbyPromoted,
  ]

  /// The outcome of a step is unknown to who has run it.
  private static var commitReplyLost: Fault {
    Fault(number: 12, name: "the reply to COMMIT is dropped", watched: ["I5"]) { scene in
      let (proxy, url) = try scene.proxiedDatabase()
      scene.atEnd { proxy.set(.over) }
      try await scene.fleet.startEach(databaseURL: url)
      try await scene.underLoad {
        try await scene.rounds(3) { round in
          let wanted = (round + 1) * 20
          proxy.onCut { scene.injected("a reply to COMMIT dropped with its connection") }
          proxy.set(.cutAtCommit(every: 3 + scene.draw(5)))
          try await eventually("\(wanted) replies are dropped", within: .seconds(180)) {
            proxy.cuts >= wanted
          }
          proxy.set(.forward)
          try await scene.everybodyIsReady()
          try await scene.progress(events: 50)
        }
      }
    }
  }

  private static func databaseCut(_ mode: Proxy.Mode, _ direction: String) -> Fault {
    Fault(
      number: 13, name: "the way \(direction) Postgres cut", watched: ["I3", "I9"],
      isInCI: mode == .deafClients
    ) { scene in
      let (proxy, url) = try scene.proxiedDatabase()
      scene.atEnd { proxy.set(.over) }
      let workers = try await scene.fleet.startEach(databaseURL: url)
      try await scene.underLoad {
        try await scene.rounds(1) { _ in
          proxy.set(mode)
          scene.injected("nothing passed \(direction) Postgres until every worker had said so")
          for worker in workers {
            try await worker.notReady(saying: "database", within: .seconds(90))
          }
          proxy.set(.forward)
          try await scene.everybodyIsReady()
          try await scene.progress(events: 50)
        }
      }
    }
  }

  private static func brokerCut(_ mode: Proxy.Mode, _ direction: String) -> Fault {
    Fault(
      number: 13, name: "the way \(direction) the broker cut", watched: ["I3", "I9"],
      isInCI: mode == .deafServer
    ) { scene in
      guard let proxy = scene.brokers.proxy else {
        throw NotRun("clients connect to what the broker advertises: --broker-proxy")
      }
      defer { proxy.set(.forward) }
      try await scene.fleet.startEach()
      try await scene.underLoad {
        try await scene.rounds(2) { _ in
          proxy.set(mode)
          scene.injected("nothing passed \(direction) the broker for 10 s")
          // Longer than the session.
          await hold(for: .seconds(10))
          proxy.set(.forward)
          try await scene.everybodyIsReady()
          try await scene.progress(events: 50)
        }
      }
    }
  }
}
