import Arguments

struct DeadLetters: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dlq", abstract: "Look at the messages that a service could not handle.",
    subcommands: [DeadLettersList.self, DeadLettersShow.self, DeadLettersSummary.self],
    examples: [
      "orderly dlq summary",
      "orderly dlq list --service payments --reason provider-unavailable",
      "orderly dlq show 3f2a91c0 --payload",
    ])
}
