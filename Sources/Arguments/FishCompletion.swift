/// For fish 3.
func fishCompletionScript(_ name: String, _ nodes: [CompletionNode]) -> String {
  let function = "_\(name.functionName)_at"
  var lines = [
    "# fish completion for \(name). Write it to ~/.config/fish/completions/\(name).fish",
    "function \(function)",
    "  set -l at \(nodes[0].path.fishQuoted)",
    "  set -l skip no",
    "  for word in (commandline -opc)[2..-1]",
    "    if test $skip = yes",
    "      set skip no",
    "      continue",
    "    end",
    "    switch \"$at $word\"",
  ]
  for node in nodes {
    if !node.subcommands.isEmpty {
      lines += ["      case \(node.subcommandPaths.fishWords)", "        set at \"$at $word\""]
    }
    let values = node.valueOptions.flatMap(\.patterns)
    if !values.isEmpty { lines += ["      case \(values.fishWords)", "        set skip yes"] }
  }
  lines += [
    "    end", "  end", "  test \"$at\" = \"$argv[1]\"", "end",
    "complete -c \(name.fishQuoted) -f",
  ]
  for node in nodes {
    let condition = "\(function) \(node.path.fishQuoted)".fishQuoted
    let start = "complete -c \(name.fishQuoted) -n \(condition)"
    for command in node.subcommands {
      lines.append(
        "\(start) -a \(command._commandName.fishQuoted)"
          + description(command.configuration.abstract))
    }
    for option in node.options {
      let names = option.names.map { name in
        switch name {
        case .short(let character): "-s \(String(character).fishQuoted)"
        case .long(let text): "-l \(text.fishQuoted)"
        }
      }
      let value = option.takesValue ? " -r\(fishReply(option))" : ""
      lines.append(
        "\(start) \(names.joined(separator: " "))\(value)" + description(option.help.abstract))
    }
    if node.subcommands.isEmpty, let first = node.positionals.first {
      let reply = fishReply(first)
      if reply != " -f" { lines.append("\(start)\(reply)") }
    }
  }
  return lines.joined(separator: "\n")
}

private func description(_ text: String) -> String {
  text.isEmpty ? "" : " -d \(text.fishQuoted)"
}

private func fishReply(_ definition: ArgumentDefinition) -> String {
  switch definition.completion.base {
  case .default: " -f"
  case .list(let words): " -f -a \(words.joined(separator: " ").fishQuoted)"
  case .file: " -F"
  }
}

extension String {
  /// Between single quotes, in which fish takes a backslash before a quote and before itself.
  fileprivate var fishQuoted: String {
    "'" + reduce(into: "") { $0 += $1 == "'" || $1 == "\\" ? "\\\($1)" : "\($1)" } + "'"
  }
}

extension [String] {
  fileprivate var fishWords: String { map(\.fishQuoted).joined(separator: " ") }
}
