import Contracts
import Foundation
import JSONSchema
import Kafka
import Testing

@testable import OrderlyCLI

/// The audit on real rows and records: a system that keeps its promises passes, and a breach of
/// each promise is found.
@Suite(.serialized) struct AuditCommandTests {
  /// A breach that is made and unmade in the tables.
  struct Breach: Sendable, CustomTestStringConvertible {
    let promise: String
    let what: String
    let id: String
    let plant: String
    /// What takes back that which is not in the rows.
    var undo: String?

    var testDescription: String { "\(promise): \(what)" }
  }

  static let breaches = [
    Breach(
      promise: "I1", what: "completed, but the money kept is not the order's total", id: "done-1",
      plant: "UPDATE orders.orders SET total = 5997 WHERE order_id = 'done-1'"),
    Breach(
      promise: "I1", what: "the bookings of the order don't sum to zero", id: "gone-1",
      plant: """
        UPDATE payments.ledger_entry SET amount = 1201
        WHERE order_id = 'gone-1' AND kind = 'refund' AND account = 'customer-sales'
        """),
    Breach(
      promise: "I1", what: "cancelled, but money is kept", id: "gone-1",
      plant: "DELETE FROM payments.ledger_entry WHERE order_id = 'gone-1' AND kind = 'refund'"),
    Breach(
      promise: "I2", what: "reserved is not what the reservations hold", id: "SKU-0001",
      plant: "UPDATE inventory.stock SET on_hand = on_hand - 1, reserved = 3 WHERE sku = 'SKU-0001'"
    ),
    Breach(
      promise: "I2", what: "a cancelled order holds stock", id: "gone-1",
      plant: """
        UPDATE inventory.reservation SET status = 'reserved', reason = NULL,
          lines = '{"SKU-0002": 1}' WHERE order_id = 'gone-1'
        """),
    Breach(
      promise: "I3", what: "completed, not shipped", id: "done-1",
      plant: "DELETE FROM fulfilment.shipment WHERE order_id = 'done-1'"),
    Breach(
      promise: "I3", what: "placed, but orders has no such order", id: "gone-1",
      plant: "DELETE FROM orders.orders WHERE order_id = 'gone-1'; "
        + "DELETE FROM inventory.reservation WHERE order_id = 'gone-1'; "
        + "DELETE FROM payments.payment WHERE order_id = 'gone-1'; "
        + "DELETE FROM payments.ledger_entry WHERE order_id = 'gone-1'; "
        + "DELETE FROM fulfilment.shipment WHERE order_id = 'gone-1'"),
    Breach(
      promise: "I4", what: "declined in payments, but no payment.declined was sent", id: "gone-1",
      plant: "UPDATE payments.payment SET status = 'declined', payment_id = NULL "
        + "WHERE order_id = 'gone-1'"),
    Breach(
      promise: "I4", what: "waits in the outbox of orders for more than 10 s",
      id: "00000000-0000-0000-0000-000000000001",
      plant: """
        INSERT INTO orders.outbox (lane, seq, id, aggregatetype, type, source, time, created_at)
        VALUES (0, 1, '00000000-0000-0000-0000-000000000001', 'orders.v1', 'order.accepted',
          '/orderly/orders', now(), now() - interval '11 s')
        """),
    Breach(
      promise: "I5", what: "the inbox has no valid primary key on id", id: "orders",
      plant: "ALTER TABLE orders.inbox DROP CONSTRAINT inbox_pkey",
      undo: "ALTER TABLE orders.inbox ADD PRIMARY KEY (id)"),
    Breach(
      promise: "I7", what: "committed by orders, neither taken in nor dead-lettered",
      id: "fulfilment.v1[0]@0",
      plant: "DELETE FROM orders.inbox WHERE id = '\(shipped)'"),
    Breach(
      promise: "I8", what: "in orders.dlq, but no dead letter of orders", id: "orders.v1[0]@0",
      plant: "DELETE FROM orders.dead_letter"),
  ]

  private static let shipped = UUID(
    version5Of: "done-1/fulfilment.shipped", namespace: .smallSystem)

  @Test(.timeLimit(.minutes(10))) func promisesAreJudgedByWhatIsThere() async throws {
    try await SmallSystem.with { system in
      let clean = try await audit(system)
      #expect(clean.status == 0)
      #expect(clean.violations.isEmpty)
      #expect(clean.isSettled)
      #expect(clean.checked.allSatisfy { $0.value > 0 }, "\(clean.checked)")
      for breach in Self.breaches { try await find(breach, in: system) }
      let again = try await audit(system)
      #expect(again.violations.isEmpty)
    }
  }

  @Test(.timeLimit(.minutes(10))) func recordsThatShouldNotBeThereAreFound() async throws {
    try await SmallSystem.with { system in
      let cause = try #require(SmallSystem.events.first { $0.type == .paymentCaptured }).id
      // A second capture of the same order, which nothing has caused.
      try await system.publish([
        system.record(.paymentCaptured, "done-1", id: UUID(), cause: UUID())
      ])
      // A reservation that is told after its release.
      try await system.publish([
        system.record(.inventoryReleased, "late-1", id: UUID(), cause: cause),
        system.record(.inventoryReserved, "late-1", id: UUID(), cause: cause),
      ])
      // A dead letter that orders knows nothing of.
      try await system.publish([system.deadLetter(of: .orders, offset: 7)])
      let found = try await audit(system)
      #expect(found.status == 1)
      #expect(
        found.violations["I4"]?["sent by a service that has not taken in what it answers"] != nil)
      #expect(found.violations["I5"]?["sent under two ids: payment.captured"] == ["done-1"])
      #expect(
        found.violations["I6"]?["inventory.reserved came after what follows it"] == ["late-1"])
      #expect(
        found.violations["I8"]?["in orders.dlq, but no dead letter of orders"] == ["orders.v1[0]@7"]
      )
    }
  }

  @Test(.timeLimit(.minutes(10))) func whatWasForetoldIsHeldAgainstWhatCame() async throws {
    try await SmallSystem.with { system in
      try await withTemporaryFolder { folder in
        let file = folder.appending(path: "expect.jsonl")
        try """
        {"order":"done-1","planned":"completed","terminal":[{"reason":null,"state":"completed"}]}
        {"order":"gone-1","planned":"declined","terminal":[{"reason":"declined","state":"cancelled"}]}
        {"order":"none-1","planned":"completed","terminal":[{"reason":null,"state":"completed"}]}
        {"offset":0,"partition":0,"reason":"no-value","services":["orders","inventory"],\
        "topic":"orders.v1"}

        """.write(to: file, atomically: true, encoding: .utf8)
        let found = try await audit(system, "--expect", file.path).violations["--expect"] ?? [:]
        #expect(
          found["cancelled (undeliverable), expected cancelled (declined)"] == ["gone-1"])
        #expect(found["missing"] == ["none-1"])
        #expect(
          found["dead-lettered by orders for missing-header, expected no-value"]
            == ["orders.v1[0]@0"])
        #expect(
          found["dead-lettered by fulfilment, which was not expected"] == ["orders.v1[0]@0"])
        #expect(found.count == 5, "\(found)")
      }
    }
  }

  /// What is parked comes to its end later, or when somebody has decided about it: no breach.
  @Test(.timeLimit(.minutes(10))) func parkedOrdersAreInFlight() async throws {
    try await SmallSystem.with { system in
      try await withTemporaryFolder { folder in
        let file = folder.appending(path: "expect.jsonl")
        let orders = ["held-1", "dead-1", "lost-1"]
        try orders.map {
          #"{"order":"\#($0)","terminal":[{"reason":null,"state":"completed"}]}"#
        }.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
        try system.park("dead-1", in: .payments, state: "dead", events: 1)
        let settled = try await audit(system, "--expect", file.path)
        #expect(settled.isSettled)
        #expect(settled.inFlight["I7"] == 1)
        #expect(settled.inFlight["--expect"] == 1)
        #expect(settled.violations == ["--expect": ["missing": ["held-1", "lost-1"]]])
        // One that is tried again means that the system is at work.
        try system.park("held-1", in: .payments, state: "waiting", events: 2)
        let working = try await audit(system, "--expect", file.path)
        #expect(!working.isSettled)
        #expect(working.inFlight["I7"] == 3)
        #expect(working.violations.isEmpty && working.status == 0)

        // An order whose order.placed is behind the fence.
        try system.sql("DELETE FROM orders.orders WHERE order_id = 'done-1'")
        let missing = "placed, but orders has not taken it in"
        #expect(try await audit(system).violations["I3"]?[missing] == ["done-1"])
        try system.park("done-1", in: .orders, state: "waiting", events: 1)
        #expect(try await audit(system).violations["I3"]?[missing] == nil)
      }
    }
  }

  @Test(.timeLimit(.minutes(10))) func ordersThatWaitForACallAreInFlight() async throws {
    try await SmallSystem.with { system in
      try await withTemporaryFolder { folder in
        let file = folder.appending(path: "expect.jsonl")
        try #"{"order":"paying-1","terminal":[{"reason":null,"state":"completed"}]}"#
          .write(to: file, atomically: true, encoding: .utf8)
        try system.addWorker()
        try system.capture("paying-1", isDead: false)
        let working = try await audit(system, "--expect", file.path)
        #expect(!working.isSettled)
        #expect(working.inFlight["--expect"] == 1 && working.violations.isEmpty)
        // Given up: nothing goes on by itself, and somebody has to decide.
        try system.capture("paying-1", isDead: true)
        let stopped = try await audit(system, "--expect", file.path)
        #expect(stopped.isSettled)
        #expect(stopped.inFlight["--expect"] == 1 && stopped.violations.isEmpty)
      }
    }
  }

  @Test func whatGrowsIsNotSettled() {
    let partition = TopicPartition(topic: Topic.payments.rawValue, partition: 3)
    let committed = Dictionary(
      uniqueKeysWithValues: ServiceName.allCases.map { ($0, [partition: Int64(9)]) })
    func isSettled(end: Int64) -> Bool {
      let positions = AuditPositions(
        committed: committed, before: [partition: 0..<9], after: [partition: 0..<end])
      return AuditFacts(positions: positions, databases: DatabaseFacts(), topics: TopicFacts())
        .isSettled
    }
    #expect(isSettled(end: 9))
    #expect(!isSettled(end: 10))
  }

  /// What inventory answers may have been forgotten there, while its own topic still has the answer.
  @Test(.timeLimit(.minutes(10))) func forgottenCausesAreNoBreach() async throws {
    try await SmallSystem.with { system in
      try await system.publish([
        system.record(.inventoryReserved, SmallSystem.completed, id: UUID(), cause: UUID())
      ])
      let what = "sent by a service that has not taken in what it answers"
      func isBreach() async throws -> Bool {
        try await audit(system).violations["I4"]?[what] != nil
      }
      #expect(try await isBreach())
      try system.sql(
        "INSERT INTO inventory.lane (lane, epoch, inbox_horizon) "
          + "VALUES (0, 1, now() - interval '2 days')")
      #expect(try await isBreach())
      // An order that was taken in long ago, and answered now.
      try system.sql(
        "UPDATE orders.orders SET created_at = now() - interval '3 days' "
          + "WHERE order_id = '\(SmallSystem.completed)'")
      #expect(try await !isBreach())
      try system.sql(
        "UPDATE orders.orders SET created_at = now(); "
          + "UPDATE inventory.lane SET inbox_horizon = now() + interval '1 minute'")
      #expect(try await !isBreach())
    }
  }

  /// On librdkafka's mock, which can't be asked for the offset of a time.
  @Test(.timeLimit(.minutes(10))) func recordsSinceATimeAreRead() async throws {
    try await SmallSystem.with { system in
      let all = try await audit(system)
      let recent = try await audit(system, "--since", "1h")
      #expect(recent.status == 0)
      #expect(recent.checked["I7"] == all.checked["I7"])
      #expect(recent.checked["I9"] == all.checked["I9"])
      let none = try await audit(system, "--since", "2100-01-01T00:00:00Z")
      #expect(none.status == 0)
      #expect(none.checked["I9"] == 0)
      try system.sql("DELETE FROM orders.inbox WHERE id = '\(Self.shipped)'")
      let broken = try await audit(system, "--since", "1h")
      #expect(broken.status == 1)
      #expect(
        broken.violations["I7"]?["committed by orders, neither taken in nor dead-lettered"]
          == ["fulfilment.v1[0]@0"])
    }
  }

  /// Orders was away for some hours, and the other services went on.
  @Test(.timeLimit(.minutes(10))) func ordersThatWereTakenInLateAreJudgedWhole() async throws {
    try await SmallSystem.with { system in
      for table in ["inventory.reservation", "payments.payment", "fulfilment.shipment"] {
        try system.sql(
          "UPDATE \(table) SET created_at = created_at - interval '3 h', "
            + "updated_at = updated_at - interval '3 h'")
      }
      try system.sql("UPDATE payments.ledger_entry SET at = at - interval '3 h'")
      let recent = try await audit(system, "--since", "30m")
      #expect(recent.checked["I3"] == 2)
      #expect(recent.violations.isEmpty && recent.status == 0, "\(recent.violations)")
      // What belongs to an older order is not judged.
      try system.sql(
        """
        UPDATE orders.orders SET created_at = created_at - interval '3 h' WHERE order_id = 'done-1';
        DELETE FROM fulfilment.shipment WHERE order_id = 'done-1'
        """)
      let newer = try await audit(system, "--since", "30m")
      #expect(newer.checked["I3"] == 1)
      #expect(newer.violations.isEmpty, "\(newer.violations)")
    }
  }

  @Test func recordsDeletedBeforeAnythingWasCommittedAreABreach() {
    let partition = TopicPartition(topic: Topic.payments.rawValue, partition: 3)
    let positions = AuditPositions(
      committed: [.orders: [partition: 9], .inventory: [:], .fulfilment: [:]],
      before: [partition: 7..<9], after: [partition: 7..<9])
    let facts = AuditFacts(positions: positions, databases: DatabaseFacts(), topics: TopicFacts())
    let subscribers = ServiceName.allCases.filter { $0.subscriptions.contains(.payments) }
    #expect(
      HandlingPromise.check(facts).violations.map(\.what)
        == subscribers.filter { $0 != .orders }.map {
          "\($0.rawValue) has no committed offset, and records were deleted"
        })
  }

  /// Plants a breach in a copy of the tables that it touches, and takes it back.
  private func find(_ breach: Breach, in system: SmallSystem) async throws {
    let tables = [
      "orders.orders", "orders.outbox", "orders.inbox", "orders.dead_letter", "inventory.stock",
      "inventory.reservation", "payments.payment", "payments.ledger_entry", "fulfilment.shipment",
    ]
    func copy(_ table: String) -> String { "public.copy_\(table.replacing(".", with: "_"))" }
    for table in tables { try system.sql("CREATE TABLE \(copy(table)) AS TABLE \(table)") }
    try system.sql(breach.plant)
    let found = try await audit(system)
    #expect(found.status == 1, "\(breach.testDescription)")
    #expect(
      found.violations[breach.promise]?[breach.what]?.contains(breach.id) == true,
      "\(breach.testDescription): \(found.violations)")
    if let undo = breach.undo { try system.sql(undo) }
    for table in tables {
      try system.sql(
        "DELETE FROM \(table); INSERT INTO \(table) TABLE \(copy(table)); DROP TABLE \(copy(table))"
      )
    }
  }

  private struct Report {
    let status: Int32
    let isSettled: Bool
    let checked: [String: Int64]
    let inFlight: [String: Int64]
    /// The ids by promise and by what is broken.
    let violations: [String: [String: [String]]]
  }

  private func audit(_ system: SmallSystem, _ arguments: String...) async throws -> Report {
    let outcome = try await system.orderly.run(["audit", "-o", "json"] + arguments)
    let report = try #require(try? JSONValue(parsing: outcome.output), "\(outcome)")
    var checked: [String: Int64] = [:]
    var inFlight: [String: Int64] = [:]
    var violations: [String: [String: [String]]] = [:]
    for promise in report["promises"]?.array ?? [] {
      let name = try #require(promise["promise"]?.string)
      checked[name] = promise["checked"]?.int
      inFlight[name] = promise["inFlight"]?.int
      for violation in promise["violations"]?.array ?? [] {
        let what = try #require(violation["what"]?.string)
        violations[name, default: [:]][what] = violation["ids"]?.array?.compactMap(\.string)
      }
    }
    return Report(
      status: outcome.status, isSettled: report["settled"]?.bool ?? false, checked: checked,
      inFlight: inFlight, violations: violations)
  }
}
