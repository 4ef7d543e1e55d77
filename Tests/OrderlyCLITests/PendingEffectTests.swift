import Foundation
import JSONSchema
import Testing

/// An order whose payments asks a provider that is down again and again: nothing is dead, and no
/// event has failed.
@Suite(.serialized, .timeLimit(.minutes(10))) struct PendingEffectTests {
  @Test func theOrderIsStuckAndTheCallIsShown() async throws {
    try await SmallSystem.with { system in
      try system.addWorker()
      try system.failCapture("o-1")
      let stuck = try await system.orderly.run("get", "sagas", "--stuck")
      #expect(
        stuck.output.contains("payments.capture has failed 5 times (provider-unavailable)"),
        "\(stuck.testDescription)")
      let page = try await system.orderly.run("describe", "order", "o-1")
      #expect(page.output.contains("Calls without an answer"), "\(page.testDescription)")
      let json = try await system.orderly.run("describe", "order", "o-1", "-o", "json")
      let effect = try #require(JSONValue(parsing: json.output)["effects"]?.array?.first)
      #expect(effect["kind"]?.string == "payments.capture")
      #expect(effect["attempts"]?.int == 5 && effect["state"]?.string == "pending")

      try system.sql("UPDATE orders.orders SET deadline_at = now() - interval '1 hour'")
      let shown = try await system.orderly.run("saga", "show", "o-1")
      for text in [
        "payments.capture has failed 5 times: provider-unavailable: down; next try in ",
        "orderly saga retry o-1 --reason '…'", "orderly saga compensate o-1 --reason '…'",
        "money: 5.00 EUR would be refunded",
      ] {
        #expect(shown.output.contains(text), "\(text) is not in \(shown.output)")
      }
      #expect(!shown.output.contains("nothing that can be seen"))
    }
  }

  @Test func aCallThatNobodyMakesIsWhatKeepsTheOrder() async throws {
    try await SmallSystem.with { system in
      try system.addWorker()
      try system.failCapture("o-1")
      try system.sql(
        """
        UPDATE payments.effect SET attempts = 0, reason = NULL, detail = NULL, first_failed = NULL,
          last_failed = NULL, next_attempt_at = now() - interval '3 min'
        """)
      let shown = try await system.orderly.run("saga", "show", "o-1")
      #expect(shown.output.contains("payments.capture waits to be called since 3m"))
      // It is due: a retry would change nothing.
      #expect(!shown.output.contains("saga retry"))
    }
  }

  @Test func aRetryHasTheCallMadeAtOnce() async throws {
    try await SmallSystem.with { system in
      try system.failCapture("o-1")
      try system.answerCalls("NEW.state := 'done'; NEW.outcome := '{}'; NEW.done_at := now();")
      let elsewhere = try await system.change("saga", "retry", "o-1", "--step", "inventory")
      #expect(elsewhere.status == 4, "\(elsewhere.testDescription)")
      let dry = try await system.orderly.run("saga", "retry", "o-1", "--dry-run")
      #expect(dry.messages.contains("0 waiting services tried at once, 1 call made at once"))
      #expect(try system.value("SELECT state FROM payments.effect") == "pending")
      let done = try await system.change("saga", "retry", "o-1", "--step", "payments")
      #expect(done.status == 0, "\(done.testDescription)")
      #expect(done.messages.contains("payments.capture: handled"))
      #expect(done.messages.contains("1 of 1 handled."))
      #expect(try system.value("SELECT services FROM fleet.operator_action") == "{payments}")
      let again = try await system.change("saga", "retry", "o-1")
      #expect(again.status == 4, "\(again.testDescription)")
    }
  }

  @Test func aCallThatFailsAgainSaysHowItGoesOn() async throws {
    try await SmallSystem.with { system in
      try system.failCapture("o-1")
      try system.answerCalls(
        """
        NEW.attempts := 6; NEW.last_failed := clock_timestamp();
        NEW.next_attempt_at := now() + interval '2 h';
        """)
      let failed = try await system.change("saga", "retry", "o-1")
      #expect(failed.status == 3, "\(failed.testDescription)")
      #expect(
        failed.messages.contains(
          "payments.capture: failed again: provider-unavailable: down. Next try in "))
      try system.answerCalls(
        "NEW.attempts := 10; NEW.last_failed := clock_timestamp(); NEW.state := 'dead';")
      let last = try await system.change("saga", "retry", "o-1")
      #expect(last.status == 3, "\(last.testDescription)")
      #expect(last.messages.contains("provider-unavailable: down. It is a dead letter now"))
    }
  }

  @Test func moneyThatIsOnItsWayBackIsNotLeftOut() async throws {
    try await SmallSystem.with { system in
      try system.failCapture("o-1")
      try system.sql(
        """
        UPDATE payments.payment SET status = 'capturing-unwanted', reason = 'timed-out',
          parcel = NULL WHERE order_id = 'o-1'
        """)
      let unwanted = try await system.orderly.run("saga", "show", "o-1")
      #expect(unwanted.output.contains("money: 5.00 EUR will be refunded once it is captured"))
      try system.sql(
        "UPDATE payments.payment SET status = 'refunding', payment_id = 'p' WHERE order_id = 'o-1'")
      let refunding = try await system.orderly.run("saga", "show", "o-1")
      #expect(refunding.output.contains("money: 5.00 EUR is being refunded"))
    }
  }
}

extension SmallSystem {
  /// An order whose capture has failed five times, and is asked for again in an hour.
  func failCapture(_ order: String) throws {
    try sql(
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
      INSERT INTO payments.lane (lane, epoch) VALUES (0, 1) ON CONFLICT DO NOTHING;
      INSERT INTO payments.effect (id, lane, order_id, kind, request, state, attempts,
        next_attempt_at, reason, detail, first_failed, last_failed, causationid, created_at)
      VALUES (gen_random_uuid(), 0, '\(order)', 'payments.capture', '{}', 'pending', 5,
        now() + interval '1 hour', 'provider-unavailable', 'down', now(), now(),
        gen_random_uuid(), now());
      """)
  }

  /// Does what payments' lanes would do about a call that is made sooner, at once.
  ///
  /// - Parameter statements: what becomes of the row.
  fileprivate func answerCalls(_ statements: String) throws {
    try sql(
      """
      CREATE OR REPLACE FUNCTION payments.answer_call() RETURNS trigger LANGUAGE plpgsql
      AS $$ BEGIN \(statements) RETURN NEW; END $$;
      CREATE OR REPLACE TRIGGER answer_call BEFORE UPDATE ON payments.effect FOR EACH ROW
      WHEN (NEW.next_attempt_at < OLD.next_attempt_at) EXECUTE FUNCTION payments.answer_call();
      """)
  }
}
