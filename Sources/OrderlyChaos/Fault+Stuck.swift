import Contracts
import FleetProcesses
import Foundation

extension Fault {
  /// A handler does not come back.
  static let stuckFaults: [Fault] = [stuck, stuckWhileJoined]

  /// Shorter than it takes the watchdog to notice, and than the locks below are held: a client that
  /// is not polled would have left its group long before they end.
  private static let pollInterval = 10

  private static func start(_ scene: Scene) async throws {
    let file = scene.fleet.folder.appending(path: "config.yaml")
    let text = """
      current-context: chaos
      contexts:
        chaos:
          kafka:
            properties:
              max.poll.interval.ms: "\(pollInterval * 1_000)"
      """
    try Data(text.utf8).write(to: file)
    for service in ServiceName.allCases {
      try await scene.fleet.start(
        service, launch: Fleet.Launch(environment: ["ORDERLY_CONFIG": file.path])
      ).ready()
    }
  }

  private static var stuck: Fault {
    Fault(
      number: 3, name: "a handler stuck past max.poll.interval.ms", watched: ["I5", "I9"]
    ) { scene in
      try await start(scene)
      try await scene.underLoad {
        try await scene.rounds(1) { _ in
          let (service, table) = scene.pick(tables)
          let epochs = "SELECT sum(epoch)::bigint FROM \(service.rawValue).lane"
          let before: Int64 = try await scene.fleet.scalar(epochs)
          try await scene.locked("\(service.rawValue).\(table)") {
            scene.injected(
              "the table of \(service.rawValue) locked for \(pollInterval * 2) s")
            await hold(for: .seconds(pollInterval * 2))
            let worker = scene.fleet.workers.first { $0.services == [service] }
            try await worker?.notReady(saying: "statement timeout")
          }
          try await scene.progress(events: 20)
          let after: Int64 = try await scene.fleet.scalar(epochs)
          if after != before {
            scene.breach("I9", "\(service.rawValue) has left its group while it was stuck")
          }
        }
      }
    }
  }

  private static var stuckWhileJoined: Fault {
    Fault(
      number: 4, name: "a stuck handler while another member joins", watched: ["I7"],
      isInCI: false
    ) { scene in
      try await start(scene)
      try await scene.underLoad {
        try await scene.rounds(1) { _ in
          let (service, table) = scene.pick(tables)
          let guest = try await scene.locked("\(service.rawValue).\(table)") {
            await hold(for: .seconds(2))
            let guest = try scene.fleet.start(service)
            scene.injected("the table of \(service.rawValue) locked while \(guest.name) joined")
            await hold(for: .seconds(pollInterval * 2))
            return guest
          }
          try await guest.ready()
          try await scene.progress(events: 20)
        }
      }
    }
  }

  /// What each service's handler needs.
  private static let tables: [(ServiceName, String)] = [
    (.orders, "orders"), (.inventory, "reservation"), (.payments, "payment"),
    (.fulfilment, "shipment"),
  ]
}

extension Scene {
  /// Runs `body` while a table can't be read by others.
  fileprivate func locked<R>(_ table: String, _ body: () async throws -> R) async throws -> R {
    try await OpenTransaction.with(databaseURL, "LOCK TABLE \(table)", body)
  }
}
