import Arguments

struct Outbox: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look at what waits to be published.",
    subcommands: [OutboxStatus.self],
    examples: ["orderly outbox status"])
}
