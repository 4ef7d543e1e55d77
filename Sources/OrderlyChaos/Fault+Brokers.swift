import Contracts
import FleetProcesses
import Foundation
import Glibc
import Kafka

extension Fault {
  /// The brokers, and what is on them.
  static let brokerFaults: [Fault] = [
    brokerKilled, coordinatorKilled, brokerStopped, brokerStoppedLong, brokerAway,
    partitionsAdded, retentionPasses,
  ]

  private static var brokerKilled: Fault {
    Fault(number: 7, name: "kill -9 and restart of a broker", watched: ["I4", "I7"]) { scene in
      try scene.brokers.mustBeControlled()
      try await scene.fleet.startEach()
      try await scene.underLoad {
        try await scene.rounds(2) { _ in
          try await scene.killBroker(1 + scene.draw(scene.brokers.count), for: .seconds(1))
        }
      }
    }
  }

  private static var coordinatorKilled: Fault {
    Fault(number: 7, name: "kill -9 of the group coordinator", watched: ["I4", "I7"]) { scene in
      try scene.brokers.mustBeControlled()
      guard scene.brokers.count >= 3 else {
        throw NotRun("needs three brokers, so that another one can coordinate")
      }
      try await scene.fleet.startEach(2)
      try await scene.underLoad {
        try await scene.rounds(2) { _ in
          let service = scene.pick(ServiceName.allCases)
          let broker = try await scene.brokers.coordinator(of: service)
          try scene.brokers.signal(SIGKILL, broker)
          scene.injected("kill -9 of the coordinator of \(service.rawValue)")
          // The others serve, so work goes on while it is away.
          let result = await catching {
            try await scene.progress(events: 100, within: .seconds(240))
          }
          try await scene.brokers.start(broker)
          try result.get()
        }
      }
    }
  }

  private static var brokerStopped: Fault {
    Fault(number: 8, name: "SIGSTOP of the broker for 12 s", watched: ["I4", "I9"]) {
      try await stopBroker($0, seconds: 12)
    }
  }

  private static var brokerStoppedLong: Fault {
    Fault(
      number: 8, name: "SIGSTOP of the broker for 60 s", watched: ["I4", "I9"], isInCI: false
    ) {
      try await stopBroker($0, seconds: 60)
    }
  }

  private static func stopBroker(_ scene: Scene, seconds: Int) async throws {
    _ = try scene.brokers.process(1)
    try await scene.fleet.startEach()
    try await scene.underLoad {
      try await scene.rounds(1) { _ in
        let broker = 1 + scene.draw(scene.brokers.count)
        try scene.brokers.signal(SIGSTOP, broker)
        scene.injected("SIGSTOP of the broker for \(seconds) s")
        await hold(for: .seconds(seconds))
        try scene.brokers.signal(SIGCONT, broker)
        try await scene.everybodyIsReady()
        try await scene.progress(events: 50)
      }
    }
  }

  private static var brokerAway: Fault {
    Fault(number: 8, name: "the broker away for 3 minutes", watched: ["I4", "I9"], isInCI: false) {
      scene in
      try scene.brokers.mustBeControlled()
      guard scene.brokers.count == 1 else { throw NotRun("needs a single broker") }
      try await scene.fleet.startEach()
      try await scene.underLoad {
        try await scene.rounds(1) { _ in try await scene.killBroker(1, for: .seconds(180)) }
      }
    }
  }

  /// The same key goes to another partition from then on: no order is handled by two lanes, because
  /// nothing is handled any more until somebody has decided.
  private static var partitionsAdded: Fault {
    Fault(
      number: 9, name: "partitions added to a running fleet", watched: ["I6"],
      breaksOnPurpose: ["--expect", "I9"]
    ) { scene in
      let workers = try await scene.fleet.startEach()
      try await scene.underLoad { try await scene.progress(events: 100) }
      try await scene.fleet.quiet()
      let count = Servers.partitions + 2
      try await Servers.withAdmin(scene.brokers.bootstrapServers) { admin in
        for topic in Topic.allCases {
          for (_, result) in try await admin.createPartitions([topic.rawValue: count]) {
            try result.get()
          }
        }
      }
      scene.injected("\(count) partitions instead of \(Servers.partitions) on all topics")
      for worker in workers {
        await scene.requiring("I6", worker, toSay: "partitions")
      }
      // One that starts afterwards sees nothing but the new number.
      let late = try scene.fleet.start(.orders)
      await scene.requiring("I6", late, toSay: "partitions")
      let before = try await scene.handledByEach()
      let orders = (0..<50).map { "late-\($0)" }
      _ = try await scene.fleet.produce(orders.map(BadInput.valid))
      await hold(for: .seconds(5))
      if try await scene.handledByEach() != before {
        scene.breach("I6", "events were handled although the partitions had changed")
      }
    }
  }

  private static var retentionPasses: Fault {
    Fault(
      number: 10, name: "retention passes a group's offset", watched: ["I7"],
      breaksOnPurpose: ["I7", "--expect", "I9", "I3", "I4"]
    ) { scene in
      let workers = try await scene.fleet.startEach()
      try await scene.underLoad { try await scene.progress(events: 100) }
      try await scene.fleet.quiet()
      let victim = workers[1]
      await scene.stop(victim)
      let before = try await scene.committed(.inventory)
      try await scene.underLoad { try await scene.progress(events: 100) }
      try await scene.fleet.deleteRecords(of: [Topic.orders.rawValue])
      scene.injected("all records of orders.v1 deleted, which inventory had not read")
      let late = try scene.fleet.start(.inventory)
      await scene.requiring("I7", late, toSay: "records were deleted before they were read")
      let after = try await scene.committed(.inventory)
      for (partition, offset) in before where partition.topic == Topic.orders.rawValue {
        if after[partition] ?? offset > offset {
          scene.breach("I7", "inventory has skipped \(partition) from \(offset) in silence")
        }
      }
      let audit = try await scene.fleet.orderly(["audit"])
      if audit.status == 0 || !audit.output.contains("deleted by retention") {
        scene.breach("I7", "the audit did not notice the deleted records")
      }
    }
  }
}

extension Scene {
  /// Kills a broker, and starts it again after a while.
  fileprivate func killBroker(_ number: Int, for duration: Duration) async throws {
    try brokers.signal(SIGKILL, number)
    injected("kill -9 of a broker, away for \(duration.components.seconds) s")
    await hold(for: duration)
    try await brokers.start(number)
    try await everybodyIsReady(within: .seconds(180))
    try await progress(events: 50)
  }

  /// Holds a worker to an alarm at /readyz.
  fileprivate func requiring(_ promise: String, _ worker: Worker, toSay sentence: String) async {
    do {
      try await worker.notReady(saying: sentence, within: .seconds(90))
      note("\(worker.name) is not ready: \(sentence)")
    } catch {
      breach(promise, "no alarm: \(error)")
    }
  }

  fileprivate func handledByEach() async throws -> [Int64] {
    var counts: [Int64] = []
    for service in ServiceName.allCases {
      counts.append(try await fleet.inboxRows(of: service))
    }
    return counts
  }

  fileprivate func committed(_ service: ServiceName) async throws -> [TopicPartition: Int64] {
    try await Servers.withAdmin(brokers.bootstrapServers) { admin in
      try await admin.listOffsets(
        group: service.rawValue, partitions: Fleet.partitions(of: service))
    }
  }
}
