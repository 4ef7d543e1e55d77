import Arguments
import Contracts
import Foundation
import Kafka
import Postgres
import Settings

/// The options that every command takes.
struct GlobalOptions: ParsableArguments {
  @Option(help: "A context of the configuration file.")
  var context: String?

  @Option(
    name: .customShort("X"),
    help: ArgumentHelp("A librdkafka property; may be repeated.", valueName: "key=value"))
  var properties: [String] = []

  @Flag(name: .shortAndLong, help: "Say more on standard error.")
  var verbose = false

  @Flag(name: .customLong("no-color"), help: "No colour, whatever the terminal can do.")
  var noColor = false

  mutating func validate() throws {
    for property in properties where !property.contains("=") {
      throw ValidationError("The value '\(property)' is not of the form key=value for '-X'.")
    }
  }

  /// Where Kafka and Postgres are.
  func settings() throws -> Settings {
    let pairs = properties.map { property in
      let parts = property.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (String(parts[0]), String(parts[1]))
    }
    return try Settings(
      environment: ProcessInfo.processInfo.environment, context: context,
      properties: Dictionary(pairs, uniquingKeysWith: { _, last in last }))
  }

  func kafka() throws -> KafkaConfiguration {
    try settings().kafka(clientID: "orderly-cli")
  }
}

/// Runs `body` on a connection of its own.
func withConnection<R: Sendable>(
  _ configuration: ConnectionConfiguration, _ body: @escaping @Sendable (Connection) throws -> R
) async throws -> R {
  let pool = Pool(configuration, maximum: 1)
  return try await running {
    try await pool.withConnection(body)
  } closing: {
    await pool.close()
  }
}
