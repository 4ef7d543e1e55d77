/// Reads a command line from left to right.
///
/// A word that names a subcommand opens the next level. An option belongs to the innermost level
/// that declares it, so options of a parent may follow the subcommand's name.
struct CommandParser {
  struct Level {
    let type: any ParsableCommand.Type
    let arguments: ArgumentSet
    /// The positional arguments that have no word yet; an array stays in front.
    var positionals: ArraySlice<ArgumentDefinition>

    init(_ type: any ParsableCommand.Type) {
      self.type = type
      arguments = ArgumentSet(type)
      positionals = arguments.positionals[...]
    }
  }

  private var levels: [Level]
  private var words: ArraySlice<String>
  private var values: [ArgumentKey: ParsedValue] = [:]
  private var unexpected: [String] = []

  private init(_ root: any ParsableCommand.Type, _ arguments: [String]) {
    levels = [Level(root)]
    words = arguments[...]
  }

  private var level: Level { levels[levels.count - 1] }
  private var configuration: CommandConfiguration { level.type.configuration }
  private var stack: [any ParsableCommand.Type] { levels.map(\.type) }

  /// - Throws: `CommandError`.
  static func parse(
    _ root: any ParsableCommand.Type, _ arguments: [String]
  ) throws -> (command: any ParsableCommand, stack: [any ParsableCommand.Type]) {
    var parser = CommandParser(root, arguments)
    do {
      try parser.readWords()
    } catch let error as ParserError {
      // Somebody who asks for help gets it, whatever else is wrong with the line.
      let wantsHelp = parser.words.prefix { $0 != "--" }.contains { parser.isHelp($0) }
      throw CommandError(stack: parser.stack, reason: wantsHelp ? .helpRequested : error)
    }
    return (try parser.makeCommand(), parser.stack)
  }

  private mutating func readWords() throws {
    while let word = words.popFirst() {
      switch Word(word, isShortOption: { definition(named: .short($0)) != nil }) {
      case .terminator:
        while let value = words.popFirst() { try takePositional(value) }
      case .value(let value): try takeValue(value)
      case .long(let name, let value): try takeLong(name, value)
      case .short(let cluster): try takeShort(cluster)
      }
    }
    if !unexpected.isEmpty {
      let names = level.positionals.isEmpty ? configuration.subcommands.map { $0._commandName } : []
      throw ParserError.unexpectedArguments(
        unexpected, suggestion: names.closest(to: unexpected[0]))
    }
  }

  /// Builds and validates the command and its parents, the root first.
  private func makeCommand() throws -> any ParsableCommand {
    var command: (any ParsableCommand)?
    for (index, level) in levels.enumerated() {
      let decoder = ArgumentDecoder(owner: level.type, arguments: level.arguments, values: values)
      do {
        var decoded = try level.type.init(from: decoder)
        do { try decoded.validate() } catch { throw ParserError.thrown(error) }
        command = decoded
      } catch {
        let reason = error as? ParserError ?? .thrown(error)
        throw CommandError(stack: Array(stack[...index]), reason: reason)
      }
    }
    guard let command else { preconditionFailure("A parser has at least its root level.") }
    return command
  }

  // MARK: - Values

  private mutating func takeValue(_ word: String) throws {
    let subcommands = configuration.subcommands
    if let next = subcommands.first(where: { $0._commandName == word }) {
      levels.append(Level(next))
    } else if word == "help", levels.count == 1, !subcommands.isEmpty {
      try requestHelp()
    } else {
      try takePositional(word)
    }
  }

  private mutating func takePositional(_ word: String) throws {
    guard let definition = level.positionals.first else {
      unexpected.append(word)
      return
    }
    if !definition.recipe.isRepeating { levels[levels.count - 1].positionals.removeFirst() }
    try store(word, in: definition, name: nil)
  }

  /// `orderly help dlq list`.
  private mutating func requestHelp() throws {
    while let word = words.popFirst(), !word.hasPrefix("-") {
      let subcommands = configuration.subcommands
      guard let next = subcommands.first(where: { $0._commandName == word }) else {
        throw ParserError.unexpectedArguments(
          [word], suggestion: subcommands.map { $0._commandName }.closest(to: word))
      }
      levels.append(Level(next))
    }
    throw ParserError.helpRequested
  }

  // MARK: - Options

  private func definition(named name: Name) -> ArgumentDefinition? {
    levels.reversed().lazy.compactMap { $0.arguments.definition(named: name) }.first
  }

  private mutating func takeLong(_ text: String, _ value: String?) throws {
    let name = Name.long(text)
    if let definition = definition(named: name) {
      if definition.takesValue {
        try takeOption(definition, name, value)
      } else if let value {
        throw ParserError.unexpectedValue(name, value)
      } else {
        try store("", in: definition, name: name)
      }
    } else if isHelp("--\(text)") {
      throw ParserError.helpRequested
    } else if name == .long("version"), stack.version != nil {
      throw ParserError.versionRequested
    } else if text == "generate-completion-script", levels.count == 1 {
      let shell = value ?? words.popFirst()
      guard let known = shell.flatMap(CompletionShell.init(rawValue:)) else {
        throw ParserError.unsupportedShell(shell)
      }
      throw ParserError.completionScriptRequested(known)
    } else {
      throw unknownOption(name)
    }
  }

  /// `-v`, `-vq`, `-n5`, `-n=5`, `-vn5`.
  private mutating func takeShort(_ cluster: String) throws {
    var rest = cluster[...]
    while let character = rest.popFirst() {
      let name = Name.short(character)
      if let definition = definition(named: name) {
        guard definition.takesValue else {
          if rest.first == "=" { throw ParserError.unexpectedValue(name, String(rest.dropFirst())) }
          try store("", in: definition, name: name)
          continue
        }
        if rest.first == "=" { rest = rest.dropFirst() }
        let attached = rest.endIndex == cluster.endIndex && rest.isEmpty ? nil : String(rest)
        return try takeOption(definition, name, attached)
      } else if isHelp("-\(character)") {
        throw ParserError.helpRequested
      } else {
        throw unknownOption(name)
      }
    }
  }

  private mutating func takeOption(
    _ definition: ArgumentDefinition, _ name: Name, _ attached: String?
  ) throws {
    if let attached { return try store(attached, in: definition, name: name) }
    guard let next = words.first, isValue(next) else {
      throw ParserError.missingValue(name, definition)
    }
    words = words.dropFirst()
    try store(next, in: definition, name: name)
  }

  private func isValue(_ word: String) -> Bool {
    switch Word(word, isShortOption: { definition(named: .short($0)) != nil }) {
    case .value: true
    case .long, .short, .terminator: false
    }
  }

  private mutating func store(
    _ text: String, in definition: ArgumentDefinition, name: Name?
  ) throws {
    do {
      try definition.recipe.update(&values[definition.key], text)
    } catch let error as InvalidValue {
      throw ParserError.invalidValue(text, source: name, definition, reason: error.reason)
    }
  }

  private func unknownOption(_ name: Name) -> ParserError {
    guard !name.isShort else { return .unknownOption(name, suggestion: nil) }
    let known = levels.flatMap { $0.arguments.definitions }.flatMap(\.names)
      .filter { !$0.isShort }.map(\.description)
    return .unknownOption(name, suggestion: (known + ["--help"]).closest(to: name.description))
  }

  /// Whether `word` asks for help; a command may declare `-h` or `--help` for itself.
  private func isHelp(_ word: String) -> Bool {
    switch word {
    case "-h": definition(named: .short("h")) == nil
    case "--help": definition(named: .long("help")) == nil
    default: false
    }
  }
}

extension [any ParsableCommand.Type] {
  /// What `--version` prints for the last command: its own version, or the nearest parent's.
  var version: String? { reversed().map { $0.configuration.version }.first { !$0.isEmpty } }

  /// `orderly dlq list`.
  var joinedName: String { map { $0._commandName }.joined(separator: " ") }
}
