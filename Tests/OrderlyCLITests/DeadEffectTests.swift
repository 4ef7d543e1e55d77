import Contracts
import Fleet
import Foundation
import Testing

/// An order whose payments has given up on a call to the provider: no event of it has failed.
@Suite(.serialized, .timeLimit(.minutes(10))) struct DeadEffectTests {
  /// A capture that nobody has answered.
  ///
  /// - Returns: the beginning of the letter's id.
  func giveUp(_ order: String, in system: SmallSystem) throws -> String {
    let effect = StoredEffect(
      id: UUID(), order: OrderID(rawValue: order), kind: "payments.capture", request: "{}",
      causationID: UUID(), createdAt: Date(), state: .dead,
      failure: EventFailure(
        reason: "provider-unavailable", detail: "down", attempts: 8, first: Date(), last: Date()))
    let letter = DeadLetter(effect, of: .payments, lane: 0)
    try system.sql(
      """
      INSERT INTO orders.orders (order_id, lane, status, customer_id, currency, total, placed_at,
        deadline_at, created_at, updated_at)
      VALUES ('\(order)', 0, 'placed', 'c', 'EUR', 500, now(), now() + interval '1 hour', now(),
        now());
      INSERT INTO inventory.reservation VALUES
        ('\(order)', 'reserved', NULL, '{"SKU-0001": 1}', now(), now());
      INSERT INTO payments.payment (order_id, status, customer_id, currency, amount, parcel,
        created_at, updated_at)
      VALUES ('\(order)', 'capturing', 'c', 'EUR', 500, '{}', now(), now());
      INSERT INTO payments.effect (id, lane, order_id, kind, request, state, attempts,
        next_attempt_at, reason, detail, first_failed, last_failed, causationid, created_at)
      VALUES ('\(effect.id)', 0, '\(order)', '\(effect.kind)', '{}', 'dead', 8, now(),
        'provider-unavailable', 'down', now(), now(), '\(effect.causationID)', now());
      """)
    let id = try system.insert(
      of: .payments, order: order, letter.message, reason: letter.reason, detail: letter.detail)
    return String(id.uuidString.lowercased().prefix(13))
  }

  @Test func theOrderIsStuckAndWhatHelpsIsNamed() async throws {
    try await SmallSystem.with { system in
      try system.addWorker()
      let letter = try giveUp("o-1", in: system)
      let shown = try await system.orderly.run("saga", "show", "o-1")
      for text in [
        "payments has given up on payments.capture ", "provider-unavailable (down)",
        "orderly dlq show \(letter.prefix(8)) --show-sensitive",
        "orderly saga retry o-1 --reason '…'",
        "orderly saga compensate o-1",
      ] {
        #expect(shown.output.contains(text), "\(text) is not in \(shown.output)")
      }
      #expect(!shown.output.contains("dlq rehearse"))
      let stuck = try await system.orderly.run("get", "sagas", "--stuck")
      #expect(
        stuck.output.contains("payments has given up on payments.capture (provider-unavailable)"),
        "\(stuck.testDescription)")
      let page = try await system.orderly.run("dlq", "show", letter)
      #expect(page.output.contains("orderly dlq plan"))
      #expect(!page.output.contains("rehearse") && !page.output.contains("discard"))
      let planned = try await system.orderly.run("dlq", "plan", letter)
      #expect(planned.output.contains("retry compensate"), "\(planned.testDescription)")
    }
  }

  @Test func itIsGivenUpForGoodOnlyOnceItsOrderHasEnded() async throws {
    try await SmallSystem.with { system in
      let letter = try giveUp("o-1", in: system)
      let dry = try await system.orderly.run("dlq", "discard", letter, "--dry-run")
      #expect(dry.messages.contains("0 open dead letters would be discarded"))
      let refused = try await system.change("dlq", "discard", letter)
      #expect(refused.status == 4, "\(refused.testDescription)")
      #expect(refused.output.contains("orderly saga retry o-1"))
      #expect(try system.state(of: letter) == "open")
      try system.sql(
        """
        UPDATE orders.orders SET status = 'cancelled', reason = 'timed-out', closed_at = now()
        WHERE order_id = 'o-1'
        """)
      let discarded = try await system.change("dlq", "discard", letter)
      #expect(discarded.status == 0, "\(discarded.testDescription)")
    }
  }

  /// Asked again before payments has heard of it, an answer would send the parcel.
  @Test func theProviderIsAskedAgainOnceTheOrderTurnsBack() async throws {
    try await SmallSystem.with { system in
      let letter = try giveUp("o-1", in: system)
      let early = try await system.change("saga", "compensate", "o-1", "--timeout", "1")
      #expect(early.status == 3, "\(early.testDescription)")
      #expect(early.messages.contains("payments has not heard of the cancellation yet"))
      #expect(try system.state(of: letter) == "open")
      try system.sql(
        """
        UPDATE orders.orders SET status = 'cancelling', reason = 'cancel-requested'
        WHERE order_id = 'o-1';
        UPDATE payments.payment SET status = 'capturing-unwanted', reason = 'cancel-requested',
          parcel = NULL WHERE order_id = 'o-1';
        """)
      try system.answerReplays("resolved")
      let done = try await system.change("saga", "compensate", "o-1")
      #expect(done.status == 0, "\(done.testDescription)")
      #expect(done.messages.contains("ask again for payments.capture"))
      #expect(try system.state(of: letter) == "resolved")
      #expect(try system.value("SELECT state FROM payments.effect") == "pending")
    }
  }
}
