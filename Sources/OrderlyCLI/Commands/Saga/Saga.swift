import Arguments

/// `orderly saga`: one order over all services.
struct Saga: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "saga",
    abstract: "Let an order that has stopped go on, or bring it back.",
    subcommands: [SagaRetry.self, SagaCompensate.self],
    examples: [
      "orderly saga retry s42-000017 --reason 'provider is back'",
      "orderly saga compensate s42-000017 --dry-run",
    ])
}
