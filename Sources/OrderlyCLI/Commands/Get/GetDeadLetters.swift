import Arguments

struct GetDeadLetters: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dlq", abstract: "List dead letters, as 'orderly dlq list' does.",
    examples: ["orderly get dlq --service payments", "orderly get dlq -w"])

  @OptionGroup var options: DeadLetterListOptions
  @OptionGroup var list: ListOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    try await list.show("dead letters") { try await options.table(global) }
  }
}
