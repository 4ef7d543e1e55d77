import Contracts
import Foundation
import JSONSchema
import Kafka
import Testing

@testable import OrderlyCLI

@Suite(.timeLimit(.minutes(10))) struct PublishAndConsumeTests {
  @Test func whatIsPublishedIsConsumed() async throws {
    try await OwnServers.withMock { _, orderly in
      let published = try await orderly.run(
        "publish", "order.placed", "--count", "12", "--seed", "42", "-o", "json")
      #expect(published.status == 0)
      #expect(published.messages == "12 records published on orders.v1\n")
      let records = try #require(JSONValue(parsing: published.output.utf8).array)
      let ids = Set(records.compactMap { $0["id"]?.string })
      #expect(ids.count == 12)

      let consumed = try await orderly.run("consume", "orders.v1", "-e", "--format", "json")
      #expect(consumed.status == 0)
      let read = try consumed.lines.map { try JSONValue(parsing: $0.utf8) }
      #expect(read.count == 12)
      #expect(Set(read.compactMap { header(HeaderName.id, of: $0) }) == ids)
      // In the places that were printed.
      func place(_ record: JSONValue) -> [JSONValue?] {
        [record["topic"], record["partition"], record["offset"], record["key"]]
      }
      #expect(Set(read.map(place)) == Set(records.map(place)))
    }
  }

  @Test func aSeedMakesTheSameEvents() async throws {
    let orderly = OrderlyProcess()
    func ids() async throws -> [Substring] {
      let dry = try await orderly.run(
        "publish", "order.placed", "--seed", "5", "--count", "100", "--outcome", "late-cancel=50%",
        "--dry-run")
      #expect(dry.messages == "dry run: 150 records would be published\n")
      return dry.lines.filter { $0.hasPrefix("  ce_id") }
    }
    let first = try await ids()
    #expect(first.count == 150)
    #expect(try await ids() == first)
  }

  @Test func sensitiveFieldsAreRedacted() async throws {
    try await OwnServers.withMock { _, orderly in
      // A C1 control, which clears the screen of some terminals, and a mark that reorders text.
      let order = PublishBodiesTests.order.replacing(
        "\"Ada\"", with: "\"Ada\\u009b2J\\u202e\\ufeff\"")
      let published = try await orderly.run(
        "publish", "order.placed", "-f", "-", "-H", "x=\u{1b}[31m", input: order)
      #expect(published.status == 0)
      let shown = try await orderly.run("consume", "orders.v1", "-e", "-v")
      #expect(shown.output.contains("\"name\":\"[redacted]\""))
      #expect(shown.output.contains("\"token\":\"[redacted]\""))
      #expect(!shown.output.contains("Ada"))
      #expect(shown.output.contains("x: \\u{1b}[31m"))
      #expect(!shown.output.unicodeScalars.contains("\u{1b}"))
      let all = try await orderly.run("consume", "orders.v1", "-e", "--show-sensitive")
      #expect(all.output.contains("\"name\":\"Ada\\u009b2J\\u202e\\ufeff\""))
    }
  }

  @Test func whatNoSchemaFitsIsNotShown() async throws {
    try await OwnServers.withMock { _, orderly in
      let published = try await orderly.run(
        "publish", "order.placed", "--seed", "3", "--count", "15", "--outcome", "poison")
      #expect(published.status == 0)
      let shown = try await orderly.run("consume", "orders.v1", "-e")
      #expect(shown.output.contains("bytes, not JSON; --show-sensitive shows it"))
      #expect(shown.output.contains("bytes, of no known type; --show-sensitive shows it"))
      #expect(shown.output.contains("bytes, not as its schema says; --show-sensitive shows it"))
      #expect(shown.output.contains("  no value"))
      #expect(!shown.output.contains("tok_ok"))
    }
  }

  @Test func expectationsAreOfWhatWasAcknowledged() async throws {
    try await OwnServers.withMock { _, orderly in
      try await withTemporaryFolder { folder in
        let file = folder.appending(path: "expected.jsonl")
        let published = try await orderly.run(
          "publish", "order.placed", "--count", "100", "--seed", "9", "--duplicate", "25%",
          "--outcome", "declined=25%,late-cancel=25%,poison=25%", "--expect", file.path)
        #expect(published.status == 0)
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
          .map { try JSONValue(parsing: $0.utf8) }
        let orders = lines.filter { $0["order"] != nil }
        #expect(orders.count == 75)
        #expect(Set(orders.compactMap { $0["order"]?.string }).count == 75)
        let declined = orders.filter { $0["planned"] == "declined" }
        #expect(declined.count == 25)
        #expect(
          declined.allSatisfy {
            $0["terminal"] == [["state": "cancelled", "reason": "declined"]]
          })
        let late = orders.filter { $0["planned"] == "late-cancel" }
        #expect(late.allSatisfy { $0["terminal"]?.array?.count == 2 })
        // Each copy of a poison message is a dead letter of its own.
        let poison = lines.filter { $0["reason"] != nil }
        #expect(poison.count >= 25)
        #expect(Set(poison.map { [$0["partition"], $0["offset"]] }).count == poison.count)
        #expect(poison.allSatisfy { $0["services"]?.array?.isEmpty == false })
      }
    }
  }

  @Test func recordsAreChosen() async throws {
    try await OwnServers.withMock { _, orderly in
      _ = try await orderly.run(
        "publish", "order.placed", "--count", "20", "--seed", "8", "--outcome", "late-cancel")
      let one = try await orderly.run("consume", "orders.v1", "-e", "--key", "s8-000003")
      #expect(
        one.lines.filter { $0.contains("s8-000003") && $0.hasPrefix("orders.v1[") }.count == 2)
      let cancels = try await orderly.run(
        "consume", "orders.v1", "-e", "--type", "order.cancel-requested", "--format", "json")
      #expect(cancels.lines.count == 20)
      let few = try await orderly.run("consume", "orders.v1", "-b", "-n", "7", "--format", "json")
      #expect(few.lines.count == 7)
      let last = try await orderly.run(
        "consume", "orders.v1", "-o", "-1", "-e", "--format", "json")
      #expect((1...6).contains(last.lines.count))
      let none = try await orderly.run("consume", "orders.v1", "-o", "end", "-e")
      #expect(none.status == 0)
      #expect(none.output.isEmpty)
    }
  }

  @Test func anUnknownTopicIsNamed() async throws {
    try await OwnServers.withMock(topics: ["orders.v1"]) { _, orderly in
      let outcome = try await orderly.run("consume", "orders.v2")
      #expect(outcome.status == 1)
      #expect(outcome.messages == "Error: There is no topic orders.v2. There are: orders.v1.\n")
      let partition = try await orderly.run("consume", "orders.v1", "--partition", "6")
      #expect(partition.messages == "Error: orders.v1 has no partition 6; it has 0 to 5.\n")
      let publish = try await orderly.run(
        "publish", "payment.captured", "-f", "-", "--dry-run", input: "{}")
      #expect(publish.status == 1)
    }
  }

  @Test func aTopicThatIsMissingIsNotMadeByPublishing() async throws {
    try await OwnServers.withMock(topics: []) { _, orderly in
      let outcome = try await orderly.run("publish", "order.placed", "--seed", "1")
      #expect(outcome.status == 1)
      #expect(
        outcome.messages == "Error: The topic orders.v1 does not exist. 'orderly dev' makes it.\n")
    }
  }

  @Test func nothingIsPublishedWhenTheExpectationsCantBeWritten() async throws {
    try await OwnServers.withMock { _, orderly in
      let outcome = try await orderly.run(
        "publish", "order.placed", "--seed", "1", "--expect", "/dev/null/x")
      #expect(outcome.status == 1)
      #expect(
        outcome.messages == "Error: /dev/null/x can't be written. Is there such a folder?\n")
      #expect(try await orderly.run("consume", "orders.v1", "-e").output.isEmpty)
    }
  }

  @Test func aTopicThatCantBeUsedIsSaidAtOnce() async throws {
    try await OwnServers.withMock { mock, orderly in
      try mock.setError(.topicAuthorizationFailed, ofTopic: "orders.v1")
      let outcome = try await orderly.run("publish", "order.placed", "--seed", "1", "--count", "3")
      #expect(outcome.status == 1)
      #expect(outcome.output.isEmpty)
      #expect(
        outcome.messages == """
          Error: Kafka at \(mock.bootstrapServers) does not allow it: could not use topic orders.v1: \
          Broker: Topic authorization failed (TOPIC_AUTHORIZATION_FAILED). Use a principal that has \
          the right, or grant it.

          """)
    }
  }

  @Test func recordsThatFailAreCounted() async throws {
    try await OwnServers.withMock { mock, orderly in
      try mock.pushErrors([.messageSizeTooLarge], for: .produce)
      let outcome = try await orderly.run("publish", "order.placed", "--seed", "1")
      #expect(outcome.status == 1)
      #expect(outcome.output.isEmpty)
      #expect(
        outcome.messages.hasSuffix("Nothing has been acknowledged. Run 'orderly doctor'.\n"))
    }
  }

  /// Other runs write to the same topic; each looks for its own key.
  @Test(.enabled(if: OwnServers.kafka != nil, "ORDERLY_TEST_KAFKA is not set"))
  func aRealKafkaGivesAnOrderThePartitionThatAMockDoes() async throws {
    let key = "clitests-\(UUID().uuidString.lowercased())"
    let order = PublishBodiesTests.order.replacing("o-1", with: key)
    let real = OrderlyProcess(environment: ["KAFKA_BOOTSTRAP_SERVERS": OwnServers.kafka ?? ""])
    _ = try await real.run("topics", "apply")
    let list = try await real.run("topics", "list", "-o", "json")
    let topic = try JSONValue(parsing: list.output.utf8).array?.first { $0["topic"] == "orders.v1" }
    let partitions = try #require(topic?["partitions"]?.int.flatMap(Int32.init))
    func partition(_ orderly: OrderlyProcess) async throws -> JSONValue? {
      let published = try await orderly.run("publish", "order.placed", "-f", "-", input: order)
      #expect(published.status == 0)
      let read = try await orderly.run(
        "consume", "orders.v1", "-o", "@5m", "-e", "--key", key, "--format", "json")
      #expect(read.lines.count == 1)
      return try read.lines.first.map { try JSONValue(parsing: $0.utf8) }?["partition"]
    }
    let onReal = try #require(try await partition(real))
    let onMock = try await OwnServers.withMock(partitions: partitions) { _, mock in
      try await partition(mock)
    }
    #expect(onMock == onReal)
  }

  private func header(_ name: String, of record: JSONValue) -> String? {
    record["headers"]?.array?.first { $0["name"]?.string == name }?["value"]?.string
  }
}
