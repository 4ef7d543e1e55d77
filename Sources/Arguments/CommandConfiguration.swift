/// What a command is called, and what its help says.
public struct CommandConfiguration: Sendable {
  /// The command's name; by default the type's name in kebab case.
  public var commandName: String?
  /// One line about the command.
  public var abstract: String
  /// Replaces the generated usage line; a line for each form.
  public var usage: String?
  /// More text for the help, under the abstract.
  public var discussion: String
  /// What `--version` prints; empty for no such flag. Subcommands inherit it.
  public var version: String
  /// Whether the parent's help lists the command.
  public var shouldDisplay: Bool
  /// The commands that follow this one's name.
  public var subcommands: [any ParsableCommand.Type]
  /// The subcommand that runs when none is named.
  public var defaultSubcommand: (any ParsableCommand.Type)?
  /// Other names that the command answers to.
  public var aliases: [String]
  /// Calls of the command, shown as they are under EXAMPLES. Not in swift-argument-parser.
  public var examples: [String]

  /// Takes each part; see the properties for what is shown without it.
  public init(
    commandName: String? = nil, abstract: String = "", usage: String? = nil,
    discussion: String = "", version: String = "", shouldDisplay: Bool = true,
    subcommands: [any ParsableCommand.Type] = [],
    defaultSubcommand: (any ParsableCommand.Type)? = nil, aliases: [String] = [],
    examples: [String] = []
  ) {
    self.commandName = commandName
    self.abstract = abstract
    self.usage = usage
    self.discussion = discussion
    self.version = version
    self.shouldDisplay = shouldDisplay
    self.subcommands = subcommands
    self.defaultSubcommand = defaultSubcommand
    self.aliases = aliases
    self.examples = examples
  }
}
