/// The help of one command, laid out as swift-argument-parser does.
struct HelpText {
  /// Where the descriptions begin.
  static let labelWidth = 26

  /// The root command first, the one to explain last.
  let stack: [any ParsableCommand.Type]

  struct Entry {
    var label: String
    var description: String
    var discussion = ""
  }

  private var command: any ParsableCommand.Type { stack[stack.count - 1] }
  private var configuration: CommandConfiguration { command.configuration }

  /// The arguments to show, with those that every command has.
  var definitions: [ArgumentDefinition] {
    let own = ArgumentSet(command).definitions
    return own + builtIns(besides: own)
  }

  private func builtIns(besides own: [ArgumentDefinition]) -> [ArgumentDefinition] {
    let taken = Set(own.flatMap(\.names))
    var builtIns: [(names: [Name], abstract: ArgumentHelp)] = []
    if stack.version != nil { builtIns.append(([.long("version")], "Show the version.")) }
    builtIns.append(([.short("h"), .long("help")], "Show help information."))
    return builtIns.compactMap { names, help in
      let free = names.filter { !taken.contains($0) }
      guard !free.isEmpty else { return nil }
      return ArgumentDefinition(
        key: ArgumentKey(owner: command, property: ""), kind: .flag, names: free, help: help,
        recipe: ValueRecipe(
          initial: ParsedValue(value: false), update: { _, _ in }))
    }
  }

  /// The usage, without the word.
  var usage: String {
    var parts = [stack.joinedName]
    let shown = ArgumentSet(command).definitions
    if shown.count > 12 {
      // A line of everything helps nobody: name what must be given.
      parts.append("[<options>]")
      parts += shown.filter { $0.kind == .positional || !$0.isOptional }.map(\.usage)
    } else {
      parts += shown.map(\.usage)
    }
    if !configuration.subcommands.isEmpty { parts.append("<subcommand>") }
    return parts.joined(separator: " ")
  }

  func rendered(columns: Int) -> String {
    var overview = configuration.abstract
    if !configuration.discussion.isEmpty {
      overview += (overview.isEmpty ? "" : "\n\n") + configuration.discussion
    }
    var blocks: [String] = []
    if !overview.isEmpty { blocks.append("OVERVIEW: \(overview)".wrapped(to: columns)) }
    blocks.append("USAGE: \(usage)")
    blocks += sections().map { title, entries in
      let lines = entries.map { $0.rendered(columns: columns) }
      return "\(title.uppercased()):\n" + lines.joined(separator: "\n")
    }
    if !configuration.examples.isEmpty {
      blocks.append(
        "EXAMPLES:\n"
          + configuration.examples.map { "  " + $0.indented(by: 2) }.joined(separator: "\n"))
    }
    if !configuration.subcommands.isEmpty {
      let names = [stack[0]._commandName, "help"] + stack.dropFirst().map { $0._commandName }
      blocks.append("  See '\(names.joined(separator: " ")) <subcommand>' for detailed help.")
    }
    return blocks.joined(separator: "\n\n")
  }

  /// Positional arguments, titled groups, options, subcommands; only those that have entries.
  private func sections() -> [(title: String, entries: [Entry])] {
    var positionals: [Entry] = []
    var options: [Entry] = []
    var titled: [(title: String, entries: [Entry])] = []
    for definition in definitions {
      let entry = Entry(of: definition)
      let title = definition.sectionTitle
      if !title.isEmpty {
        if let index = titled.firstIndex(where: { $0.title == title }) {
          titled[index].entries.append(entry)
        } else {
          titled.append((title, [entry]))
        }
      } else if definition.kind == .positional {
        positionals.append(entry)
      } else {
        options.append(entry)
      }
    }
    let all =
      [("Arguments", positionals)] + titled + [("Options", options)]
      + [("Subcommands", subcommandEntries())]
    return all.filter { !$0.1.isEmpty }
  }

  private func subcommandEntries() -> [Entry] {
    configuration.subcommands.map {
      Entry(label: $0._commandName, description: $0.configuration.abstract)
    }
  }
}

extension HelpText.Entry {
  fileprivate init(of definition: ArgumentDefinition) {
    switch definition.kind {
    case .positional: label = definition.synopsis
    case .flag, .option:
      let names = definition.names.shortFirst.map(\.description).joined(separator: ", ")
      label = definition.takesValue ? "\(names) <\(definition.valueName)>" : names
    }

    var notes: [String] = []
    let allowed = definition.recipe.allowedValues
    if !allowed.isEmpty { notes.append("values: \(allowed.joined(separator: ", "))") }
    if let standard = definition.recipe.defaultDescription, !standard.isEmpty {
      notes.append("default: \(standard)")
    }
    let note = notes.isEmpty ? "" : "(\(notes.joined(separator: "; ")))"
    description = [definition.help.abstract, note].filter { !$0.isEmpty }.joined(separator: " ")
    discussion = definition.help.discussion
  }

  fileprivate func rendered(columns: Int) -> String {
    var text = "  " + label
    if !description.isEmpty {
      let body = description.wrapped(to: columns, indent: HelpText.labelWidth)
      text +=
        text.count < HelpText.labelWidth ? String(body.dropFirst(text.count)) : "\n" + body
    }
    if !discussion.isEmpty { text += "\n" + discussion.wrapped(to: columns, indent: 8) }
    return text
  }
}
