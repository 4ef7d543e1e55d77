import Contracts
import FleetProcesses
import Foundation
import JSONSchema
import Kafka
import Postgres
import Testing

extension EndToEnd {
  /// What an operator does about dead letters, on workers that run.
  @Suite(.timeLimit(.minutes(10))) struct DeadLetters {
    /// Whatever fails is given up at the second try, a second after the first.
    private static let impatient = ["--parked-attempts", "2", "--parked-wait", "1"]

    @Test func aPoisonedOrderIsMendedAndCompletes() async throws {
      try await Fleet.onMock { fleet, _ in
        try await fleet.start().ready()
        var poison = BadInput.valid(order: "bad-1")
        poison.value = poison.value.map {
          Array(
            String(decoding: $0, as: UTF8.self)
              .replacing("\"quantity\":1", with: "\"quantity\":-1").utf8)
        }
        _ = try await fleet.produce([poison])
        // One of each service that acts on it.
        let letters = try await fleet.letters(of: "bad-1", count: 2)
        let planned = try await fleet.succeeding("dlq", "plan", "--key", "bad-1")
        #expect(planned.output.contains("unreadable"))
        for letter in letters {
          try await fleet.change(
            "dlq", "edit", letter, "--patch",
            #"{"lines": [{"sku": "SKU-0001", "quantity": 1, "unitPrice": 1999}]}"#)
        }
        let plan = try await fleet.plan("--key", "bad-1")
        let applied = try await fleet.change("dlq", "apply", plan)
        #expect(applied.messages.contains("2 resolved."))
        try await fleet.ends("bad-1", "completed")
        try await fleet.auditIsGreen()
        await fleet.stopAll()
      }
    }

    @Test func aDeadOrderGoesOnInOrderOnceItIsMended() async throws {
      try await Fleet.onMock { fleet, _ in
        try await fleet.start(options: Self.impatient).ready()
        _ = try await fleet.produce([
          .order("down-1", token: "tok_down"), .order("down-2", token: "tok_down"),
        ])
        let first = try await fleet.letters(of: "down-1", count: 1)[0]
        let second = try await fleet.letters(of: "down-2", count: 1)[0]
        let planned = try await fleet.succeeding("dlq", "plan", first, second)
        #expect(planned.output.contains("fails-again"))
        // A later event of the second order comes, and is held.
        _ = try await fleet.produce([.cancellation("down-2")])
        try await eventually("the cancellation is held behind the dead letter") {
          try await fleet.scalar(
            "SELECT count(*) FROM payments.parked WHERE order_id = 'down-2'", as: Int64.self) == 1
        }
        let list = try await fleet.succeeding("dlq", "list", "--key", "down-2", "-o", "json")
        #expect(try JSONValue(parsing: list.output.utf8).array?.first?["held"]?.int == 1)

        for letter in [first, second] {
          try await fleet.change(
            "dlq", "edit", letter, "--patch", #"{"payment": {"token": "tok_ok"}}"#)
        }
        let plan = try await fleet.plan(first, second)
        let applied = try await fleet.change("dlq", "apply", plan, "--rate", "5/s")
        #expect(applied.messages.contains("2 resolved."))
        try await fleet.ends("down-1", "completed")
        // Captured first, then given back: the events were handled in their order.
        try await fleet.ends("down-2", "cancelled")
        let kinds: String = try await fleet.scalar(
          """
          SELECT string_agg(DISTINCT kind, ' ') FROM payments.ledger_entry
          WHERE order_id = 'down-2'
          """)
        #expect(kinds == "capture refund")
        try await fleet.auditIsGreen()
        await fleet.stopAll()
      }
    }

    @Test func nothingIsReplayedIntoAnOrderThatHasEnded() async throws {
      try await Fleet.onMock { fleet, _ in
        try await fleet.start(options: Self.impatient).ready()
        _ = try await fleet.produce([
          .order("gone-1", token: "tok_down"), .order("gone-2", token: "tok_down"),
        ])
        let first = try await fleet.letters(of: "gone-1", count: 1)[0]
        try await fleet.letters(of: "gone-2", count: 1)
        try await fleet.change(
          "dlq", "edit", first, "--patch", #"{"payment": {"token": "tok_ok"}}"#)
        let plan = try await fleet.plan(first)
        // The customer does not want it any more, and nobody waits for the letter.
        _ = try await fleet.produce([.cancellation("gone-1")])
        try await fleet.change("dlq", "release", "--key", "gone-1")
        try await fleet.ends("gone-1", "cancelled")
        let refused = try await fleet.orderly(
          ["dlq", "apply", plan, "--reason", "a test", "--yes"])
        #expect(refused.status == 4, "\(refused.description)")
        #expect(refused.output.contains("cancelled (cancel-requested) and fully compensated"))

        // The other one is brought back by an operator.
        let compensated = try await fleet.change("saga", "compensate", "gone-2")
        #expect(compensated.messages.contains("gone-2 is on its way back"))
        try await fleet.ends("gone-2", "cancelled")
        try await fleet.auditIsGreen()
        await fleet.stopAll()
      }
    }

    @Test func whatAProviderHasRefusedIsAskedForAgain() async throws {
      try await Fleet.onMock { fleet, _ in
        try await ProviderProcess.running(["--refuse", "1"]) { provider in
          try await fleet.start(launch: Fleet.Launch(environment: provider.settings)).ready()
          _ = try await fleet.produce([.order("refused-1", token: "tok_ok")])
          let capture = try await fleet.letters(of: "refused-1", count: 1)[0]
          let planned = try await fleet.succeeding("dlq", "plan", capture)
          #expect(planned.output.contains("the provider is asked again"), "\(planned.output)")

          // Refused again: the letter is as open as it was.
          let failed = try await fleet.orderly(
            ["dlq", "apply", try await fleet.plan(capture), "--reason", "a test", "--yes"])
          #expect(failed.status == 1 && failed.messages.contains("1 failed"), "\(failed)")
          #expect(try await fleet.letters(of: "refused-1", count: 1) == [capture])

          try await provider.set("{}")
          let applied = try await fleet.change("dlq", "apply", try await fleet.plan(capture))
          #expect(applied.messages.contains("1 resolved."))
          try await fleet.ends("refused-1", "completed")
          let books = try await provider.books()
          #expect(books.captures.map(\.order) == ["refused-1"])
          #expect(books.shipments == ["refused-1"])
          try await fleet.auditIsGreen()
          await fleet.stopAll()
        }
      }
    }
  }
}

extension Record {
  /// An order.placed with a payment token.
  fileprivate static func order(_ id: String, token: String) -> Record {
    var record = BadInput.valid(order: id)
    record.value = record.value.map {
      Array(String(decoding: $0, as: UTF8.self).replacing("tok_ok", with: token).utf8)
    }
    return record
  }

  fileprivate static func cancellation(_ id: String) -> Record {
    let headers = EventCodec.headers(
      id: UUID(), source: "/shop", type: "order.cancel-requested", time: Date(), subject: id,
      causationID: nil, traceparent: nil)
    return Record(
      topic: Topic.orders.rawValue, key: Array(id.utf8),
      value: Array("{\"orderId\":\"\(id)\",\"requestedAt\":\"2026-11-21T08:31:00Z\"}".utf8),
      headers: headers.map { Header(name: $0.name, value: $0.value) })
  }
}

extension Fleet {
  /// The ids of an order's open dead letters, once there are so many.
  @discardableResult
  fileprivate func letters(of order: String, count: Int) async throws -> [String] {
    var ids: [String] = []
    try await eventually("\(order) has dead letters") {
      let list = try await succeeding(
        "dlq", "list", "--key", order, "--state", "open", "-o", "json")
      ids =
        try JSONValue(parsing: list.output.utf8).array?.compactMap { $0["id"]?.string } ?? []
      return ids.count == count
    }
    return ids
  }

  /// The id of a new plan.
  fileprivate func plan(_ selection: String...) async throws -> String {
    let outcome = try await orderly(["dlq", "plan", "-o", "name"] + selection)
    try #require(outcome.status == 0, "\(outcome.description)")
    return String(outcome.output.dropFirst("plan/".count).dropLast())
  }

  /// Runs a command that changes something, saying why.
  @discardableResult
  fileprivate func change(_ arguments: String...) async throws -> Program.Outcome {
    let outcome = try await orderly(arguments + ["--reason", "a test", "--yes"])
    try #require(outcome.status == 0, "orderly \(arguments): \(outcome.description)")
    return outcome
  }

  fileprivate func ends(_ order: String, _ status: String) async throws {
    var found = ""
    do {
      try await eventually("\(order) is \(status)") {
        found = try await scalar(
          "SELECT coalesce((SELECT status FROM orders.orders WHERE order_id = '\(order)'), '')")
        return found == status
      }
    } catch {
      Issue.record("\(order) is \(found)")
      throw error
    }
  }

  fileprivate func auditIsGreen() async throws {
    try await quiet()
    let audit = try await orderly(["audit"])
    #expect(audit.status == 0, "\(audit.description)")
  }
}
