/// What the user is told about an error, and the status that the process ends with.
struct Message {
  /// One sentence, or the help.
  var brief: String
  /// All that is printed; may be empty.
  var full: String
  var exitCode: ExitCode

  init(for error: any Error, root: any ParsableCommand.Type, columns: Int) {
    let error = error as? CommandError ?? CommandError(stack: [root], reason: .thrown(error))
    let stack = error.stack
    switch error.reason {
    case .helpRequested:
      self.init(success: HelpText(stack: stack).rendered(columns: columns))
    case .versionRequested:
      self.init(success: stack.version ?? "")
    case .completionScriptRequested(let shell):
      self.init(success: completionScript(for: shell, root: root))
    case .thrown(let thrown):
      self.init(thrown: thrown, stack: stack, root: root, columns: columns)
    case let reason:
      self.init(usage: reason.message, hint: reason.hint, stack: stack, root: root)
    }
  }

  private init(
    thrown error: any Error, stack: [any ParsableCommand.Type], root: any ParsableCommand.Type,
    columns: Int
  ) {
    switch error {
    case let error as ParserError:
      self.init(
        for: CommandError(stack: stack, reason: error), root: root, columns: columns)
    case let error as ValidationError:
      self.init(usage: error.message, hint: nil, stack: stack, root: root)
    case CleanExit.message(let text):
      self.init(success: text)
    case CleanExit.helpRequest(let command):
      let target = command.flatMap { root.path(to: $0) } ?? stack
      self.init(success: HelpText(stack: target).rendered(columns: columns))
    case let code as ExitCode:
      self.init(brief: "", full: "", exitCode: code)
    default:
      let text = String(describing: error)
      self.init(brief: text, full: "Error: \(text)", exitCode: .failure)
    }
  }

  private init(success text: String) { self.init(brief: text, full: text, exitCode: .success) }

  private init(brief: String, full: String, exitCode: ExitCode) {
    self.brief = brief
    self.full = full
    self.exitCode = exitCode
  }

  private init(
    usage message: String, hint: String?, stack: [any ParsableCommand.Type],
    root: any ParsableCommand.Type
  ) {
    let full = """
      Error: \(message)
      \(hint.map { "Help:  \($0)\n" } ?? "")\
      Usage: \(HelpText(stack: stack).usage)
        See '\(stack.joinedName) --help' for more information.
      """
    self.init(brief: message, full: full, exitCode: root.usageErrorExitCode)
  }
}

extension ParsableCommand {
  /// The commands from this one down to `command`.
  fileprivate static func path(
    to command: any ParsableCommand.Type
  ) -> [any ParsableCommand.Type]? {
    if self == command { return [self] }
    return configuration.subcommands.lazy.compactMap { $0.path(to: command) }.first
      .map { [self] + $0 }
  }
}

extension ParserError {
  /// The sentence after "Error: ".
  fileprivate var message: String {
    switch self {
    case .helpRequested, .versionRequested, .completionScriptRequested, .thrown: return ""
    case .unsupportedShell(let shell):
      let shells = CompletionShell.allCases.map(\.rawValue).joined(separator: " ")
      let problem = shell.map { "Can't generate completion scripts for '\($0)'." }
      return """
        \(problem ?? "Missing value for '--generate-completion-script <shell>'.")
        Please use --generate-completion-script=<shell> with one of:
            \(shells)
        """
    case .unknownOption(let name, let suggestion):
      return "Unknown option '\(name)'" + (suggestion.map { ". Did you mean '\($0)'?" } ?? "")
    case .missingValue(let name, let definition):
      return "Missing value for '\(definition.synopsis(of: name))'"
    case .unexpectedValue(let name, let value):
      return "The option '\(name)' does not take any value, but '\(value)' was specified."
    case .unexpectedArguments(let words, let suggestion):
      guard words.count == 1 else {
        return "\(words.count) unexpected arguments: '\(words.joined(separator: "', '"))'"
      }
      return "Unexpected argument '\(words[0])'"
        + (suggestion.map { ". Did you mean '\($0)'?" } ?? "")
    case .missingArgument(let definition):
      return "Missing expected argument '\(definition.repeatedSynopsis)'"
    case .invalidValue(let value, let source, let definition, let reason):
      let place = definition.synopsis(of: source ?? definition.names.preferred)
      let detail = reason.map { ": \($0)" } ?? definition.allowedValuesHint
      return "The value '\(value)' is invalid for '\(place)'\(detail)"
    }
  }

  /// The line after "Help: ": what the argument is that the error is about.
  fileprivate var hint: String? {
    let definition: ArgumentDefinition
    var name: Name?
    switch self {
    case .missingValue(let given, let found): (name, definition) = (given, found)
    case .invalidValue(_, let given, let found, _): (name, definition) = (given, found)
    case .missingArgument(let missing): definition = missing
    default: return nil
    }
    guard !definition.help.abstract.isEmpty else { return nil }
    let place = definition.synopsis(of: name ?? definition.names.preferred)
    return "\(place)  \(definition.help.abstract)"
  }
}

extension ArgumentDefinition {
  fileprivate var allowedValuesHint: String {
    let values = recipe.allowedValues
    guard let last = values.last else { return "" }
    guard values.count < 6 else {
      return ". Please provide one of the following:\n"
        + values.map { "  - \($0)" }.joined(separator: "\n")
    }
    let quoted = values.map { "'\($0)'" }
    guard quoted.count > 2 else {
      return ". Please provide one of \(quoted.joined(separator: " and "))."
    }
    return
      ". Please provide one of \(quoted.dropLast().joined(separator: ", ")) or '\(last)'."
  }
}
