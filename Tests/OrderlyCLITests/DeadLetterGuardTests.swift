import Contracts
import Fleet
import Foundation
import Testing

/// What the commands that change dead letters refuse, since it can't be taken back.
@Suite(.serialized, .timeLimit(.minutes(10))) struct DeadLetterGuardTests {
  /// The carrier has given an order back, which payments could not handle: its money is captured.
  private func loseTheCarriersAnswer(_ order: String, in system: SmallSystem) throws -> String {
    try system.stop(order, offset: 100)
    try system.sql(
      """
      DELETE FROM payments.parked_key;
      DELETE FROM payments.dead_letter WHERE order_id = '\(order)';
      """)
    let headers = EventCodec.headers(
      id: UUID(), source: "/orderly/fulfilment", type: "fulfilment.failed", time: Date(),
      subject: order, causationID: nil, traceparent: nil)
    let body = #"{"orderId":"\#(order)","reason":"undeliverable"}"#
    let id = try system.insert(
      of: .payments, order: order,
      RawMessage(
        partition: Partition(topic: "fulfilment.v1", number: 0), offset: 200,
        key: Array(order.utf8), value: Array(body.utf8), headers: headers),
      reason: "rejected-by-database", detail: "no")
    return String(id.uuidString.lowercased().prefix(13))
  }

  @Test func whatAnOrderCannotEndWithoutIsKept() async throws {
    try await SmallSystem.with { system in
      let letter = try loseTheCarriersAnswer("o-1", in: system)
      let shown = try await system.orderly.run("dlq", "show", letter)
      #expect(!shown.output.contains("dlq discard"), "\(shown.testDescription)")
      let planned = try await system.orderly.run("dlq", "plan", letter)
      #expect(planned.output.contains("retry"), "\(planned.testDescription)")
      #expect(!planned.output.contains("skip"), "\(planned.testDescription)")
      let dry = try await system.orderly.run("dlq", "discard", letter, "--dry-run")
      #expect(dry.messages.contains("0 open dead letters would be discarded"))
      let refused = try await system.change("dlq", "discard", letter)
      #expect(refused.status == 4, "\(refused.testDescription)")
      #expect(
        refused.output.contains(
          "payments needs fulfilment.failed to give the money back: without it the order o-1"))
      #expect(try system.state(of: letter) == "open")
      try system.sql(
        """
        UPDATE orders.orders SET status = 'cancelled', reason = 'undeliverable', closed_at = now()
        WHERE order_id = 'o-1'
        """)
      let discarded = try await system.change("dlq", "discard", letter)
      #expect(discarded.status == 0, "\(discarded.testDescription)")
    }
  }
}
