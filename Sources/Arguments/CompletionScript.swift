/// A command with all that can be completed after its name. The scripts walk the words of the line
/// to find the command they are in, as the parser does, and then look up what it takes.
struct CompletionNode {
  /// `orderly dlq list`.
  let path: String
  /// The options and flags of the command and its parents.
  let options: [ArgumentDefinition]
  let positionals: [ArgumentDefinition]
  let subcommands: [any ParsableCommand.Type]

  /// All commands, each before its subcommands.
  static func all(
    _ stack: [any ParsableCommand.Type], inherited: [ArgumentDefinition] = []
  ) -> [CompletionNode] {
    guard let command = stack.last else { return [] }
    let definitions = HelpText(stack: stack).definitions
    var options = definitions.filter { !$0.names.isEmpty }
    let own = Set(options.flatMap(\.names))
    options += inherited.filter { own.isDisjoint(with: $0.names) }
    let subcommands = command.configuration.subcommands
    let node = CompletionNode(
      path: stack.joinedName,
      options: options, positionals: definitions.filter { $0.kind == .positional },
      subcommands: subcommands)
    return [node] + subcommands.flatMap { all(stack + [$0], inherited: options) }
  }

  /// `orderly publish --file`, for each spelling of each option that takes a value.
  var valueOptions: [(patterns: [String], definition: ArgumentDefinition)] {
    options.filter(\.takesValue).map { option in
      (option.names.map { "\(path) \($0)" }, option)
    }
  }

  /// `orderly dlq list`, for each subcommand of `orderly dlq`.
  var subcommandPaths: [String] { subcommands.map { "\(path) \($0._commandName)" } }

  var optionNames: [String] { options.flatMap(\.names).map(\.description) }
}

/// What `--generate-completion-script` prints.
func completionScript(for shell: CompletionShell, root: any ParsableCommand.Type) -> String {
  let nodes = CompletionNode.all([root])
  let name = root._commandName
  return switch shell {
  case .zsh: zshCompletionScript(name, nodes)
  case .fish: fishCompletionScript(name, nodes)
  default: bashCompletionScript(name, nodes)
  }
}

extension String {
  /// Between single quotes, for bash and zsh.
  var shellQuoted: String {
    "'" + split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }

  /// With all that a function's name cannot have replaced by `_`.
  var functionName: String {
    "_"
      + String(map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
  }
}

extension [String] {
  /// The pattern of a `case` branch that matches any of these.
  var casePattern: String { map(\.shellQuoted).joined(separator: "|") + ")" }
}

/// The loop that bash and zsh share: it leaves the command that the cursor is in in `at`.
///
/// - Parameter word: the shell's expression for word `i`.
func walkingLoop(_ nodes: [CompletionNode], first: Int, until end: String, word: String) -> [String]
{
  let subject = "$at \(word)"
  var lines = [
    "  local at=\(nodes[0].path.shellQuoted) i=\(first)",
    "  while ((i < \(end))); do",
    "    case \"\(subject)\" in",
  ]
  for node in nodes {
    if !node.subcommands.isEmpty {
      lines.append("      \(node.subcommandPaths.casePattern) at=\"\(subject)\" ;;")
    }
    let values = node.valueOptions.flatMap(\.patterns)
    if !values.isEmpty { lines.append("      \(values.casePattern) i=$((i + 1)) ;;") }
  }
  return lines + ["    esac", "    i=$((i + 1))", "  done"]
}
