import Contracts
import Fleet
import FleetPostgres
import Foundation
import Postgres
import Testing

@testable import OrderlyCLI

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
      #expect(dry.status == 4)
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

  @Test func anInterruptionLeavesTheOthersAsTheyAre() async throws {
    try await SmallSystem.with { system in
      for index in 0..<3 { try system.stop("o-\(index)", offset: 100 + Int64(index)) }
      let database = try ConnectionConfiguration(url: system.database)
      let rows = try Connection.with(database) { connection in
        try connection.executeScript("SET search_path = payments")
        let ids = try connection.execute(Statement("SELECT id FROM dead_letter", cached: false))
          .map { try $0[0, as: UUID.self] }
        return try DeadLetterRow.all(ids, of: .payments, on: connection)
      }
      try #require(rows.count == 3)
      var changed = 0
      let result = await LetterChange.each(
        rows, "changed", .name,
        { row in
          changed += 1
          return await LetterChange(of: row) { (.done, "as told") }
        }, until: { changed == 1 })
      #expect(changed == 1)
      #expect(result.outcome == .partlyDone)
      #expect(result.summary == "1 of 1 dead letter changed; interrupted before the other 2")
    }
  }

  @Test func aDeadlockIsTriedAgain() async throws {
    try await SmallSystem.with { system in
      let letter = try system.stop("o-1", offset: 100)
      // What a sequence has given stays given when the transaction does not.
      try system.sql(
        """
        CREATE SEQUENCE payments.tries;
        CREATE FUNCTION payments.conflict() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN
          IF nextval('payments.tries') = 1 THEN
            RAISE 'deadlock detected' USING ERRCODE = 'deadlock_detected';
          END IF;
          RETURN NEW;
        END $$;
        CREATE TRIGGER conflict BEFORE UPDATE ON payments.dead_letter
        FOR EACH ROW EXECUTE FUNCTION payments.conflict();
        """)
      let discarded = try await system.change("dlq", "discard", letter)
      #expect(discarded.status == 0, "\(discarded.testDescription)")
      #expect(try system.state(of: letter) == "discarded")
      #expect(try system.value("SELECT last_value FROM payments.tries") == "2")
    }
  }

  /// `dlq list` takes the letters' reason as --reason.
  @Test func aReasonThatWasToChooseLettersIsNotTakenForWords() async throws {
    try await SmallSystem.with { system in
      let letters = try (0..<3).map { try system.stop("o-\($0)", offset: 100 + Int64($0)) }
      try system.sql(
        "UPDATE payments.dead_letter SET reason = 'provider-refused' WHERE order_id = 'o-0'")
      // Of one that nobody can discard any more.
      try system.stop("o-9", offset: 109)
      try system.sql(
        """
        UPDATE payments.dead_letter SET reason = 'provider-timeout', state = 'resolved'
        WHERE order_id = 'o-9'
        """)
      let fingerprint = try system.value("SELECT min(fingerprint) FROM payments.dead_letter")
      for (words, advice) in [
        ("provider-refused", "--letter-reason provider-refused"),
        ("invalid-body", "--letter-reason invalid-body"),
        ("provider-timeout", "--letter-reason provider-timeout"),
        (fingerprint, "--fingerprint \(fingerprint)"),
      ] {
        for option in ["--yes", "--dry-run"] {
          let refused = try await system.orderly.run(
            "dlq", "discard", "--service", "payments", "--reason", words, option)
          #expect(refused.status == 4, "\(words): \(refused.testDescription)")
          #expect(refused.messages.contains(advice), "\(words): \(refused.testDescription)")
        }
      }
      #expect(try letters.map(system.state) == ["open", "open", "open"])
      let dry = try await system.orderly.run(
        "dlq", "discard", "--service", "payments", "--dry-run")
      #expect(
        dry.messages.contains(
          "3 open dead letters would be discarded: 2 provider-unavailable, 1 provider-refused"),
        "\(dry.testDescription)")
      let assigned = try await system.orderly.run(
        "dlq", "assign", "--letter-reason", "provider-unavailable", "--owner", "ada")
      #expect(assigned.status == 0, "\(assigned.testDescription)")
      #expect(
        try system.value("SELECT count(*) FROM payments.dead_letter WHERE owner = 'ada'") == "2")
      let one = try await system.orderly.run(
        "dlq", "discard", "--letter-reason", "provider-refused", "--reason", "provider-refused",
        "--yes")
      #expect(one.status == 0, "\(one.testDescription)")
      #expect(try letters.map(system.state) == ["discarded", "open", "open"])
    }
  }
}

/// Whether an operator's words were meant to choose the letters.
@Suite struct DeadLetterReasonTests {
  private static let mixed = DeadLetterReasons([
    DeadLetterReasons.Kind(reason: "invalid-body", fingerprint: "aaaa1111"),
    DeadLetterReasons.Kind(reason: "provider-refused", fingerprint: "bbbb2222"),
    DeadLetterReasons.Kind(reason: "provider-refused", fingerprint: "cccc3333"),
  ])
  private static let alike = DeadLetterReasons([
    DeadLetterReasons.Kind(reason: "provider-refused", fingerprint: "bbbb2222"),
    DeadLetterReasons.Kind(reason: "provider-refused", fingerprint: "cccc3333"),
  ])

  @Test func theMostFrequentReasonComesFirst() {
    #expect(Self.mixed.text == "2 provider-refused, 1 invalid-body")
  }

  @Test func aReasonIsNoWordsUnlessItHasChosenTheLetters() {
    for letters in [Self.mixed, Self.alike] {
      let complaint = letters.complaint(
        "provider-refused", isKnown: false, isByReason: false, isByFingerprint: false)
      #expect(complaint?.contains("--letter-reason provider-refused") == true)
      #expect(
        letters.complaint("INC-42", isKnown: false, isByReason: false, isByFingerprint: false)
          == nil)
      #expect(
        letters.complaint(nil, isKnown: false, isByReason: false, isByFingerprint: false) == nil)
      // Of letters that are not among those: all others would be discarded.
      #expect(
        letters.complaint("no-value", isKnown: false, isByReason: false, isByFingerprint: false)
          != nil)
      #expect(
        letters.complaint("cccc3333", isKnown: false, isByReason: true, isByFingerprint: false)
          != nil)
      #expect(
        letters.complaint("cccc3333", isKnown: false, isByReason: false, isByFingerprint: true)
          == nil)
    }
    #expect(
      Self.mixed.complaint(
        "provider-refused", isKnown: false, isByReason: true, isByFingerprint: false) != nil)
    #expect(
      Self.alike.complaint(
        "provider-refused", isKnown: false, isByReason: true, isByFingerprint: false) == nil)
  }
}
