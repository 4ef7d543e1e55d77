import Contracts
import Fleet
import Foundation
import JSONSchema
import Testing

/// `saga show` and `get sagas` on rows that are written by hand.
@Suite(.serialized, .timeLimit(.minutes(10))) struct SagaCommandTests {
  /// An order whose stock is reserved and whose payment stopped for ever.
  private func stop(_ order: String, in system: SmallSystem, state: String) throws {
    try system.sql(
      """
      INSERT INTO orders.orders (order_id, lane, status, customer_id, currency, total, placed_at,
        deadline_at, created_at, updated_at)
      VALUES ('\(order)', 0, 'placed', 'c', 'EUR', 100, now(), now() + interval '5 min', now(),
        now());
      INSERT INTO inventory.reservation VALUES ('\(order)', 'reserved', NULL, '{"SKU-0007": 2}',
        now(), now());
      INSERT INTO payments.dead_letter (id, lane, topic, partition, "offset", key, value, headers,
        event_id, event_type, order_id, reason, detail, fingerprint, attempts, state, first_failed,
        last_failed)
      SELECT 'abcd0000-0000-4000-8000-000000000001', 0, 'inventory.v1', 0, 0, '\(order)', '{}', '[]',
        gen_random_uuid(), 'inventory.reserved', '\(order)', 'provider-unavailable', 'down',
        'abcd0123', 8, 'open', now(), now() WHERE '\(state)' = 'dead';
      """)
    try system.park(order, in: .payments, state: state, events: 2)
  }

  @Test func aSagaBehindADeadLetterSaysWhatToDo() async throws {
    try await SmallSystem.with { system in
      try system.addWorker()
      try stop("dead-1", in: system, state: "dead")
      let shown = try await system.orderly.run("saga", "show", "dead-1")
      #expect(shown.status == 0)
      for text in [
        "on the way, 3 steps left", "payments: inventory.reserved, since ",
        "a dead letter in payments since ", "provider-unavailable (down); 2 events held behind it",
        "stock: 2 × SKU-0007 would be released", "orderly dlq show abcd0000 --payload",
        "orderly dlq rehearse abcd0000", "orderly dlq edit abcd0000",
        "orderly dlq plan --key dead-1", "orderly saga retry dead-1",
        "orderly saga compensate dead-1", "Held events",
      ] {
        #expect(shown.output.contains(text), "\(text) is not in \(shown.output)")
      }
      #expect(!shown.output.contains("no worker"))
      let json = try await system.orderly.run("saga", "show", "dead-1", "-o", "json")
      let object = try JSONValue(parsing: json.output)
      #expect(object["awaits"]?["service"]?.string == "payments")
      #expect(object["heldEvents"]?.array?.count == 2)
      #expect(object["steps"]?.array?.count == 5)
    }
  }

  @Test func anEndedSagaHasNothingLeft() async throws {
    try await SmallSystem.with { system in
      let done = try await system.orderly.run("saga", "show", "done-1")
      #expect(done.status == 0)
      #expect(done.output.contains("nothing: it has ended"))
      #expect(!done.output.contains("compensate"))
      let gone = try await system.orderly.run("saga", "show", "gone-1", "-o", "json")
      let steps = try JSONValue(parsing: gone.output)["steps"]?.array ?? []
      #expect(steps.map { $0["state"]?.string }.last == "done")
      let nobody = try await system.orderly.run("saga", "show", "nobody")
      #expect(nobody.status == 1)
      #expect(nobody.messages.contains("No service has heard of the order nobody."))
    }
  }

  @Test func aServiceWithoutAWorkerIsWhatKeepsIt() async throws {
    try await SmallSystem.with { system in
      try system.addWorker([.orders, .inventory])
      try stop("held-1", in: system, state: "waiting")
      let shown = try await system.orderly.run("saga", "show", "held-1")
      #expect(shown.output.contains("payments can't handle its event for now"))
      #expect(shown.output.contains("no worker works for payments"))
      #expect(shown.output.contains("orderly-worker payments"))
      #expect(shown.output.contains("orderly saga retry held-1"))
    }
  }

  @Test func anOrderThatCouldNotBeReadSaysWhatToMend() async throws {
    try await SmallSystem.with { system in
      let letter = try system.insert(
        of: .orders, order: nil,
        RawMessage(
          partition: Partition(topic: "orders.v1", number: 0), offset: 300,
          key: Array("bad-1".utf8), value: Array("{}".utf8), headers: []),
        reason: "missing-header", detail: "ce_id: is missing")
      let shown = try await system.orderly.run("saga", "show", "bad-1")
      let id = letter.uuidString.lowercased().prefix(8)
      for text in [
        "orders could not read its event", "ce_id: is missing", "orderly dlq edit \(id)",
        "orderly dlq plan --key bad-1", "nothing: orders has not heard of it",
      ] {
        #expect(shown.output.contains(text), "\(text) is not in \(shown.output)")
      }
    }
  }

  @Test func stuckSagasAreListed() async throws {
    try await SmallSystem.with { system in
      let none = try await system.orderly.run("get", "sagas", "--stuck")
      #expect(none.messages == "No stuck sagas found.\n")
      try stop("dead-1", in: system, state: "dead")
      // One that is on its way, one that is far too late, and one that orders does not know.
      try system.sql(
        """
        INSERT INTO orders.orders (order_id, lane, status, customer_id, currency, total, placed_at,
          deadline_at, created_at, updated_at)
        VALUES ('open-1', 0, 'placed', 'c', 'EUR', 1, now(), now() + interval '5 min', now(), now()),
          ('late-1', 0, 'placed', 'c', 'EUR', 1, now(), now() - interval '1 hour',
            now() - interval '2 hours', now());
        """)
      try system.park("early-1", in: .orders, state: "waiting", events: 1)
      let stuck = try await system.orderly.run("get", "sagas", "--stuck", "-o", "name")
      #expect(
        Set(stuck.lines) == ["saga/late-1", "saga/dead-1", "saga/early-1"], "\(stuck.output)")
      #expect(stuck.lines.first == "saga/late-1")
      let all = try await system.orderly.run("get", "sagas")
      #expect(all.lines.count == 5)
      #expect(all.output.contains("payments: inventory.reserved"))
      #expect(all.output.contains("dead letter in payments (provider-unavailable), 2 held"))
      #expect(all.output.contains("overdue"))
      let some = try await system.orderly.run("get", "sagas", "--limit", "1")
      #expect(some.lines.count == 2)
      #expect(some.messages.contains("Only the oldest 1 are shown; see the others with --limit."))
    }
  }
}
