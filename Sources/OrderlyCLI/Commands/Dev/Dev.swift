import Arguments
import Contracts
import Foundation

/// `orderly dev`: everything in one terminal.
struct Dev: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dev",
    abstract: "Run Postgres, an embedded broker and all workers here, and send orders through.",
    discussion: """
      Everything is thrown away at the end: a Postgres server in a temporary folder, librdkafka's \
      mock cluster as the broker, and a worker process for each service. While it runs, other \
      orderly commands of the same user find it without any settings.
      """,
    examples: [
      "orderly dev",
      "orderly dev --orders 1000 --seed 42",
      "orderly dev --keep",
    ])

  @OptionGroup var options: GlobalOptions

  @Option(help: "How many orders to publish.")
  var orders = 300

  @Option(help: "Makes the orders: the same seed, the same orders; random if not given.")
  var seed: UInt64?

  @Option(help: "Partitions of each topic.")
  var partitions: Int32 = 6

  @Flag(help: "Leave everything running until Ctrl-C.")
  var keep = false

  @Flag(
    name: .customLong("postgres-only"),
    help: "Run nothing but the database: prints its URL, and runs until Ctrl-C.")
  var postgresOnly = false

  @Option(
    name: .customLong("postgres-setting"),
    help: ArgumentHelp(
      "A setting of the database server; may be repeated.", valueName: "name=value"))
  var postgresSettings: [String] = []

  mutating func validate() throws {
    guard (0...100_000).contains(orders) else {
      throw ValidationError("'--orders' must be 0 to 100000.")
    }
    guard (1...64).contains(partitions) else {
      throw ValidationError("'--partitions' must be 1 to 64.")
    }
  }

  mutating func run() async throws {
    let interrupt = Interruption()
    if postgresOnly { return try await runPostgres(interrupt) }
    let isAllWell = try await interrupt.unlessItComes { [self] in try await runAll(interrupt) }
    if isAllWell == false { throw ExitCode.failure }
  }

  /// Whether all went as it must.
  private func runAll(_ interrupt: Interruption) async throws -> Bool {
    let fleet = try await DevelopmentFleet.start(
      partitions: partitions, postgresSettings: postgresSettings
    ) { printMessage("  " + $0) }
    let result: Result<Bool, any Error>
    do {
      let seed = self.seed ?? UInt64.random(in: 1...999_999)
      let isAllWell = try await DevelopmentRun(fleet: fleet, orders: orders, seed: seed)
        .run(Style(options))
      if keep {
        printMessage("\nRunning until Ctrl-C. Try the commands above in another terminal.")
        await interrupt.wait()
        printMessage("")
      }
      result = .success(isAllWell)
    } catch {
      result = .failure(error)
    }
    printMessage("Stopping.")
    await fleet.stop()
    return try result.get()
  }

  private func runPostgres(_ interrupt: Interruption) async throws {
    let directory = try DevelopmentFleet.temporaryDirectory()
    defer { try? FileManager.default.removeItem(at: directory) }
    let settings = postgresSettings
    _ = try await interrupt.unlessItComes {
      let postgres = try await ThrowAwayPostgres.start(in: directory, settings: settings)
      printData(postgres.url + "\n")
      await interrupt.wait()
      await postgres.stop()
    }
  }
}
