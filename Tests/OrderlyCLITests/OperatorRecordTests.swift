import Contracts
import Foundation
import JSONSchema
import Testing

@testable import OrderlyCLI

/// What is on record of operators, and can be read without an order or a dead letter.
@Suite(.serialized, .timeLimit(.minutes(10))) struct OperatorRecordTests {
  @Test func actionsAreListedTheNewestFirst() async throws {
    try await SmallSystem.with { system in
      let none = try await system.orderly.run("get", "actions")
      #expect(none.status == 0 && none.messages == "No actions found.\n", "\(none.messages)")
      try system.sql(
        """
        INSERT INTO fleet.operator_action (at, who, command, target, services, orders, letters,
          reason)
        VALUES (now() - interval '2 days', 'ada', 'saga retry', 'order o-1', '{}', '{o-1}', '{}',
          'once');
        """)
      let seek = try await system.change("group", "seek", "payments", "--to", "start", "--execute")
      #expect(seek.status == 0, "\(seek.messages)")

      let list = try await system.orderly.run("get", "actions")
      #expect(list.status == 0 && list.lines.count == 3, "\(list.messages)")
      #expect(list.lines[1].contains("group seek") && list.lines[1].contains("group payments"))
      #expect(list.lines[1].contains("done") && list.lines[1].contains("a test"))
      #expect(list.lines[2].contains("ada") && list.lines[2].contains("started"))
      let newest = try await system.orderly.run("get", "actions", "--limit", "1", "-o", "json")
      #expect(newest.messages == "Only the newest 1 are shown; see the others with --limit.\n")
      let actions = try #require(JSONValue(parsing: newest.output).array)
      #expect(actions.map { $0["command"]?.string } == ["group seek"])
      #expect(actions.first?["endedAt"]?.string != nil)
      let lately = try await system.orderly.run("get", "actions", "--since", "1d", "-o", "json")
      #expect(try JSONValue(parsing: lately.output).array?.count == 1)
      #expect(lately.messages.isEmpty)
    }
  }

  @Test func aPlanWhoseIdIsLostIsFoundAgain() async throws {
    try await SmallSystem.with { system in
      let none = try await system.orderly.run("get", "plans")
      #expect(none.status == 0 && none.messages == "No plans found.\n", "\(none.messages)")
      let letters = try (0..<2).map { try system.stop("o-\($0)", offset: 100 + Int64($0)) }
      let first = try await system.plan(letters[0], letters[1])
      let second = try await system.plan(letters[1])
      try system.sql(
        """
        UPDATE fleet.replay_plan_item SET state = 'resolved'
        WHERE plan_id = '\(first)' AND position = 0
        """)

      let names = try await system.orderly.run("get", "plans", "-o", "name")
      #expect(names.output == "plan/\(second)\nplan/\(first)\n")
      let list = try await system.orderly.run("get", "plans")
      #expect(list.lines.count == 3)
      #expect(list.lines[1].contains("1 planned") && list.lines[1].contains("ids=1"))
      #expect(list.lines[2].contains("1 planned, 1 resolved"))
      let newest = try await system.orderly.run("get", "plans", "--limit", "1", "-o", "json")
      #expect(newest.messages == "Only the newest 1 are shown; see the others with --limit.\n")
      let plans = try #require(JSONValue(parsing: newest.output).array)
      #expect(plans.map { $0["id"]?.string } == [second])
      #expect(plans.first?["items"]?["planned"]?.int == 1)
      #expect(plans.first?["items"]?["failed"]?.int == 0)
    }
  }
}
