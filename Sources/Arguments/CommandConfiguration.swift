/// What a command is called, and what its help says.
public struct CommandConfiguration: Sendable {
  /// The command's name; by default the type's name in kebab case.
  public var commandName: String?
  /// One line about the command.
  public var abstract: String
  /// More text for the help, under the abstract.
  public var discussion: String
  /// What `--version` prints; empty for no such flag. Subcommands inherit it.
  public var version: String
  /// The commands that follow this one's name.
  public var subcommands: [any ParsableCommand.Type]
  /// Calls of the command, shown as they are under EXAMPLES. Not in swift-argument-parser.
  public var examples: [String]

  /// Takes each part; see the properties for what is shown without it.
  public init(
    commandName: String? = nil, abstract: String = "", discussion: String = "",
    version: String = "", subcommands: [any ParsableCommand.Type] = [], examples: [String] = []
  ) {
    self.commandName = commandName
    self.abstract = abstract
    self.discussion = discussion
    self.version = version
    self.subcommands = subcommands
    self.examples = examples
  }
}
