import Arguments

struct Saga: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look at how far an order has come, and what keeps it.",
    subcommands: [SagaShow.self],
    examples: ["orderly saga show s42-000017"])
}
