import Contracts
import FleetProcesses
import Foundation
import Glibc
import Kafka
import Postgres

extension Fault {
  /// What is on the topics.
  static let messageFaults: [Fault] = [
    deadlocks, duplicates, acrossTopics, poison, bigMessages,
  ]

  /// All orders want the same article, and somebody else locks rows in another order.
  private static var deadlocks: Fault {
    Fault(number: 15, name: "deadlocks on purpose, one hot SKU", watched: ["I2"]) { scene in
      try await scene.fleet.startEach(2)
      let pool = Pool(try ConnectionConfiguration(url: scene.databaseURL), maximum: 1)
      let result = await catching {
        try await scene.underLoad {
          try await scene.rounds(20) { round in
            let orders = (0..<50).map { "hot-\(round)-\($0)" }
            _ = try await scene.fleet.produce(orders.map(BadInput.valid))
            scene.expect(orders.map(completed))
            // As one who deals with the hot article last, where inventory sorts by name.
            let isVictim = await catching {
              try await pool.withConnection { connection in
                try connection.executeScript(
                  """
                  BEGIN;
                  SET LOCAL deadlock_timeout = '5s';
                  UPDATE inventory.stock SET reserved = reserved WHERE sku = 'SKU-0009';
                  SELECT pg_sleep(0.3);
                  UPDATE inventory.stock SET reserved = reserved WHERE sku = 'SKU-0001';
                  COMMIT
                  """)
              }
            }
            if case .failure = isVictim { scene.note("the other one was chosen as the victim") }
            scene.injected("50 orders of one article, rows locked the other way round")
          }
        }
      }
      await pool.close()
      try result.get()
      let deadlocks: Int64 = try await scene.fleet.scalar(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
      scene.note("deadlocks that Postgres has found: \(deadlocks)")
      try require(deadlocks > 0, "no deadlock has come about")
    }
  }

  private static var duplicates: Fault {
    Fault(
      number: 18, name: "every message one to five times, the log replayed from 0",
      watched: ["I1", "I5"]
    ) { scene in
      try await scene.fleet.startEach()
      var repeated: Set<[UInt8]> = []
      try await scene.underLoad {
        try await scene.progress(events: 300)
        try await scene.repeatMessages(&repeated)
      }
      try await scene.fleet.quiet()
      try await scene.repeatMessages(&repeated)
      try await scene.fleet.quiet()
      let before = try await scene.fleet.checksums()
      for worker in scene.fleet.workers { await scene.stop(worker) }
      try await scene.fleet.rewind()
      scene.injected("all groups set to offset 0")
      let workers = try await scene.fleet.startEach()
      try await scene.fleet.quiet()
      if try await scene.fleet.checksums() != before {
        scene.breach("I5", "the tables differ after everything was read again")
      }
      for worker in workers {
        let duplicates = try await worker.metric("orderly_events_duplicate_total") ?? 0
        scene.note("\(worker.name): \(Int(duplicates)) duplicates")
        if duplicates == 0 { scene.breach("I5", "\(worker.name) has met no duplicate") }
      }
    }
  }

  /// One service after the other comes late, so that what follows is there before what it follows:
  /// the cancellation of an order before inventory has heard of it, a refund before the capture.
  private static var acrossTopics: Fault {
    Fault(
      number: 19, name: "across topics: cancel before reserve, refund before capture",
      watched: ["I3"]
    ) { scene in
      let overdue = ["--order-deadline", "1"]
      try await scene.rounds(4) { round in
        let late = ServiceName.allCases.filter { $0 != .orders }[round % 3]
        let early = ServiceName.allCases.filter { $0 != late }
        for service in early { try await scene.fleet.start(service, options: overdue).ready() }
        let batch = Orders(seed: scene.seed &* 100 &+ UInt64(round), count: 120)
        try await batch.publish(on: scene.fleet)
        try await scene.fleet.quiet(early)
        try await eventually("all orders that wait for \(late) are overdue") {
          let open: Int64 = try await scene.fleet.scalar(
            "SELECT count(*) FROM orders.orders WHERE status = 'placed'")
          return open == 0
        }
        try await scene.fleet.quiet(early)
        scene.injected("\(late.rawValue) held back until the others had cancelled")
        try await scene.fleet.start(late, options: overdue).ready()
        try await scene.fleet.quiet()
        for worker in scene.fleet.workers where worker.program.isRunning {
          await scene.stop(worker)
        }
        scene.expect(try Self.orTimedOut(batch, scene))
      }
      try await scene.fleet.startEach(options: overdue)
    }
  }

  /// What the batch was published to come to, or cancelled because it took too long.
  private static func orTimedOut(_ orders: Orders, _ scene: Scene) throws -> [String] {
    try String(contentsOfFile: orders.expectations(scene.fleet), encoding: .utf8)
      .split(separator: "\n").map { line in
        String(line).replacing(
          "\"terminal\":[", with: #""terminal":[{"state":"cancelled","reason":"timed-out"},"#)
      }
  }

  private static var poison: Fault {
    Fault(
      number: 20, name: "poison of \(BadInput.all.count + 1) kinds", watched: ["I8"]
    ) { scene in
      try await scene.fleet.startEach()
      try await scene.underLoad {
        try await scene.rounds(3) { round in
          try await scene.poison(round)
          try await scene.progress(events: 50)
        }
      }
    }
  }

  /// Each is over the bound of a body, and is dead-lettered as it is: several are in memory at once.
  private static var bigMessages: Fault {
    Fault(number: 22, name: "1 MB messages against a memory limit", watched: ["I9"]) { scene in
      let bytes = 256 << 20
      for service in ServiceName.allCases {
        guard let group = MemoryGroup(service.rawValue, bytes: bytes) else {
          throw NotRun("a control group that bounds memory can't be made here")
        }
        scene.atEnd { group.remove() }
        try await scene.fleet.start(service, launch: Fleet.Launch(setup: group.entering)).ready()
      }
      guard let input = BadInput.all.first(where: { $0.reason == .tooBig }) else { return }
      try await scene.underLoad {
        try await scene.rounds(6) { round in
          var records = (0..<40).map { BadInput.valid(order: "big-\(round)-\($0)") }
          for index in records.indices { input.spoil(&records[index]) }
          let places = try await scene.fleet.produce(records)
          scene.expect(places.map { deadLetter(at: $0, input.reason.rawValue, input.services) })
          scene.injected("40 messages of 1 MB, \(bytes >> 20) MiB for each worker")
          try await scene.progress(events: 20)
        }
      }
      for worker in scene.fleet.workers where !worker.program.isRunning {
        scene.breach("I9", "\(worker.name) was ended by the limit")
      }
    }
  }

  fileprivate static func completed(_ order: String) -> String {
    """
    {"order":"\(order)","planned":"completed","terminal":[{"state":"completed","reason":null}]}
    """
  }

  /// As `orderly publish --expect` writes it.
  fileprivate static func deadLetter(
    at place: RecordPosition, _ reason: String, _ services: [ServiceName]
  ) -> String {
    let names = services.map { "\"\($0.rawValue)\"" }.joined(separator: ",")
    return """
      {"topic":"\(place.topic)","partition":\(place.partition),"offset":\(place.offset),\
      "reason":"\(reason)","services":[\(names)]}
      """
  }
}

extension Scene {
  /// Publishes each event that is on the topics none to four times more, the services' own too.
  ///
  /// - Parameter repeated: the ids of those that were drawn before.
  fileprivate func repeatMessages(_ repeated: inout Set<[UInt8]>) async throws {
    var copies: [Record] = []
    var events = 0
    for message in try await fleet.messages(on: Topic.allCases.map(\.rawValue)) {
      // Poison is left out, since each copy of it is a dead letter of its own.
      guard
        (try? EventCodec.decode(
          key: message.key, value: message.value,
          headers: message.headers.map { EventHeader($0.name, $0.value) })) != nil,
        let id = message.headers.first(where: { $0.name == HeaderName.id })?.value,
        repeated.insert(id).inserted
      else { continue }
      events += 1
      copies += Array(
        repeating: Record(
          topic: message.topic, partition: message.partition, key: message.key,
          value: message.value, headers: message.headers), count: draw(5))
    }
    for start in stride(from: 0, to: copies.count, by: 1_000) {
      _ = try await fleet.produce(Array(copies[start..<min(start + 1_000, copies.count)]))
    }
    injected("\(events) events published \(copies.count) times more, none to four times each")
  }

  /// Every kind behind a good order and before one, in one partition.
  fileprivate func poison(_ round: Int) async throws {
    let partition = Int32(draw(allLanes.count))
    var records: [Record] = []
    for (index, input) in BadInput.all.enumerated() {
      var bad = BadInput.valid(order: "bad-\(round)-\(index)")
      input.spoil(&bad)
      records += [bad, BadInput.valid(order: "good-\(round)-\(index)")]
    }
    // The same id with another body, for another order: the first one counts.
    let original = BadInput.valid(order: "first-\(round)")
    var other = BadInput.valid(order: "second-\(round)")
    other.headers = original.headers
    records += [original, other]
    for index in records.indices { records[index].partition = partition }
    let places = try await fleet.produce(records)
    for (index, input) in BadInput.all.enumerated() {
      expect([Fault.deadLetter(at: places[index * 2], input.reason.rawValue, input.services)])
      expect([Fault.completed("good-\(round)-\(index)")])
    }
    expect([Fault.completed("first-\(round)")])
    injected("\(BadInput.all.count + 1) kinds in one partition, a good order behind each")
  }
}

/// A control group of the kernel that ends its processes above a bound of memory.
private struct MemoryGroup: Sendable {
  private let folder: URL

  /// Nil where the machine does not give the right to make one.
  init?(_ part: String, bytes: Int) {
    let name = "orderly-chaos-\(getpid())-\(part)"
    let version1 = URL(filePath: "/sys/fs/cgroup/memory")
    let isVersion1 = FileManager.default.fileExists(atPath: version1.path)
    folder = (isVersion1 ? version1 : URL(filePath: "/sys/fs/cgroup")).appending(path: name)
    let bound = isVersion1 ? "memory.limit_in_bytes" : "memory.max"
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
      try Data("\(bytes)".utf8).write(to: folder.appending(path: bound))
    } catch {
      rmdir(folder.path)
      return nil
    }
  }

  /// What a shell does to become one of its processes.
  var entering: String { "echo $$ > \(folder.path)/cgroup.procs" }

  func remove() { rmdir(folder.path) }
}
