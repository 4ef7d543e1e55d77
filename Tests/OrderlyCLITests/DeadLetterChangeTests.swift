import Contracts
import Fleet
import Foundation
import JSONSchema
import Testing

/// The commands that change a dead letter or its order otherwise than by a replay.
@Suite(.serialized, .timeLimit(.minutes(10))) struct DeadLetterChangeTests {
  @Test func anEditIsCheckedShownAndKept() async throws {
    try await SmallSystem.with { system in
      let letter = try system.stop("o-1", token: "tok_down", offset: 100)
      let patch = #"{"payment": {"token": "tok_ok"}}"#
      let dry = try await system.orderly.run(
        "dlq", "edit", letter, "--patch", patch, "--dry-run")
      #expect(dry.status == 0, "\(dry.testDescription)")
      let change = try #require(dry.lines.last)
      #expect(change.hasPrefix("body /payment/token ") && !change.contains("tok_"))
      #expect(dry.messages.contains("before: fails-again: provider-unavailable"))
      #expect(dry.messages.contains("after:  handled: sends payment.captured"))
      #expect(try system.value("SELECT count(edited_at) FROM payments.dead_letter") == "0")

      for (change, complaint, status) in [
        (["--patch", #"{"lines": [{"sku": "SKU-0001", "quantity": -3}]}"#], "quantity", 1),
        (["--patch", #"{"orderId": "another"}"#], "another", 4),
        (["--patch", "{"], "The patch is not JSON", 1),
        (["-H", "ce_type=order.teleported"], "ce_type", 1),
      ] as [([String], String, Int32)] {
        let wrong = try await system.orderly.run(
          ["dlq", "edit", letter, "--reason", "a test", "--yes"] + change)
        #expect(wrong.status == status, "\(change): \(wrong.testDescription)")
        #expect(wrong.messages.contains(complaint), "\(wrong.messages)")
      }
      #expect(try system.value("SELECT count(edited_at) FROM payments.dead_letter") == "0")

      let kept = try await system.change("dlq", "edit", letter, "--patch", patch)
      #expect(kept.status == 0, "\(kept.testDescription)")
      let shown = try await system.orderly.run("dlq", "show", letter)
      #expect(shown.output.contains(/Edited +2/))
      #expect(shown.output.contains("dlq edit, done"))
      let list = try await system.orderly.run("dlq", "list", "--key", "o-1")
      #expect(list.output.contains("open, edited"))
      #expect(kept.messages.contains("Next: orderly dlq plan --key o-1"))
      let rehearsed = try await system.orderly.run("dlq", "rehearse", letter)
      #expect(rehearsed.status == 0)
      try system.sql("UPDATE payments.dead_letter SET state = 'resolved' WHERE order_id = 'o-1'")
      let late = try await system.change("dlq", "edit", letter, "--patch", patch)
      #expect(late.status == 4, "\(late.testDescription)")
    }
  }

  /// A body that is no JSON, without two headers that count.
  @Test func whatIsNoEventIsMadeOne() async throws {
    try await SmallSystem.with { system in
      try system.sql("INSERT INTO orders.lane (lane, epoch) VALUES (0, 1)")
      let headers = EventCodec.headers(
        id: UUID(), source: "/shop", type: "order.placed", time: Date(), subject: "o-1",
        causationID: nil, traceparent: nil
      ).filter { ![HeaderName.source, HeaderName.type].contains($0.name) }
      let id = try system.insert(
        of: .orders, order: nil,
        RawMessage(
          partition: Partition(topic: "orders.v1", number: 0), offset: 100, key: [0xff],
          value: Array("{".utf8), headers: headers),
        reason: "missing-header", detail: "ce_source: is missing")
      let letter = String(id.uuidString.lowercased().prefix(13))
      let shown = try await system.orderly.run("dlq", "show", letter)
      #expect(shown.output.contains("orderly dlq edit \(letter.prefix(8)) --patch"))
      let planned = try await system.orderly.run("dlq", "plan", letter)
      #expect(planned.output.contains("unreadable") && planned.output.contains("edit skip"))
      let patched = try await system.change("dlq", "edit", letter, "--patch", "{}")
      #expect(patched.status == 1)
      #expect(patched.messages.contains("The body is not JSON"))
      let named = ["-H", "ce_type=order.placed"]
      let half = try await system.orderly.run(
        ["dlq", "edit", letter, "-f", "-"] + named + ["--reason", "a test", "--yes"],
        input: PublishBodiesTests.order)
      #expect(half.status == 1)
      #expect(half.messages.contains("ce_source"))
      let whole = try await system.orderly.run(
        ["dlq", "edit", letter, "-f", "-", "-H", "ce_source=/shop"] + named
          + ["--reason", "a test", "--yes"],
        input: PublishBodiesTests.order)
      #expect(whole.status == 0, "\(whole.testDescription)")
      #expect(whole.messages.contains("after:  handled: sends order.accepted"))
      // Its key is no text, and only a replay writes down its order.
      #expect(whole.messages.contains("Next: orderly dlq plan \(letter.prefix(8))\n"))
      let edited = try await system.orderly.run("dlq", "show", letter, "--payload", "-o", "json")
      let page = try JSONValue(parsing: edited.output.utf8)
      #expect(page["editedPayload"]?["orderId"] == "o-1", "\(edited.output)")
      #expect(page["payload"] == nil && page["withheld"]?.string?.hasPrefix("not JSON") == true)
      #expect(page["payloadBytes"] == 1)
      let both = try await system.orderly.run("dlq", "show", "dlq/\(letter)", "--show-sensitive")
      #expect(both.output.contains("Payload\n  {\n\nPayload, edited\n"), "\(both.testDescription)")
      let sources = ["headers", "editedHeaders"].map { name in
        page[name]?.array?.first { $0["name"]?.string == HeaderName.source }?["value"]?.string
      }
      #expect(sources == [nil, "/shop"])
    }
  }

  @Test func anOrderGoesOnWithoutWhatIsDiscarded() async throws {
    try await SmallSystem.with { system in
      let first = try system.stop("o-1", offset: 101)
      let second = try system.stop("o-2", offset: 102)
      let discarded = try await system.change("dlq", "discard", first)
      #expect(discarded.status == 0, "\(discarded.testDescription)")
      #expect(discarded.output.contains("until 'orderly dlq release --key o-1 --reason …'"))
      #expect(try system.value("SELECT state FROM payments.parked_key WHERE key = 'o-1'") == "dead")
      let released = try await system.change("dlq", "release", "--key", "o-1")
      #expect(released.status == 0, "\(released.testDescription)")
      #expect(
        try system.value("SELECT state FROM payments.parked_key WHERE key = 'o-1'") == "waiting")
      let nothing = try await system.change("dlq", "release", "--key", "o-1")
      #expect(nothing.status == 4 && nothing.messages.contains("is dead in no service"))

      let both = try await system.change("dlq", "discard", first, second, "--release")
      #expect(both.status == 3, "\(both.testDescription)")
      #expect(
        try system.value("SELECT state FROM payments.parked_key WHERE key = 'o-2'") == "waiting")
      let gone = try await system.change("dlq", "discard", first)
      #expect(gone.status == 4)
      #expect(
        try system.value("SELECT count(*) FROM fleet.operator_action WHERE 'o-1' = ANY(orders)")
          == "4")
    }
  }

  @Test func openLettersAreChosenByWhatTheyHaveInCommon() async throws {
    try await SmallSystem.with { system in
      for index in 0..<3 { try system.stop("o-\(index)", offset: 100 + Int64(index)) }
      let assigned = try await system.orderly.run(
        "dlq", "assign", "--type", "inventory.reserved", "--owner", "ada")
      #expect(assigned.status == 0, "\(assigned.testDescription)")
      #expect(
        try system.value("SELECT count(*) FROM payments.dead_letter WHERE owner = 'ada'") == "3")
      let one = try await system.change("dlq", "discard", "--key", "o-1")
      #expect(one.status == 0 && one.lines.count == 2, "\(one.testDescription)")
      let again = try await system.change("dlq", "discard", "--key", "o-1")
      #expect(again.status == 4 && again.messages.contains("No open dead letter matches"))
      let few = try await system.change("dlq", "discard", "--service", "payments", "--limit", "1")
      #expect(few.status == 4 && few.messages.contains("More than 1 dead letters match"))
      let asked = try await system.orderly.run(
        "dlq", "discard", "--service", "payments", "--reason", "a test")
      #expect(
        asked.messages.contains("Discard 2 dead letters (2 provider-unavailable)?"),
        "\(asked.testDescription)")
      let rest = try await system.change("dlq", "discard", "--service", "payments")
      #expect(rest.status == 0, "\(rest.testDescription)")
      #expect(
        try system.value("SELECT count(*) FROM payments.dead_letter WHERE state = 'open'") == "0")
      let all = try await system.change("dlq", "discard")
      #expect(all.status == 2, "\(all.testDescription)")
    }
  }

  /// The trouble of one letter does not hide what is done for good about the others.
  @Test func whatIsDoneIsToldThoughSomethingFails() async throws {
    try await SmallSystem.with { system in
      let letters = try (0..<3).map { try system.stop("o-\($0)", offset: 100 + Int64($0)) }
      try system.sql(
        """
        CREATE FUNCTION payments.fail() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN RAISE 'the disk is full' USING ERRCODE = 'disk_full'; END $$;
        CREATE TRIGGER fail BEFORE UPDATE ON payments.dead_letter
        FOR EACH ROW WHEN (NEW.order_id = 'o-1') EXECUTE FUNCTION payments.fail();
        """)
      let outcome = try await system.change("dlq", "discard", letters[0], letters[1], letters[2])
      #expect(outcome.status == 3, "\(outcome.testDescription)")
      #expect(outcome.output.contains("the disk is full"))
      #expect(try letters.map(system.state) == ["discarded", "open", "discarded"])
      #expect(
        try system.value("SELECT outcome || ', ' || detail FROM fleet.operator_action")
          == "partly-done, 2 of 3 dead letters discarded")
      let alone = try await system.orderly.run("dlq", "assign", letters[1], "--owner", "ada")
      #expect(alone.status == 1 && alone.output.contains("the disk is full"))

      // It is tried again already, for another letter of it.
      let letter = try system.stop("o-3", offset: 103)
      try system.sql("UPDATE payments.parked_key SET state = 'waiting' WHERE key = 'o-3'")
      let held = try await system.change("dlq", "discard", letter, "--release")
      #expect(held.status == 3, "\(held.testDescription)")
      #expect(held.output.contains("discarded, but not released"))
      #expect(try system.state(of: letter) == "discarded")
    }
  }

  @Test func ownersAndNotesAreKept() async throws {
    try await SmallSystem.with { system in
      let letter = try system.stop("o-1", offset: 100)
      let assigned = try await system.orderly.run("dlq", "assign", letter, "--owner", "ada")
      #expect(assigned.status == 0, "\(assigned.testDescription)")
      let noted = try await system.orderly.run("dlq", "note", letter, "waits for INC-42")
      #expect(noted.status == 0)
      let list = try await system.orderly.run("dlq", "list", "--key", "o-1", "-o", "wide")
      #expect(list.output.contains("ada") && list.output.contains("waits for INC-42"))
      #expect(
        try system.value("SELECT reason FROM fleet.operator_action WHERE command = 'dlq note'")
          == "noted: waits for INC-42")
      let nobody = try await system.orderly.run("dlq", "assign", letter, "--nobody")
      #expect(nobody.status == 0)
      #expect(
        try system.value("SELECT coalesce(owner, '-') FROM payments.dead_letter") == "-")
    }
  }

  @Test func whatCannotBeRecordedIsNotDone() async throws {
    try await SmallSystem.with { system in
      let letter = try system.stop("o-1", offset: 100)
      try system.sql("REVOKE INSERT ON fleet.operator_action FROM orderly_operator")
      let outcome = try await system.change("dlq", "discard", letter)
      #expect(outcome.status == 1)
      #expect(outcome.messages.contains("Nothing was changed."))
      #expect(try system.state(of: letter) == "open")
    }
  }

  @Test func anOrderIsRetriedEverywhereOrAtOneStep() async throws {
    try await SmallSystem.with { system in
      try system.stop("o-1", offset: 100)
      try system.answerReplays("resolved")
      try system.wait(
        "o-1", answer: "DELETE FROM parked; DELETE FROM parked_key; RETURN NULL;", "AFTER")
      let dry = try await system.orderly.run("saga", "retry", "o-1", "--dry-run")
      #expect(dry.messages.contains("1 dead letter replayed, 1 waiting service tried at once"))
      let one = try await system.change("saga", "retry", "o-1", "--step", "payments")
      #expect(one.status == 0, "\(one.testDescription)")
      #expect(one.messages.contains("1 of 1 handled."))
      #expect(try system.value("SELECT services FROM fleet.operator_action") == "{payments}")
      #expect(try system.value("SELECT count(*) FROM fulfilment.parked_key") == "1")
      // Which the lane does with what it has handled.
      try system.sql("DELETE FROM payments.parked; DELETE FROM payments.parked_key")
      let other = try await system.change("saga", "retry", "o-1")
      #expect(other.status == 0, "\(other.testDescription)")
      #expect(other.messages.contains("fulfilment: handled"))
      let nothing = try await system.change("saga", "retry", "done-1")
      #expect(nothing.status == 4)
    }
  }

  @Test func aTryThatFailsSaysHowItGoesOn() async throws {
    try await SmallSystem.with { system in
      try system.wait(
        "o-1",
        answer: """
          NEW.state := CASE WHEN NEW.is_last_try THEN 'dead' ELSE 'waiting' END;
          NEW.next_attempt_at := now() + interval '2 h';
          NEW.last_failed := clock_timestamp();
          RETURN NEW;
          """, "BEFORE")
      let first = try await system.change("saga", "retry", "o-1")
      #expect(first.status == 3, "\(first.testDescription)")
      #expect(first.messages.contains("failed again: provider-unavailable: down. Next try in "))
      let last = try await system.change("saga", "retry", "o-1", "--last")
      #expect(last.status == 3, "\(last.testDescription)")
      #expect(last.messages.contains("provider-unavailable: down. It is a dead letter now"))
      let none = try await system.change("saga", "retry", "o-1", "--last")
      #expect(none.status == 4, "\(none.testDescription)")
    }
  }

  /// It is tried with what waits, and not counted beside it.
  @Test func aReplayThatWaitsIsTriedNow() async throws {
    try await SmallSystem.with { system in
      try system.stop("o-1", offset: 100)
      try system.sql(
        """
        UPDATE payments.dead_letter SET state = 'replaying';
        UPDATE payments.parked_key
        SET state = 'waiting', next_attempt_at = now() + interval '1 hour';
        """)
      // Behind another letter the order stays, whatever became of this one.
      try system.answerTries(
        in: "payments",
        "UPDATE dead_letter SET state = 'resolved'; UPDATE parked_key SET state = 'dead'; RETURN NULL;",
        "AFTER")
      let retried = try await system.change("saga", "retry", "o-1")
      #expect(retried.status == 0, "\(retried.testDescription)")
      #expect(retried.messages.contains("payments: handled"))
      #expect(retried.messages.contains("1 of 1 handled."))
    }
  }

  /// The replay of the first letter ends the order.
  @Test func nothingIsRetriedIntoAnOrderThatHasEndedMeanwhile() async throws {
    try await SmallSystem.with { system in
      try system.stop("o-1", offset: 100)
      let id = UUID(version5Of: "payments/inventory.v1/0/101", namespace: .orderlyEvents)
      try system.sql(
        """
        CREATE TEMP TABLE later AS TABLE payments.dead_letter;
        UPDATE later SET id = '\(id)', "offset" = 101,
          first_failed = first_failed + interval '1 min',
          last_failed = last_failed + interval '1 min';
        INSERT INTO payments.dead_letter TABLE later;
        """)
      try system.answerReplays(
        "resolved",
        beside: """
          UPDATE orders.orders SET status = 'cancelled', reason = 'timed-out', closed_at = now()
          WHERE order_id = 'o-1';
          """)
      let retried = try await system.change("saga", "retry", "o-1")
      #expect(retried.status == 3, "\(retried.testDescription)")
      #expect(retried.messages.contains("not replayed: the order is cancelled (timed-out)"))
      #expect(
        try system.value(
          "SELECT string_agg(state, ' ' ORDER BY first_failed) FROM payments.dead_letter")
          == "resolved open")
    }
  }

  @Test func aCompensationThatIsCutOffSaysHowFarItCame() async throws {
    try await SmallSystem.with { system in
      try system.stop("o-1", offset: 100)
      try system.sql(
        """
        CREATE FUNCTION payments.fail() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN RAISE 'the disk is full'; END $$;
        CREATE TRIGGER fail BEFORE UPDATE ON payments.dead_letter
        FOR EACH ROW EXECUTE FUNCTION payments.fail();
        """)
      let partly = try await system.change("saga", "compensate", "o-1")
      #expect(partly.status == 3, "\(partly.testDescription)")
      #expect(partly.messages.contains("the disk is full"))
      let outcome = "SELECT outcome FROM fleet.operator_action ORDER BY id DESC LIMIT 1"
      #expect(try system.value(outcome) == "partly-done")

      // Fulfilment has never worked the partition, which is the first that is found out.
      try system.sql(
        """
        UPDATE orders.orders SET status = 'cancelling', reason = 'timed-out' WHERE order_id = 'o-1';
        DROP TRIGGER fail ON payments.dead_letter;
        UPDATE payments.dead_letter SET state = 'discarded';
        DELETE FROM payments.parked_key;
        """)
      try system.park("o-1", in: .fulfilment, state: "dead", events: 1)
      let refused = try await system.change("saga", "compensate", "o-1")
      #expect(refused.status == 4, "\(refused.testDescription)")
      #expect(try system.value(outcome) == "refused")
    }
  }

  @Test func anOrderIsBroughtBackUnlessItsParcelHasLeft() async throws {
    try await SmallSystem.with { system in
      let letter = try system.stop("o-1", token: "tok_down", offset: 100)
      let dry = try await system.orderly.run("saga", "compensate", "o-1", "--dry-run")
      #expect(dry.status == 0, "\(dry.testDescription)")
      #expect(dry.output.contains("will be back on hand"))
      #expect(dry.messages.contains("would publish order.cancel-requested for o-1"))
      #expect(try system.state(of: letter) == "open")
      let done = try await system.change("saga", "compensate", "o-1")
      #expect(done.status == 0, "\(done.testDescription)")
      #expect(try system.state(of: letter) == "discarded")
      #expect(
        try system.value("SELECT state FROM payments.parked_key WHERE key = 'o-1'") == "waiting")
      let published = try await system.orderly.run(
        "consume", "orders.v1", "-o", "start", "-e", "--key", "o-1")
      #expect(published.output.contains("order.cancel-requested"))

      for (order, reason) in [("done-1", "completed"), ("gone-1", "compensated")] {
        let refused = try await system.change("saga", "compensate", order)
        #expect(refused.status == 4 && refused.messages.contains(reason))
      }
      try system.sql(
        """
        INSERT INTO fulfilment.shipment (order_id, status, tracking_id, created_at, updated_at)
        VALUES ('o-1', 'shipped', 'track-9', now(), now())
        """)
      let shipped = try await system.change("saga", "compensate", "o-1")
      #expect(shipped.status == 4 && shipped.messages.contains("the parcel has left"))
    }
  }
}

extension SmallSystem {
  /// Lets an order wait in fulfilment for its next attempt, which a trigger answers as a lane would.
  fileprivate func wait(_ order: String, answer: String, _ time: String) throws {
    try park(order, in: .fulfilment, state: "waiting", events: 1)
    try sql("INSERT INTO fulfilment.lane (lane, epoch) VALUES (0, 1)")
    try answerTries(in: "fulfilment", answer, time)
  }

  /// Lets a trigger answer tries as a lane would.
  fileprivate func answerTries(in service: String, _ answer: String, _ time: String) throws {
    try sql(
      """
      CREATE FUNCTION \(service).answer() RETURNS trigger LANGUAGE plpgsql
        SET search_path = \(service) AS $$ BEGIN \(answer) END $$;
      CREATE TRIGGER answer \(time) UPDATE ON \(service).parked_key FOR EACH ROW
      WHEN (NEW.next_attempt_at < OLD.next_attempt_at) EXECUTE FUNCTION \(service).answer();
      """)
  }
}
