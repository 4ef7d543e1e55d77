import Contracts
import Foundation
import JSONSchema
import Testing

/// The commands that look, run as processes on a small system.
@Suite(.serialized) struct InspectionCommandTests {
  @Test(.timeLimit(.minutes(10))) func eachCommandShowsWhatIsThere() async throws {
    try await SmallSystem.with { system in
      let orders = try await system.orderly.run("get", "orders")
      #expect(orders.status == 0)
      #expect(orders.lines.first?.hasPrefix("ID       STATUS") == true)
      #expect(orders.output.contains("59.98 EUR"))
      #expect(orders.output.contains("1200 JPY"))
      let names = try await system.orderly.run(
        "get", "orders", "--status", "cancelled", "-o", "name")
      #expect(names.output == "order/gone-1\n")
      #expect(names.messages.isEmpty)
      let newest = try await system.orderly.run("get", "orders", "--limit", "1", "-o", "name")
      #expect(newest.lines.count == 1)
      #expect(
        newest.messages == "Only the newest 1 are shown; see the others with --limit.\n")

      let page = try await system.orderly.run("describe", "order", "gone-1")
      #expect(page.output.contains("Status     cancelled (undeliverable)"))
      #expect(page.output.contains("refund    provider-receivable"))
      // It has ended: no deadline is ahead of it.
      #expect(page.output.contains("Deadline   -\n"))
      let nobody = try await system.orderly.run("describe", "order", "nobody")
      #expect(nobody.status == 1)
      #expect(nobody.messages.contains("No service has heard of the order nobody."))

      let groups = try await system.orderly.run("get", "groups", "-o", "json")
      #expect(groups.messages.contains("mock cluster"))
      let lags = try JSONValue(parsing: groups.output).array?.map { $0["lag"]?.int }
      #expect(lags == [0, 0, 0, 0])
      let group = try await system.orderly.run("describe", "group", "payments")
      #expect(group.output.contains("inventory.v1"))

      let outbox = try await system.orderly.run("outbox", "status")
      #expect(outbox.status == 0)
      let workers = try await system.orderly.run("get", "workers")
      #expect(workers.messages == "No workers found.\n")
    }
  }

  @Test(.timeLimit(.minutes(10))) func parkedOrdersAreShown() async throws {
    try await SmallSystem.with { system in
      let none = try await system.orderly.run("get", "parked")
      #expect(none.messages == "No parked orders found.\n")
      try system.park("held-1", in: .payments, state: "waiting", events: 2)
      try system.park("dead-1", in: .fulfilment, state: "dead", events: 0)
      let list = try await system.orderly.run("get", "parked")
      #expect(list.lines.first?.hasPrefix("ORDER ") == true)
      #expect(list.lines.count == 3)
      #expect(list.output.contains("provider-unavailable"))
      // Of all services together, and those that are tried next come first.
      try system.park("next-1", in: .fulfilment, state: "waiting", events: 0)
      try system.sql(
        "UPDATE fulfilment.parked_key SET next_attempt_at = now() WHERE key = 'next-1'")
      let first = try await system.orderly.run("get", "parked", "--limit", "2", "-o", "name")
      #expect(first.output == "parked/fulfilment/next-1\nparked/payments/held-1\n")
      #expect(first.messages == "Only the first 2 are shown; see the others with --limit.\n")
      let all = try await system.orderly.run("get", "parked", "--limit", "3", "-o", "name")
      #expect(all.lines.last == "parked/fulfilment/dead-1")
      #expect(all.messages.isEmpty)
      let names = try await system.orderly.run("get", "parked", "--state", "dead", "-o", "name")
      #expect(names.output == "parked/fulfilment/dead-1\n")
      let json = try await system.orderly.run(
        "get", "parked", "--service", "payments", "-o", "json")
      let row = try #require(JSONValue(parsing: json.output).array?.first)
      #expect(row["events"]?.int == 2 && row["attempts"]?.int == 3)

      let page = try await system.orderly.run("describe", "order", "held-1")
      #expect(page.status == 0)
      #expect(page.output.contains("Parked events"))
      #expect(page.output.contains("inventory.v1[0]@1"))
      let dead = try await system.orderly.run("describe", "order", "dead-1", "-o", "json")
      let object = try JSONValue(parsing: dead.output)
      #expect(object["parked"]?.array?.first?["state"]?.string == "dead")
      #expect(object["parkedEvents"]?.array?.isEmpty == true)
    }
  }

  @Test(.timeLimit(.minutes(10))) func deadLettersAreFoundByTheBeginningOfTheirIds() async throws {
    try await SmallSystem.with { system in
      try system.sql(
        """
        UPDATE orders.dead_letter SET id = 'abcd0000-0000-4000-8000-000000000001';
        UPDATE inventory.dead_letter SET id = 'abcd1111-0000-4000-8000-000000000001';
        UPDATE fulfilment.dead_letter SET id = 'ffff1111-0000-4000-8000-000000000001',
          event_type = 'order.placed', value = convert_to(
            '{"payment": {"token": "tok_secret"}, "shipTo": ["x", {"name": "Ada"}]}', 'UTF8');
        """)
      let list = try await system.orderly.run("dlq", "list", "--service", "orders", "-o", "name")
      #expect(list.output == "dlq/abcd0000-0000-4000-8000-000000000001\n")
      let summary = try await system.orderly.run("dlq", "summary", "-o", "json")
      let groups = try JSONValue(parsing: summary.output).array ?? []
      #expect(groups.map { $0["count"]?.int } == [3])

      let ambiguous = try await system.orderly.run("dlq", "show", "abcd")
      #expect(ambiguous.status == 1)
      #expect(ambiguous.messages.contains("The id abcd is ambiguous: abcd0000-"))
      let short = try await system.orderly.run("dlq", "show", "abc")
      #expect(short.status == 2)

      let shown = try await system.orderly.run("dlq", "show", "abcd0", "--payload")
      #expect(shown.status == 0)
      // The header's value is an escape sequence.
      #expect(!shown.output.contains("\u{1b}"))
      #expect(shown.output.contains("\\u{1b}[31m"))
      #expect(shown.output.contains("1 byte, not JSON; --show-sensitive shows it"))
      let asItIs = try await system.orderly.run("dlq", "show", "abcd0", "--show-sensitive")
      #expect(asItIs.output.contains("hex ff"))

      let unfit = try await system.orderly.run("describe", "dlq", "ffff", "--payload")
      #expect(unfit.output.contains("bytes, not as its schema says; --show-sensitive shows it"))
      #expect(!unfit.output.contains("tok_secret"))
      #expect(!unfit.output.contains("Ada"))
    }
  }

  @Test(.timeLimit(.minutes(10))) func payloadsAreShownAsTheirSchemaAllows() async throws {
    try await SmallSystem.with { system in
      func show(_ body: String, _ options: String...) async throws -> String {
        try system.sql(
          """
          UPDATE orders.dead_letter SET id = 'abcd0000-0000-4000-8000-000000000001',
            event_type = 'order.placed', value = convert_to($body$\(body)$body$, 'UTF8')
          """)
        let outcome = try await system.orderly.run(["dlq", "show", "abcd0000"] + options)
        #expect(outcome.status == 0)
        return outcome.output
      }
      let order = PublishBodiesTests.order
      let whole = try await show(order, "--payload", "-o", "json")
      #expect(try JSONValue(parsing: whole.utf8)["payload"]?["payment"]?["token"] == "[redacted]")
      #expect(!whole.contains("Ada"))
      // Cut off, it is no JSON any more; the token is still in it.
      let broken = String(order.dropLast())
      for format in ["table", "json", "yaml"] {
        let shown = try await show(broken, "--payload", "--full", "-o", format)
        #expect(!shown.contains("tok_"), "\(format)")
        #expect(shown.contains("not JSON; --show-sensitive shows it"), "\(format)")
      }
      #expect(try await show(broken, "--show-sensitive").contains("tok_"))
    }
  }

  @Test(
    .timeLimit(.minutes(10)),
    arguments: [
      ["get", "orders"], ["get", "dlq"], ["get", "outbox"], ["get", "workers"], ["get", "parked"],
      ["get", "plans"], ["get", "actions"], ["dlq", "summary"], ["describe", "order", "x"],
      ["outbox", "status"],
    ])
  func aServerThatIsDownIsOneSentence(_ command: [String]) async throws {
    let outcome = try await OrderlyProcess(environment: [
      "ORDERLY_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing"
    ]).run(command)
    #expect(outcome.status == 1)
    #expect(outcome.output.isEmpty)
    #expect(outcome.messages.hasPrefix("Error: postgresql://nobody@127.0.0.1:9/nothing can't be"))
    #expect(outcome.messages.contains("start 'orderly dev'."))
    #expect(outcome.messages.split(separator: "\n").count == 1)
  }

  @Test(
    .timeLimit(.minutes(10)),
    arguments: [["get", "groups"], ["describe", "group", "orders"], ["audit"]])
  func aBrokerThatIsDownIsOneSentence(_ command: [String]) async throws {
    let outcome = try await OrderlyProcess(environment: [
      "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
      "ORDERLY_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing",
    ]).run(command)
    #expect(outcome.status == 1)
    #expect(outcome.messages.hasPrefix("Error: Kafka can't be reached at 127.0.0.1:9"))
  }
}
