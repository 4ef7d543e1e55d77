import Contracts
import Foundation
import JSONSchema
import Kafka
import Testing

@testable import OrderlyCLI

/// The second table of the audit: what has become of every record, and what the verdict is when
/// nothing can be judged.
@Suite(.serialized, .timeLimit(.minutes(10))) struct OutcomeLedgerTests {
  /// An audit as `-o json` has it.
  struct Report {
    let status: Int32
    let verdict: String?
    let object: JSONValue
    let warnings: [String]

    init(_ system: SmallSystem, _ arguments: String...) async throws {
      let outcome = try await system.orderly.run(["audit", "-o", "json"] + arguments)
      object = try #require(try? JSONValue(parsing: outcome.output), "\(outcome)")
      status = outcome.status
      verdict = object["verdict"]?.string
      warnings = object["warnings"]?.array?.compactMap(\.string) ?? []
    }

    func ledger(_ service: ServiceName) -> JSONValue? {
      object["ledger"]?.array?.first { $0["service"]?.string == service.rawValue }
    }

    /// The ids by what is broken.
    func violations(_ promise: String) -> [String: [String]] {
      let found = object["promises"]?.array?.first { $0["promise"]?.string == promise }
      return Dictionary(
        (found?["violations"]?.array ?? []).map { violation in
          (
            violation["what"]?.string ?? "",
            violation["ids"]?.array?.compactMap(\.string) ?? []
          )
        }
      ) { first, _ in first }
    }
  }

  @Test func everyRecordIsCountedOnce() async throws {
    try await SmallSystem.with { system in
      let clean = try await Report(system)
      let orders = try #require(clean.ledger(.orders))
      // Three places, two cancel-able orders: all 15 records; its own four events are passed over.
      #expect(orders["records"]?.int == 15)
      #expect(orders["done"]?.int == 10)
      #expect(orders["passedOver"]?.int == 4)
      #expect(orders["dead"]?["open"]?.int == 1)
      #expect(clean.warnings.isEmpty)

      let placed = try #require(SmallSystem.events.first { $0.type == .orderPlaced })
      let reserved = try #require(SmallSystem.events.first { $0.type == .inventoryReserved })
      let cause = try #require(SmallSystem.events.first { $0.type == .orderPlaced }).id
      // The same event twice more, of which orders and inventory commit one.
      try await system.publish([
        system.record(.orderPlaced, placed.order, id: placed.id, cause: nil, source: "/tests")
      ])
      try await system.commit()
      try await system.publish([
        system.record(.orderPlaced, placed.order, id: placed.id, cause: nil, source: "/tests"),
        system.record(.inventoryReserved, reserved.order, id: reserved.id, cause: cause),
      ])
      try system.sql(
        """
        UPDATE inventory.dead_letter SET state = 'resolved';
        INSERT INTO payments.parked_key VALUES ('gone-1', 0, 'waiting', 1, now(), 'down', 'down',
          now(), now());
        INSERT INTO payments.parked (event_id, lane, order_id, topic, partition, "offset", headers,
          event_type, attempts)
        SELECT '\(UUID(version5Of: "gone-1/inventory.reserved", namespace: .smallSystem))', 0,
          'gone-1', 'inventory.v1', 0, 1, '[]', 'inventory.reserved', 0;
        """)
      let found = try await Report(system)
      #expect(found.ledger(.orders)?["duplicates"]?.int == 1)
      #expect(found.ledger(.orders)?["inFlight"]?.int == 2)
      #expect(found.ledger(.inventory)?["dead"]?["resolved"]?.int == 1)
      #expect(found.ledger(.payments)?["parked"]?.int == 1)
      #expect(found.ledger(.payments)?["inFlight"]?.int == 1)
      for service in ServiceName.allCases {
        let ledger = try #require(found.ledger(service))
        let dead = ["open", "resolved"].compactMap { ledger["dead"]?[$0]?.int }.reduce(0, +)
        let sum = ["done", "duplicates", "parked", "inFlight", "passedOver", "missing"]
          .compactMap { ledger[$0]?.int }.reduce(dead, +)
        #expect(sum == ledger["records"]?.int, "\(service): \(ledger)")
      }
      #expect(found.object["stopped"]?.array?.map { $0["order"]?.string } == ["gone-1"])
      let text = try await system.orderly.run("audit")
      #expect(text.output.contains("nothing: it is tried again by itself"))
    }
  }

  @Test func rowsAboutRecordsThatNeverWereAreABreach() async throws {
    try await SmallSystem.with { system in
      try system.sql(
        """
        UPDATE orders.dead_letter SET "offset" = 99;
        INSERT INTO payments.parked_key VALUES ('gone-1', 0, 'dead', 1, now(), 'down', 'down',
          now(), now());
        INSERT INTO payments.parked (event_id, lane, order_id, topic, partition, "offset", headers,
          event_type, attempts)
        VALUES (gen_random_uuid(), 0, 'gone-1', 'inventory.v1', 0, 77, '[]', 'inventory.reserved', 0)
        """)
      let found = try await Report(system)
      #expect(found.status == 1)
      let broken = found.violations("I7")
      #expect(
        broken["dead-lettered by orders, but its topic has no such record"] == ["orders.v1[0]@99"])
      #expect(
        broken["parked by payments, but its topic has no such record"] == ["inventory.v1[0]@77"])
      let text = try await system.orderly.run("audit")
      #expect(text.output.contains("orderly saga show gone-1"))
    }
  }

  @Test func recordsWithoutAWorkerAreABreach() async throws {
    try await SmallSystem.with { system in
      try await system.publish([
        system.record(.orderPlaced, "new-1", id: UUID(), cause: nil, source: "/tests")
      ])
      let alone = try await Report(system)
      #expect(alone.status == 1)
      let what =
        "records wait, and no worker works for inventory: start 'orderly-worker inventory'"
      let waiting = try #require(alone.violations("I9")[what])
      #expect(waiting.count == 1)
      #expect(waiting[0].hasPrefix("orders.v1[0]@"))
      try system.addWorker()
      let served = try await Report(system)
      #expect(served.status == 0)
      #expect(served.verdict == "kept")
      // A worker that lets a record wait for a minute and does not move.
      var old = system.record(.orderPlaced, "new-2", id: UUID(), cause: nil, source: "/tests")
      old.topic = "fulfilment.v1"
      old.timestamp = Int64(Date().timeIntervalSince1970 * 1000) - 90_000
      try await system.publish([old])
      let stuck = try await Report(system)
      #expect(
        stuck.warnings.contains {
          $0.hasPrefix("payments has a worker, but its oldest record on fulfilment.v1[0]@")
        }, "\(stuck.warnings)")
    }
  }

  @Test func anUnreadableRegistryIsAWarning() async throws {
    try await SmallSystem.with { system in
      try system.sql("ALTER TABLE fleet.worker RENAME TO worker_before")
      let found = try await Report(system)
      #expect(found.status == 0)
      #expect(
        found.warnings.contains { $0.hasPrefix("which workers live can't be found out") })
    }
  }

  @Test func ordersFarPastTheirDeadlineAreABreachUnlessHeld() async throws {
    try await SmallSystem.with { system in
      func place(_ order: String, lateFor minutes: Int) throws {
        try system.sql(
          """
          INSERT INTO orders.orders (order_id, lane, status, customer_id, currency, total,
            placed_at, deadline_at, created_at, updated_at)
          VALUES ('\(order)', 0, 'placed', 'c', 'EUR', 1, now(),
            now() - interval '\(minutes) min', now(), now())
          """)
      }
      try place("late-1", lateFor: 6)
      try place("late-2", lateFor: 4)
      try place("late-3", lateFor: 60)
      try system.park("late-3", in: .payments, state: "dead", events: 1)
      try place("late-4", lateFor: 60)
      try system.capture("late-4", isDead: true)
      let found = try await Report(system)
      let what = "still placed more than 5 min after its deadline; see 'orderly saga show'"
      #expect(found.violations("I9") == [what: ["late-1"]])
      let stopped = found.object["stopped"]?.array ?? []
      #expect(stopped.map { $0["order"]?.string } == ["late-3", "late-4"])
      #expect(stopped.last?["reason"]?.string == "payments.capture: provider-refused")
      // A call that nobody makes.
      try system.capture("late-4", isDead: false)
      let alone = "calls wait, and no worker works for payments: start 'orderly-worker payments'"
      #expect(try await Report(system).violations("I9") == [what: ["late-1"], alone: ["late-4"]])
    }
  }

  @Test func nothingIsNotOk() async throws {
    try await SmallSystem.empty { system in
      let empty = try await system.orderly.run("audit")
      #expect(empty.status == 0)
      #expect(
        empty.output.hasSuffix("nothing to judge: there is no order and no record\n"),
        "\(empty.output)")
      #expect(
        !empty.output.split(separator: "\n").contains { $0.hasPrefix("I3") && $0.contains("ok") })
      // Only in flight, with workers: nothing is broken, and nothing can be said.
      try system.addWorker()
      try await system.publish([
        system.record(.orderPlaced, "new-1", id: UUID(), cause: nil, source: "/tests")
      ])
      let begun = try await Report(system)
      #expect(begun.status == 1)
      #expect(begun.verdict == "unjudged")
      let text = try await system.orderly.run("audit")
      #expect(text.output.contains("nothing to judge yet: no order has ended"))
    }
  }

  @Test func totalsAreLeftOutOfPartsAndAllIdsAreNamedOnRequest() async throws {
    try await SmallSystem.with { system in
      func notes(_ report: Report) -> [String] {
        let money = report.object["promises"]?.array?.first { $0["promise"]?.string == "I1" }
        return money?["notes"]?.array?.compactMap(\.string) ?? []
      }
      #expect(try await notes(Report(system)).count == 2)
      #expect(try await notes(Report(system, "--since", "1h")).isEmpty)
      try system.sql(
        """
        ALTER TABLE inventory.stock DROP CONSTRAINT stock_check;
        UPDATE inventory.stock SET on_hand = on_hand - 1
        WHERE sku BETWEEN 'SKU-0010' AND 'SKU-0029'
        """)
      let what = "received is not on hand + reserved"
      #expect(try await Report(system).violations("I2")[what]?.count == 10)
      #expect(try await Report(system, "--all").violations("I2")[what]?.count == 20)
    }
  }
}

/// A Kafka and a Postgres of two systems are told apart in one sentence.
@Suite(.serialized, .timeLimit(.minutes(10))) struct BelongingTests {
  @Test func fullTablesAndEmptyTopics() async throws {
    try await SmallSystem.with { system in
      for number in 1...5 { try system.completeOrder("old-\(number)") }
      try await OwnServers.withMock(partitions: 1) { mock, _ in
        var other = system.orderly
        other.environment["KAFKA_BOOTSTRAP_SERVERS"] = mock.bootstrapServers
        let outcome = try await other.run("audit")
        #expect(outcome.status == 1)
        #expect(outcome.lines.count == 1)
        #expect(
          outcome.output.hasPrefix(
            "Kafka and Postgres do not belong together: the tables tell of orders of which there is "
              + "nothing on orders.v1 (7 of 7), "), "\(outcome.output)")
        let doctor = try await other.run("doctor")
        #expect(doctor.status == 1)
        #expect(doctor.output.contains("do not belong together"), "\(doctor.output)")
      }
    }
  }

  @Test func fullTopicsAndEmptyTables() async throws {
    try await SmallSystem.with { system in
      try await OwnServers.withDatabase { url in
        var other = system.orderly
        other.environment["ORDERLY_DATABASE_URL"] = url
        #expect(try await other.run("db", "migrate").status == 0)
        let outcome = try await other.run("audit")
        #expect(outcome.status == 1)
        #expect(outcome.lines.count == 1)
        #expect(
          outcome.output.hasPrefix(
            "Kafka and Postgres do not belong together: there are records that groups have committed "
              + "and their tables have not taken in: orders (11 of 11), "), "\(outcome.output)")
        let doctor = try await other.run("doctor")
        #expect(doctor.status == 1)
        #expect(doctor.output.contains("do not belong together"), "\(doctor.output)")
      }
    }
  }

  @Test func topicsThatAreMissingAreNamed() async throws {
    try await SmallSystem.with { system in
      try await OwnServers.withMock(topics: ["orders.v1"]) { mock, _ in
        var other = system.orderly
        other.environment["KAFKA_BOOTSTRAP_SERVERS"] = mock.bootstrapServers
        let outcome = try await other.run("audit")
        #expect(outcome.status == 1)
        #expect(outcome.output.isEmpty)
        #expect(outcome.messages.contains("does not have inventory.v1, payments.v1"))
      }
    }
  }
}
