import Arguments

struct DescribeDeadLetter: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dlq", abstract: "Show a dead letter, as 'orderly dlq show' does.",
    examples: ["orderly describe dlq 3f2a91c0"])

  @OptionGroup var command: DeadLettersShow

  func run() async throws { try await command.run() }
}
