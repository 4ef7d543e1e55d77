import Arguments
import Settings

/// The `orderly` command. One file under Commands/ for each subcommand: parse, validate, call,
/// print.
@main
struct Orderly: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "orderly",
    abstract: "Operate an order-processing fleet on Kafka and Postgres.",
    discussion: """
      Where Kafka and Postgres are is taken from the environment (KAFKA_BOOTSTRAP_SERVERS, \
      ORDERLY_DATABASE_URL), a --context of the configuration file, or a running 'orderly dev'.

      Data goes to standard output, progress and messages to standard error. Exit status: 0 ok, \
      1 failed, 2 usage, 3 partly done, 4 refused by a guard.
      """,
    version: OrderlyVersion.current,
    subcommands: [
      Audit.self,
      Database.self,
      DeadLetters.self,
      Describe.self,
      Dev.self,
      Get.self,
      Group.self,
      Outbox.self,
      Saga.self,
      TraceOrder.self,
      Topics.self,
      Publish.self,
      Consume.self,
      Doctor.self,
    ])
}
