import Contracts
import Foundation
import JSONSchema
import Postgres
import Testing

@testable import OrderlyCLI

/// `dlq rehearse`, `plan` and `apply`, run as processes; what lanes do is done by a trigger.
@Suite(.serialized, .timeLimit(.minutes(10))) struct ReplayCommandTests {
  @Test func aPlanIsAppliedOnceAndOnRecord() async throws {
    try await SmallSystem.with { system in
      let letter = try system.stop("o-1", offset: 100)
      let planned = try await system.orderly.run("dlq", "plan", "--service", "payments")
      #expect(planned.status == 0, "\(planned.testDescription)")
      #expect(planned.output.contains("handled"))
      #expect(planned.output.contains("sends payment.captured"))
      #expect(planned.output.contains("retry skip compensate"))
      let prefix = planned.messages.split(separator: " ")[1].dropLast()
      #expect(planned.messages.contains("Next: orderly dlq apply \(prefix)"))
      // Nothing has happened yet.
      #expect(try system.state(of: letter) == "open")
      #expect(try system.value("SELECT count(*) FROM payments.payment") == "2")

      try system.answerReplays("resolved")
      let dry = try await system.orderly.run(
        "dlq", "apply", "plan/\(prefix)", "--dry-run")
      #expect(dry.status == 0)
      #expect(dry.messages.contains("dry run: 1 dead letter would be replayed"))
      #expect(try system.state(of: letter) == "open")
      let silent = try await system.orderly.run("dlq", "apply", String(prefix))
      #expect(silent.status == 2 && silent.messages.contains("Say why with --reason TEXT"))
      let unasked = try await system.orderly.run(
        "dlq", "apply", String(prefix), "--reason", "a test")
      #expect(unasked.status == 4)
      #expect(unasked.messages.contains("Replay 1 dead letter of the plan \(prefix)?"))
      #expect(try system.state(of: letter) == "open")

      let applied = try await system.change("dlq", "apply", String(prefix))
      #expect(applied.status == 0, "\(applied.testDescription)")
      #expect(applied.messages.contains("1 resolved."))
      #expect(try system.state(of: letter) == "resolved")
      #expect(
        try system.value(
          "SELECT command || ' ' || outcome || ' ' || reason FROM fleet.operator_action")
          == "dlq apply done a test")
      let again = try await system.change("dlq", "apply", String(prefix))
      #expect(again.status == 0 && again.messages.contains("1 resolved."))
      let shown = try await system.orderly.run("dlq", "show", letter)
      #expect(shown.output.contains("dlq apply, done (1 resolved.) — a test"))
    }
  }

  /// The database knows no event of the letter, but this version of the contracts can read it.
  @Test func whatCanBeReadByNowIsReplayed() async throws {
    try await SmallSystem.with { system in
      let letter = try system.stop("o-1", offset: 100)
      try system.sql(
        """
        DELETE FROM payments.parked_key;
        UPDATE payments.dead_letter SET event_id = NULL, order_id = NULL;
        """
      )
      let plan = try await system.plan(letter)
      try system.answerReplays("resolved")
      let applied = try await system.change("dlq", "apply", plan)
      #expect(applied.status == 0, "\(applied.testDescription)")
      #expect(try system.state(of: letter) == "resolved")
    }
  }

  @Test func whatFailsAgainStopsTheRunAndStaysOpen() async throws {
    try await SmallSystem.with { system in
      let letters = try (0..<3).map { try system.stop("o-\($0)", offset: 100 + Int64($0)) }
      let plan = try await system.plan(letters[0], letters[1], letters[2])
      try system.answerReplays("open")
      let failed = try await system.change("dlq", "apply", plan)
      #expect(failed.status == 1, "\(failed.testDescription)")
      #expect(failed.output.contains("still down"))
      #expect(
        failed.messages.contains("1 failed, 2 not begun; stopped, since the canary has failed"))
      for letter in letters { #expect(try system.state(of: letter) == "open") }
      // Gone on with, once the provider is back.
      try system.answerReplays("resolved")
      let rest = try await system.change("dlq", "apply", plan)
      #expect(rest.status == 3, "\(rest.testDescription)")
      #expect(rest.messages.contains("2 resolved, 1 failed. A new plan retries what has failed."))
      #expect(
        try system.value("SELECT string_agg(outcome, ' ' ORDER BY id) FROM fleet.operator_action")
          == "failed partly-done")
    }
  }

  @Test func whatHasChangedSinceIsRefused() async throws {
    try await SmallSystem.with { system in
      let edited = try system.stop("o-1", offset: 101)
      let ended = try system.stop("o-2", offset: 102)
      let moved = try system.stop("o-3", offset: 103)
      let good = try system.stop("o-4", offset: 104)
      try system.answerReplays("resolved")
      let all = try await system.plan(edited, ended, moved, good)
      let bad = try await system.plan(edited, ended, moved)
      let edit = try await system.change("dlq", "edit", edited, "--patch", #"{"total": 400}"#)
      #expect(edit.status == 0, "\(edit.testDescription)")
      try system.sql(
        """
        UPDATE orders.orders SET status = 'cancelled', reason = 'timed-out', closed_at = now()
        WHERE order_id = 'o-2';
        UPDATE orders.orders SET status = 'cancelling', reason = 'timed-out' WHERE order_id = 'o-3';
        """)
      let none = try await system.orderly.run("dlq", "apply", bad, "--dry-run")
      #expect(none.status == 4, "\(none.testDescription)")
      let some = try await system.orderly.run("dlq", "apply", all, "--dry-run")
      #expect(some.status == 3, "\(some.testDescription)")
      #expect(some.messages.contains("dry run: 1 dead letter would be replayed, 3 refused"))
      let refused = try await system.change("dlq", "apply", bad)
      #expect(refused.status == 4, "\(refused.testDescription)")
      #expect(refused.output.contains("stale: the letter has changed"))
      #expect(refused.output.contains("cancelled (timed-out) and fully compensated"))
      #expect(refused.output.contains("stale: the order has moved on"))
      let partly = try await system.change("dlq", "apply", all)
      #expect(partly.status == 3, "\(partly.testDescription)")
      #expect(partly.messages.contains("1 resolved, 3 refused."))
      #expect(try system.state(of: edited) == "open")
      #expect(try system.state(of: good) == "resolved")
      let late = try await system.orderly.run("dlq", "plan", ended)
      #expect(late.output.contains("order-ended"))
      #expect(late.messages.contains("Nothing of it can be replayed"))
    }
  }

  @Test func aRunThatIsCutOffSaysHowItGoesOn() async throws {
    try await SmallSystem.with { system in
      let letter = try system.stop("o-1", offset: 100)
      let plan = try await system.plan(letter)
      try system.answerReplays("resolved")
      try system.sql(
        """
        CREATE FUNCTION fleet.fail() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN RAISE 'the disk is full' USING ERRCODE = 'disk_full'; END $$;
        CREATE TRIGGER fail BEFORE UPDATE ON fleet.replay_plan_item
        FOR EACH ROW WHEN (NEW.state = 'resolved') EXECUTE FUNCTION fleet.fail();
        """)
      let cut = try await system.change("dlq", "apply", plan)
      #expect(cut.status == 3, "\(cut.testDescription)")
      #expect(cut.messages.contains("the disk is full"))
      #expect(cut.messages.contains("Apply the plan again to go on."))
      #expect(cut.output.contains("replaying"), "\(cut.testDescription)")
      #expect(try system.state(of: letter) == "resolved")
      #expect(try system.value("SELECT outcome FROM fleet.operator_action") == "partly-done")
      try system.sql("DROP TRIGGER fail ON fleet.replay_plan_item")
      let rest = try await system.change("dlq", "apply", plan)
      #expect(rest.status == 0, "\(rest.testDescription)")
      #expect(rest.messages.contains("1 resolved."))
    }
  }

  @Test func nothingToPlanIsRefused() async throws {
    try await SmallSystem.with { system in
      let none = try await system.orderly.run("dlq", "plan", "--key", "nobody")
      #expect(none.status == 4, "\(none.testDescription)")
      #expect(none.messages.contains("No open dead letter matches"))
    }
  }

  @Test func aReplayWithoutAnAnswerIsWaitedForAgain() async throws {
    try await SmallSystem.with { system in
      let letter = try system.stop("o-1", offset: 100)
      let plan = try await system.plan(letter)
      // No worker runs.
      let first = try await system.change("dlq", "apply", plan, "--timeout", "1")
      #expect(first.status == 1, "\(first.testDescription)")
      #expect(first.messages.contains("1 without a result yet"))
      #expect(try system.state(of: letter) == "replaying")
      let second = try await system.orderly.run("dlq", "plan", letter)
      #expect(second.output.contains("a replay is under way"))
      try system.sql("UPDATE payments.dead_letter SET state = 'resolved' WHERE state = 'replaying'")
      let rest = try await system.change("dlq", "apply", plan)
      #expect(rest.status == 0, "\(rest.testDescription)")
    }
  }

  @Test func onlyOneRunAppliesAPlan() async throws {
    try await SmallSystem.with { system in
      let letter = try system.stop("o-1", offset: 100)
      try system.answerReplays("resolved")
      let id = try await system.plan(letter)
      let prefix = try #require(DeadLetterPrefix(argument: id))
      let other = Pool(try ConnectionConfiguration(url: system.database), maximum: 1)
      let plan = try await other.withConnection { connection in
        let plan = try ReplayPlan.find(prefix, on: connection)
        #expect(try plan.lock(on: connection))
        return plan
      }
      let second = try await system.change("dlq", "apply", id)
      #expect(second.status == 4, "\(second.testDescription)")
      #expect(second.messages.contains("is being applied already"))
      #expect(try system.state(of: letter) == "open")
      _ = try await other.withConnection { try $0.execute("SELECT pg_advisory_unlock_all()").count }
      await other.close()
      let alone = try await system.change("dlq", "apply", id)
      #expect(alone.status == 0, "\(alone.testDescription)")

      // A run that has lost its connection for so long, and knows nothing of it.
      try Connection.with(try ConnectionConfiguration(url: system.database)) { connection in
        var plan = plan
        plan.items[0].state = .refused
        #expect(throws: CommandFailure.self) { try plan.update(0, on: connection) }
      }
      #expect(try system.value("SELECT state FROM fleet.replay_plan_item") == "resolved")
    }
  }

  @Test func aPlanThatWasTamperedWithIsNotApplied() async throws {
    try await SmallSystem.with { system in
      let plan = try await system.plan(try system.stop("o-1", token: "tok_down", offset: 100))
      try system.sql("UPDATE fleet.replay_plan_item SET verdict = 'handled'")
      let outcome = try await system.change("dlq", "apply", plan)
      #expect(outcome.status == 1 && outcome.messages.contains("is not as it was made"))
      let nobody = try await system.change("dlq", "apply", "0000")
      #expect(nobody.status == 1 && nobody.messages.contains("No plan has an id"))
    }
  }

  @Test func aRehearsalTellsAndChangesNothing() async throws {
    try await SmallSystem.with { system in
      let good = try system.stop("o-1", offset: 100)
      let down = try system.stop("o-2", token: "tok_down", offset: 101)
      let shown = try await system.orderly.run("dlq", "rehearse", good, "-o", "wide")
      #expect(shown.status == 0, "\(shown.testDescription)")
      #expect(shown.output.contains("ledger_entry"))
      #expect(shown.output.contains("payment.captured"))
      #expect(shown.output.contains("capture"))
      #expect(!shown.output.contains("Oudegracht") && !shown.output.contains("tok_ok"))
      let json = try await system.orderly.run("dlq", "rehearse", good, "-o", "json")
      let page = try JSONValue(parsing: json.output.utf8)
      #expect(page["events"]?.array?.map { $0["type"]?.string } == ["payment.captured"])
      let failing = try await system.orderly.run("dlq", "rehearse", down)
      #expect(failing.status == 1)
      #expect(failing.output.contains("fails-again"))
      #expect(failing.output.contains("provider-unavailable"))
      #expect(try system.value("SELECT count(*) FROM payments.payment") == "2")
      #expect(try system.value("SELECT count(*) FROM fleet.operator_action") == "0")
    }
  }
}
