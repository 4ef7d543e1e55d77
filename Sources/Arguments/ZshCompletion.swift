/// For zsh 5 with its completion system loaded.
func zshCompletionScript(_ name: String, _ nodes: [CompletionNode]) -> String {
  let function = name.functionName
  var lines = [
    "#compdef \(name)",
    "# zsh completion for \(name). Write it to a file _\(name) in a folder of $fpath.",
    "\(function)() {",
    "  local cur=${words[CURRENT]} prev=${words[CURRENT-1]}",
    "  local -a entries",
    "  if [[ $cur == --*=* ]]; then",
    "    prev=${cur%%=*}",
    "    compset -P '*='",
    "  fi",
  ]
  lines += walkingLoop(nodes, first: 2, until: "CURRENT", word: "${words[i]}")
  lines.append("  case \"$at $prev\" in")
  for node in nodes {
    for (patterns, definition) in node.valueOptions {
      lines.append("    \(patterns.casePattern) \(zshReply(definition)); return ;;")
    }
  }
  lines += ["  esac", "  if [[ $cur == -* ]]; then", "    case $at in"]
  for node in nodes {
    let entries = node.options.flatMap { option in
      option.names.map { entry("\($0)", option.help.abstract) }
    }
    lines.append("      \(node.path.shellQuoted)) entries=(\(entries.joined(separator: " "))) ;;")
  }
  lines += [
    "    esac", "    _describe -o option entries", "    return", "  fi", "  case $at in",
  ]
  for node in nodes {
    let entries = node.subcommands.map { entry($0._commandName, $0.configuration.abstract) }
    let reply =
      entries.isEmpty
      ? node.positionals.first.map(zshReply) ?? ":"
      : "entries=(\(entries.joined(separator: " "))); _describe command entries"
    lines.append("    \(node.path.shellQuoted)) \(reply) ;;")
  }
  lines += [
    "  esac", "}", "if [[ $funcstack[1] == _\(name) ]]; then", "  \(function) \"$@\"", "else",
    "  compdef \(function) \(name.shellQuoted)", "fi",
  ]
  return lines.joined(separator: "\n")
}

/// `name:description`, as `_describe` wants it.
private func entry(_ name: String, _ description: String) -> String {
  let escaped = name.split(separator: ":", omittingEmptySubsequences: false)
    .joined(separator: "\\:")
  return (description.isEmpty ? escaped : "\(escaped):\(description)").shellQuoted
}

private func zshReply(_ definition: ArgumentDefinition) -> String {
  switch definition.completion.base {
  case .default: ":"
  case .list(let words): "compadd -- \(words.map(\.shellQuoted).joined(separator: " "))"
  case .file: "_files"
  }
}
