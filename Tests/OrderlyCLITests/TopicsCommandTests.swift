import Arguments
import Foundation
import JSONSchema
import Kafka
import Testing

@testable import OrderlyCLI

@Suite(.timeLimit(.minutes(10))) struct TopicsCommandTests {
  @Test func aMockIsComparedWithoutSettings() async throws {
    try await OwnServers.withMock { _, orderly in
      let list = try await orderly.run("topics", "list")
      #expect(list.status == 0)
      #expect(list.lines.count == 9)
      #expect(
        list.output.contains("orders.v1                 6          1   -                 0   ok"))
      let verify = try await orderly.run("topics", "verify")
      #expect(verify.status == 0)
      #expect(verify.output.isEmpty)
      #expect(verify.messages.hasPrefix("a mock broker tells no settings: only topics and"))
      let apply = try await orderly.run("topics", "apply")
      #expect(apply.status == 0)
    }
  }

  @Test func verifyNamesEachDifference() async throws {
    try await OwnServers.withMock(topics: ["orders.v1", "payments.dlq"], partitions: 4) {
      _, orderly in
      let verify = try await orderly.run("topics", "verify", "-o", "json")
      #expect(verify.status == 1)
      let rows = try #require(JSONValue(parsing: verify.output.utf8).array)
      #expect(rows.count == 8)
      #expect(rows.contains(["topic": "orders.v1", "difference": "has 4 partitions, not 6"]))
      #expect(rows.contains(["topic": "orders.dlq", "difference": "does not exist"]))
      #expect(verify.messages.hasSuffix("'orderly topics apply' creates what is missing.\n"))
    }
  }

  @Test func topicsAreNotMadeOnAMock() async throws {
    try await OwnServers.withMock(topics: ["orders.v1"]) { mock, orderly in
      let apply = try await orderly.run("topics", "apply")
      #expect(apply.status == 4)
      #expect(apply.output.isEmpty)
      #expect(
        apply.messages.hasPrefix(
          "Error: Topics can't be created on \(mock.bootstrapServers), which is librdkafka's mock "
            + "broker without an admin API: "))
      let dry = try await orderly.run("topics", "apply", "--dry-run")
      #expect(dry.status == 0)
      #expect(dry.messages == "dry run: 7 topics would be created\n")
    }
  }

  @Test func anotherNumberOfPartitionsIsRefused() async throws {
    try await OwnServers.withMock(partitions: 4) { _, orderly in
      let apply = try await orderly.run("topics", "apply")
      #expect(apply.status == 4)
      #expect(apply.messages.hasPrefix("Error: fulfilment.dlq, fulfilment.v1, "))
      #expect(apply.messages.contains("payments.v1 each has 4 partitions, not 6. "))
      #expect(apply.messages.contains("the order of an order's events would break"))
      let named = try await orderly.run("topics", "apply", "--partitions", "4")
      #expect(named.status == 0)
    }
  }

  @Test func eachDeletionIsTold() async {
    let denied = KafkaError(code: .topicAuthorizationFailed, operation: "delete topic a")
    let topics = await Deletion.of(.topic, ["a", "b"]) { _ in
      ["b": .success(()), "a": .failure(denied)]
    }
    let groups = await Deletion.of(.group, ["orders"]) { _ throws(KafkaError) in throw denied }
    #expect((topics + groups).map(\.name) == ["a", "b", "orders"])
    #expect((topics + groups).map { $0.error == nil } == [false, true, false])
    #expect(Deletion.status(topics + groups) == .partlyDone)
    #expect(Deletion.status(groups) == .failure)
    #expect(Deletion.status([topics[1]]) == nil)
    #expect(Deletion.table(topics).render(.table).hasSuffix("topic   b      deleted\n"))
  }

  /// The names of the topics are fixed, so that two runs may find each other's: what is there
  /// already is as good.
  @Test(.enabled(if: OwnServers.kafka != nil, "ORDERLY_TEST_KAFKA is not set"))
  func topicsAreMadeOnARealKafka() async throws {
    let orderly = OrderlyProcess(environment: ["KAFKA_BOOTSTRAP_SERVERS": OwnServers.kafka ?? ""])
    let apply = try await orderly.run("topics", "apply", "-o", "json")
    // Somebody else's topics with other partitions are refused, and nothing can be tested with them.
    guard apply.status != 4 else { return }
    #expect(apply.status == 0)
    let results = try #require(JSONValue(parsing: apply.output.utf8).array)
    #expect(results.count == 8)
    let again = try await orderly.run("topics", "apply")
    #expect(again.status == 0)
    #expect(again.lines.dropFirst().allSatisfy { $0.hasSuffix("unchanged") })
    let verify = try await orderly.run("topics", "verify")
    #expect(verify.status == 0)
    let list = try await orderly.run("topics", "list", "-o", "json")
    let first = try #require(JSONValue(parsing: list.output.utf8).array?.first)
    #expect(first["retentionMs"] == 2_592_000_000)
    #expect(first["state"] == "ok")
    let more = try await orderly.run("topics", "apply", "--partitions", "7")
    #expect(more.status == 4)
  }
}
