import Arguments

/// `orderly saga`: one order over all services.
struct Saga: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "saga",
    abstract: "See how far an order has come, let it go on, or bring it back.",
    subcommands: [SagaShow.self, SagaRetry.self, SagaCompensate.self],
    examples: [
      "orderly saga show s42-000017",
      "orderly saga retry s42-000017 --reason 'provider is back'",
      "orderly saga compensate s42-000017 --dry-run",
    ])
}
