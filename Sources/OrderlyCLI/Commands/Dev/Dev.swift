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
      mock cluster as the broker, and a worker process for each service, which is started again \
      when it ends by itself. While it runs, other orderly commands of the same user find it without \
      any settings. Of several the newest is found; --context dev-PID chooses one.

      Exits with 1 when the audit fails or the orders do not come to rest, and with 128 and the \
      number of the signal when it is interrupted before the audit is done.
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
    let isAllWell =
      try await interrupt.unlessItComes { [self] in
        postgresOnly ? try await runPostgres(interrupt) : try await runAll(interrupt)
      }
    guard let isAllWell else {
      printMessage(
        postgresOnly
          ? "Interrupted before Postgres was ready."
          : "Interrupted before the audit was done: whether all is well is not known.")
      throw ExitCode(await interrupt.exitStatus)
    }
    guard isAllWell else { throw ExitCode.failure }
  }

  /// Whether all went as it must.
  private func runAll(_ interrupt: Interruption) async throws -> Bool {
    let fleet = try await DevelopmentFleet.start(
      partitions: partitions, postgresSettings: postgresSettings
    ) { printMessage("  " + $0) }
    return try await running {
      let seed = self.seed ?? UInt64.random(in: 1...999_999)
      let isAllWell = try await DevelopmentRun(
        fleet: fleet, orders: orders, seed: seed, isKept: keep
      ).run(Style(options))
      if keep {
        printMessage("\nRunning until Ctrl-C. Try the commands above in another terminal.")
        await interrupt.wait()
        printMessage("")
      }
      return isAllWell
    } closing: {
      printMessage("Stopping.")
      await fleet.stop()
    }
  }

  private func runPostgres(_ interrupt: Interruption) async throws -> Bool {
    _ = DevelopmentFolder.sweep()
    let folder = try DevelopmentFolder.make()
    defer { folder.remove() }
    let postgres = try await ThrowAwayPostgres.start(in: folder.url, settings: postgresSettings)
    let result = Result { try writeData(postgres.url + "\n") }
    if case .success = result { await interrupt.wait() }
    await postgres.stop()
    try result.get()
    return true
  }
}
