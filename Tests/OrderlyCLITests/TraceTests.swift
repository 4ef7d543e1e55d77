import Contracts
import Foundation
import JSONSchema
import Kafka
import Testing

@testable import OrderlyCLI

@Suite struct TraceOrderTests {
  private func event(_ id: UUID, _ seconds: Double, cause: UUID? = nil) -> TraceEntry {
    TraceEntry(
      kind: .record, at: Date(timeIntervalSince1970: seconds), by: "x", what: "\(seconds)",
      id: id, cause: cause)
  }

  /// The clocks of the machines differ; causes don't.
  @Test func nothingComesBeforeItsCause() {
    let (first, second, third) = (UUID(), UUID(), UUID())
    let trace = Trace(
      order: "o-1",
      [
        event(third, 5, cause: second), event(second, 20, cause: first), event(first, 10),
        event(UUID(), 15),
      ])
    #expect(trace.entries.map(\.what) == ["10.0", "15.0", "20.0", "5.0"])
    #expect(trace.entries.map(\.depth) == [0, 0, 1, 2])
  }

  @Test func causesThatGoInACircleEnd() {
    let (first, second) = (UUID(), UUID())
    let trace = Trace(
      order: "o-1", [event(first, 1, cause: second), event(second, 2, cause: first)])
    #expect(trace.entries.count == 2)
  }
}

/// `orderly trace` on records and rows.
@Suite(.serialized, .timeLimit(.minutes(10))) struct TraceCommandTests {
  @Test func oneTimelineHasAllOfIt() async throws {
    try await SmallSystem.with { system in
      try system.sql(
        """
        INSERT INTO orders.outbox (lane, seq, id, aggregatetype, aggregateid, type, source, time)
        VALUES (0, 1, gen_random_uuid(), 'orders.v1', 'gone-1', 'order.cancelled',
          '/orderly/orders', now());
        INSERT INTO orders.inbox (id, lane)
        VALUES ('\(UUID(version5Of: "gone-1/deadline", namespace: .orderlyEvents))', 0);
        INSERT INTO orders.saga_step VALUES ('gone-1', 'order.cancel-requested', now());
        UPDATE payments.dead_letter SET order_id = 'gone-1';
        INSERT INTO payments.dead_letter (id, lane, topic, partition, "offset", key, headers,
          order_id, event_id, reason, detail, fingerprint, attempts, state, first_failed, last_failed)
        VALUES (gen_random_uuid(), 0, 'fulfilment.v1', 0, 1, 'gone-1', '[]', 'gone-1',
          '\(UUID(version5Of: "gone-1/fulfilment.failed", namespace: .smallSystem))',
          'provider-unavailable', 'down', 'x', 8, 'replaying', now(), now());
        """)
      try system.park("gone-1", in: .payments, state: "dead", events: 1)
      try system.sql(
        """
        INSERT INTO fleet.operator_action (who, command, target, services, orders, letters, reason)
        SELECT 'ada', 'saga retry', 'number ' || number, '{}', '{gone-1}', '{}', 'again'
        FROM generate_series(1, 101) AS number
        """)
      let trace = try await system.orderly.run("trace", "gone-1", "-o", "json")
      #expect(trace.status == 0, "\(trace.messages)")
      let entries = try #require(JSONValue(parsing: trace.output).array)
      func count(_ kind: String) -> Int { entries.count { $0["kind"]?.string == kind } }
      #expect(count("record") == 8)
      // Of the eight events orders acts on six, inventory on two, payments on two, fulfilment on one.
      #expect(count("taken-in") == 11)
      #expect(count("outbox") == 1)
      #expect(count("deadline") == 1)
      #expect(count("step") == 1)
      #expect(count("parked") == 1)
      #expect(count("fence") == 1)
      #expect(count("dead-letter") == 1)
      #expect(count("action") == 101)
      let released = try #require(
        entries.first {
          $0["what"]?.string == "inventory.released" && $0["kind"]?.string == "record"
        })
      // order.placed, inventory.reserved, payment.captured, fulfilment.failed, payment.refunded.
      #expect(released["depth"]?.int == 5)
      #expect(entries.allSatisfy { $0["payload"] == nil })
      #expect(!trace.output.contains("done-1"))

      let text = try await system.orderly.run("trace", "gone-1")
      #expect(text.lines.first?.hasPrefix("TIME ") == true)
      #expect(text.output.contains("          inventory.released"))
      #expect(text.output.contains("→ taken in"))
      #expect(text.output.contains("dead-lettered, now replaying"))
    }
  }

  @Test func payloadsAreRedacted() async throws {
    try await SmallSystem.with { system in
      var record = system.record(.orderPlaced, "o-1", id: UUID(), cause: nil, source: "/tests")
      record.value = Array(PublishBodiesTests.order.utf8)
      try await system.publish([record])
      let shown = try await system.orderly.run("trace", "o-1", "--payload")
      #expect(shown.status == 0)
      #expect(shown.output.contains(#""token":"[redacted]""#), "\(shown.output)")
      #expect(!shown.output.contains("Ada"))
      let yaml = try await system.orderly.run("trace", "o-1", "--payload", "-o", "yaml")
      #expect(yaml.output.contains("payload:"))
      #expect(!yaml.output.contains("Ada"))
    }
  }

  @Test func anOrderThatNeverWasIsOneSentence() async throws {
    try await SmallSystem.with { system in
      let nobody = try await system.orderly.run("trace", "nobody")
      #expect(nobody.status == 1)
      #expect(nobody.output.isEmpty)
      #expect(
        nobody.messages
          == "Error: Nothing has ever happened to an order nobody: no topic has a record of it, and "
          + "no service has heard of it. See 'orderly get orders'.\n")
    }
  }
}
