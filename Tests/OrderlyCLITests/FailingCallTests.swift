import Foundation
import Kafka
import Testing

@testable import OrderlyCLI

/// What an operator reads when a call fails, to the letter.
@Suite struct FailingCallTests {
  struct Call: Sendable, CustomTestStringConvertible {
    let arguments: [String]
    var environment: [String: String] = [:]
    let status: Int32
    /// All of standard error.
    let messages: String

    var testDescription: String { arguments.joined(separator: " ") }
  }

  private static let publishUsage = """
    Usage: orderly publish [<options>] <event>
      See 'orderly publish --help' for more information.

    """
  private static let consumeUsage = """
    Usage: orderly consume [<options>] <topic>
      See 'orderly consume --help' for more information.

    """
  private static let seekUsage = """
    Usage: orderly group seek [<options>] <service> --to <place>
      See 'orderly group seek --help' for more information.

    """
  /// The discard port, where nobody listens.
  private static let nowhere = [
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
    "ORDERLY_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing",
  ]

  static let calls = [
    Call(
      arguments: ["publish", "payment.captured"], status: 2,
      messages: """
        Error: Only order.placed can be made up. Give the body of payment.captured with -f FILE.
        \(publishUsage)
        """),
    Call(
      arguments: ["publish", "order.placed", "-k", "o-1"], status: 2,
      messages: """
        Error: -k goes with -f: orders that are made up have their own ids.
        \(publishUsage)
        """),
    Call(
      arguments: ["publish", "order.placed", "-f", "-", "--seed", "1"], status: 2,
      messages: """
        Error: --seed is for orders that are made up, and does not go with -f.
        \(publishUsage)
        """),
    Call(
      arguments: ["publish", "order.placed", "--rate", "0"], status: 2,
      messages: """
        Error: --rate must be over 0 and up to 1000000 records a second, is 0.0.
        \(publishUsage)
        """),
    Call(
      arguments: ["publish", "order.placed", "-f", "/nonexistent/order.json"], status: 1,
      messages: "Error: /nonexistent/order.json can't be read: No such file or directory.\n"),
    Call(
      arguments: ["publish", "order.placed", "-f", "/usr"], status: 1,
      messages: "Error: /usr is a folder. Give a file with one event, an array of events, or an "
        + "event on each line.\n"),
    Call(
      arguments: ["publish", "order.placed", "--seed", "1"], status: 1,
      messages: "Error: It is not known where Kafka is. Set KAFKA_BOOTSTRAP_SERVERS, choose a "
        + "--context, or start 'orderly dev'.\n"),
    Call(
      arguments: ["consume", "orders.v1", "-b", "-o", "end"], status: 2,
      messages: "Error: -b and -o contradict each other.\n\(consumeUsage)"),
    Call(
      arguments: ["consume", "orders.v1", "-n", "0"], status: 2,
      messages: "Error: -n must be at least 1, is 0.\n\(consumeUsage)"),
    Call(
      arguments: ["topics", "list", "-X", "sasl.password=x"], environment: nowhere, status: 1,
      messages: "Error: sasl.password can't be given with -X, where other users of the machine can "
        + "read it. Set KAFKA_SASL_PASSWORD_FILE or KAFKA_SSL_KEY_PASSWORD_FILE.\n"),
    Call(
      arguments: ["topics", "list", "-X", "ssl.key.pem=x"], environment: nowhere, status: 1,
      messages: "Error: ssl.key.pem can't be given with -X, where other users of the machine can "
        + "read it. Set KAFKA_SASL_PASSWORD_FILE or KAFKA_SSL_KEY_PASSWORD_FILE.\n"),
    Call(
      arguments: ["topics", "list", "-X", "acks=1"], environment: nowhere, status: 1,
      messages: "Error: acks can't be set by -X: a record counts as written when all replicas in "
        + "sync have it, once and in its place. Leave it out.\n"),
    Call(
      arguments: ["topics", "list", "-X", "group.instance.id=a"], environment: nowhere, status: 1,
      messages:
        "Error: group.instance.id can't be set by -X: all workers of a service would be one "
        + "member of its group, of which only one can work. Leave it out.\n"),
    Call(
      arguments: ["topics", "list", "-X", "delivery.report.only.error=true"],
      environment: nowhere, status: 1,
      messages: "Error: delivery.report.only.error can't be set by -X: a record that nothing is "
        + "said about is waited for without end. Leave it out.\n"),
    Call(
      arguments: ["topics", "list", "-X", "\u{1b}[31m"], environment: nowhere, status: 2,
      messages: """
        Error: The value '\\u{1b}[31m' is not of the form key=value for '-X'.
        Usage: orderly topics list [--all] [--output <output>] [--partitions <n>] \
        [--replication-factor <n>] [--context <context>] [-X <key=value> ...] [--verbose] [--no-color]
          See 'orderly topics list --help' for more information.

        """),
    Call(
      arguments: ["topics", "list"], environment: ["ORDERLY_TOPICS": "/nonexistent"], status: 1,
      messages: "Error: /nonexistent: ORDERLY_TOPICS names this folder, but it has no manifests "
        + "(*.yaml)\n"),
    Call(
      arguments: ["topics", "verify"], environment: nowhere, status: 1,
      messages: "Error: Kafka can't be reached at 127.0.0.1:9: Local: Broker transport failure: "
        + "127.0.0.1:9/bootstrap: Connect to ipv4#127.0.0.1:9 failed: Connection refused. Is it "
        + "running? Check KAFKA_BOOTSTRAP_SERVERS or --context, or start 'orderly dev'.\n"),
    Call(
      arguments: ["group", "seek", "payments", "--to", "7", "--partition", "0"], status: 2,
      messages: """
        Error: An offset is one of a partition: give --topic and --partition too.
        \(seekUsage)
        """),
    Call(
      arguments: ["group", "seek", "payments", "--to", "end", "--topic", "payments.v1"], status: 2,
      messages: """
        Error: payments does not read payments.v1; it reads inventory.v1, fulfilment.v1.
        \(seekUsage)
        """),
    Call(
      arguments: ["group", "seek", "payments", "--to", "end", "--execute"], status: 2,
      messages: "Error: Say why with --reason TEXT: it is recorded.\n\(seekUsage)"),
    Call(
      arguments: ["db", "check"], status: 1,
      messages: "Error: It is not known where Postgres is. Set ORDERLY_DATABASE_URL, choose a "
        + "--context, or start 'orderly dev'.\n"),
    Call(
      arguments: ["db", "migrate"], environment: nowhere, status: 1,
      messages: "Error: postgresql://nobody@127.0.0.1:9/nothing can't be connected to: connection "
        + "to server at \"127.0.0.1\", port 9 failed: Connection refused. Is it running? Check "
        + "ORDERLY_DATABASE_URL or --context, or start 'orderly dev'.\n"),
    Call(
      arguments: ["db", "migrate"], environment: ["ORDERLY_DATABASE_URL": "mysql://secret@x"],
      status: 1,
      messages: "Error: ORDERLY_DATABASE_URL is not a Postgres URL: the connection URL cannot be "
        + "read: missing\n"),
  ]

  @Test(.timeLimit(.minutes(10)), arguments: calls)
  func messageAndStatusAreAsWritten(_ call: Call) async throws {
    let outcome = try await OrderlyProcess(environment: call.environment).run(call.arguments)
    #expect(outcome.status == call.status)
    #expect(outcome.output.isEmpty)
    #expect(outcome.messages == call.messages)
  }

  /// What the environment says goes before what a file says, also where the file is closer to the
  /// point.
  @Test(.timeLimit(.minutes(10))) func theEnvironmentWinsOverTheFile() async throws {
    try await withTemporaryFolder { folder in
      let file = folder.appending(path: "config.yaml")
      try """
      current-context: one
      contexts:
        one:
          database:
            orders-url: postgresql://file@127.0.0.1:9/file
        two:
          kafka:
            bootstrap-servers: 127.0.0.1:9
            properties:
              group.id: mine
      """.write(to: file, atomically: true, encoding: .utf8)
      var orderly = OrderlyProcess(environment: ["ORDERLY_CONFIG": file.path])
      let fromFile = try await orderly.run("get", "orders")
      #expect(fromFile.messages.hasPrefix("Error: postgresql://file@127.0.0.1:9/file can't be"))
      orderly.environment["ORDERLY_DATABASE_URL"] = "postgresql://given@127.0.0.1:9/given"
      let given = try await orderly.run("get", "orders")
      #expect(given.messages.hasPrefix("Error: postgresql://given@127.0.0.1:9/given can't be"))
      let ambiguous = try await orderly.run("topics", "list", "--context", "two")
      #expect(
        ambiguous.messages
          == "Error: ORDERLY_DATABASE_URL is set and would win over --context two: unset it.\n")
      orderly.environment["ORDERLY_DATABASE_URL"] = nil
      let refused = try await orderly.run("topics", "list", "--context", "two")
      #expect(
        refused.messages.hasPrefix(
          "Error: group.id can't be set by kafka.properties of the context two of \(file.path): "))
    }
  }

  @Test(.timeLimit(.minutes(10))) func theEmbeddedBrokerDeletesNoTopics() async throws {
    try await OwnServers.withMock { mock, orderly in
      let outcome = try await orderly.run("topics", "delete", "--yes")
      #expect(outcome.status == 1)
      #expect(outcome.output.isEmpty)
      #expect(
        outcome.messages
          == "Error: Kafka at \(mock.bootstrapServers) is the embedded broker, which deletes no "
          + "topics. End 'orderly dev' and start it anew: its topics are in memory.\n")
    }
  }

  @Test(.timeLimit(.minutes(10))) func nothingIsPublishedOfAFileWithAFault() async throws {
    let input = """
      {"orderId":"o-1","requestedAt":"2026-11-21T08:30:00Z"}
      {"orderId":"o 2","requestedAt":"2026-11-21T08:30:00Z"}
      {"orderId":"o-3","requestedAt":"yesterday"
      """
    try await OwnServers.withMock { mock, orderly in
      let outcome = try await orderly.run(
        "publish", "order.cancel-requested", "-f", "-", input: input)
      #expect(outcome.status == 1)
      #expect(outcome.output.isEmpty)
      #expect(
        outcome.messages == """
          line 2: orderId: must match the pattern ^[A-Za-z0-9_-]*$, is "o 2"
          line 3: byte 42: expected a comma or }
          Error: 2 of 3 events in standard input are not a valid order.cancel-requested. Nothing \
          has been published.

          """)
      let read = try await orderly.run("consume", "orders.v1", "-e")
      #expect(read.status == 0)
      #expect(read.output.isEmpty)
    }
  }
}
