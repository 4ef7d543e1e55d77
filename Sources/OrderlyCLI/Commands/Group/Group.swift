import Arguments

struct Group: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Change what a service's consumer group does.",
    subcommands: [GroupSeek.self],
    examples: ["orderly group seek payments --to start"])
}
