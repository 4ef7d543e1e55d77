import Contracts
import Foundation
import JSONSchema
import Testing

@testable import OrderlyCLI

/// What `orderly doctor` says of what has stopped, and of who may do something about it.
@Suite(.serialized, .timeLimit(.minutes(10))) struct DoctorBacklogTests {
  private func look(
    _ service: ServiceName, _ kind: DoctorBacklog.Kind, _ count: DoctorBacklog.Count
  ) -> DoctorBacklog.Look {
    DoctorBacklog.Look(service: service, kind: kind, count: count)
  }

  @Test func eachKindIsOneWarning() {
    let findings = DoctorBacklog.findings([
      look(.orders, .letters, .known(3)), look(.orders, .outbox, .known(0)),
      look(.payments, .letters, .known(1)), look(.payments, .calls, .known(2)),
    ])
    #expect(findings.map(\.status) == [.warn, .warn])
    #expect(
      findings.map(\.text) == [
        "dead letters that nobody has decided about: orders 3, payments 1",
        "calls to a provider that have failed for more than 10 minutes: payments 2",
      ])
    #expect(findings.allSatisfy { $0.advice != nil })
    #expect(DoctorBacklog.findings([look(.orders, .letters, .known(0))]).isEmpty)
  }

  @Test func whatCanNotBeCountedIsToldWithItsCause() {
    let slow = DoctorBacklog.Count.unknown(Trouble(text: "too slow", advice: nil))
    let denied = DoctorBacklog.Count.unknown(Trouble(text: "denied", advice: "Grant it."))
    let findings = DoctorBacklog.findings([
      look(.fulfilment, .letters, denied), look(.orders, .letters, slow),
      look(.payments, .letters, .known(1)), look(.payments, .calls, slow),
    ])
    #expect(findings.map(\.status) == [.warn, .warn, .warn])
    #expect(findings[1].advice == "Grant it.")
    #expect(
      findings.last?.text
        == "dead letters of orders, provider calls of payments could not be counted: too slow")
  }

  private func findings(_ system: SmallSystem, url: String? = nil) async throws -> [String:
    [String]]
  {
    var orderly = system.orderly
    if let url { orderly.environment["ORDERLY_DATABASE_URL"] = url }
    let outcome = try await orderly.run("doctor", "-o", "json")
    var texts: [String: [String]] = [:]
    for finding in try #require(JSONValue(parsing: outcome.output).array) {
      let area = try #require(finding["area"]?.string)
      texts[area, default: []].append(try #require(finding["finding"]?.string))
    }
    return texts
  }

  @Test func whatHasStoppedIsCounted() async throws {
    try await SmallSystem.with { system in
      try system.addWorker()
      let before = try await findings(system)
      #expect(
        before["letters"] == [
          "dead letters that nobody has decided about: orders 1, inventory 1, fulfilment 1"
        ])
      for area in ["parked", "calls", "outbox", "backlog", "operator"] {
        #expect(before[area] == nil, "\(area)")
      }

      try system.park("held-1", in: .payments, state: "waiting", events: 1)
      try system.park("held-2", in: .payments, state: "waiting", events: 1)
      try system.park("dead-1", in: .fulfilment, state: "dead", events: 1)
      try system.capture("held-1", isDead: false)
      try system.capture("held-2", isDead: false)
      // Of each two, one is not old enough.
      try system.sql(
        """
        UPDATE payments.parked_key SET first_failed = now() - interval '1 hour'
        WHERE key = 'held-1';
        UPDATE payments.effect SET attempts = 4, reason = 'provider-unavailable', detail = 'down',
          first_failed = now() - CASE order_id WHEN 'held-1' THEN interval '1 hour'
            ELSE interval '0' END, last_failed = now();
        INSERT INTO orders.outbox (lane, seq, id, aggregatetype, type, source, time, created_at)
        SELECT 0, number, gen_random_uuid(), 'orders.v1', 'order.cancelled', '/orderly/orders',
          now(), now() - CASE number WHEN 1 THEN interval '1 hour' ELSE interval '-1 hour' END
        FROM generate_series(1, 2) AS number;
        """)
      let after = try await findings(system)
      #expect(
        after["parked"] == [
          "orders that have stopped behind a dead letter: fulfilment 1",
          "orders parked for more than 10 minutes: payments 1",
        ])
      #expect(
        after["calls"] == [
          "calls to a provider that have failed for more than 10 minutes: payments 1"
        ])
      #expect(after["outbox"] == ["messages not published for more than 10 seconds: orders 1"])

      try system.sql("REVOKE SELECT ON orders.dead_letter FROM orderly_orders")
      let blind = try await findings(system)
      let told = try #require(blind["backlog"]?.first)
      #expect(told.hasPrefix("dead letters of orders could not be counted: "))
      #expect(told.contains("permission denied"))
    }
  }

  @Test func aUserWhoMayOnlyLookIsTold() async throws {
    try await SmallSystem.with { system in
      let user = "clitests_" + UUID().uuidString.lowercased().filter { $0 != "-" }
      try system.sql(
        """
        CREATE ROLE \(user) LOGIN PASSWORD '\(user)';
        GRANT orderly_orders, orderly_inventory, orderly_payments, orderly_fulfilment TO \(user);
        """)
      var components = try #require(URLComponents(string: system.database))
      components.user = user
      components.password = user
      let url = try #require(components.string)
      let looking = try await findings(system, url: url)
      try system.sql("GRANT orderly_operator TO \(user)")
      let changing = try await findings(system, url: url)
      try system.sql("DROP ROLE \(user)")
      #expect(
        looking["operator"]?.first?.hasSuffix(
          "this user can look, but not change: it may not act as orderly_operator") == true)
      #expect(changing["operator"] == nil)
    }
  }
}
