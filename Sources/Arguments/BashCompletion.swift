/// Written for bash 3.2 and later, without the bash-completion package.
func bashCompletionScript(_ name: String, _ nodes: [CompletionNode]) -> String {
  let function = name.functionName
  var lines = [
    "# bash completion for \(name). Put it into ~/.bashrc, or evaluate it:",
    "#   eval \"$(\(name) --generate-completion-script bash)\"",
    "\(function)() {",
    "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}",
    "  # bash makes three words of --name=value.",
    "  if [[ $cur == '=' ]]; then",
    "    cur=''",
    "  elif [[ $prev == '=' && $COMP_CWORD -gt 1 ]]; then",
    "    prev=${COMP_WORDS[COMP_CWORD-2]}",
    "  fi",
  ]
  lines += walkingLoop(nodes, first: 1, until: "COMP_CWORD", word: "${COMP_WORDS[i]}")
  lines += ["  COMPREPLY=()", "  case \"$at $prev\" in"]
  for node in nodes {
    for (patterns, definition) in node.valueOptions {
      lines.append("    \(patterns.casePattern) \(bashReply(definition)); return ;;")
    }
  }
  lines += ["  esac", "  if [[ $cur == -* ]]; then", "    case $at in"]
  for node in nodes {
    let reply = bashWords(node.optionNames)
    lines.append("      \(node.path.shellQuoted)) \(reply) ;;")
  }
  lines += ["    esac", "    return", "  fi", "  case $at in"]
  for node in nodes {
    let names = node.subcommands.map { $0._commandName }
    let reply = names.isEmpty ? node.positionals.first.map(bashReply) : bashWords(names)
    lines.append("    \(node.path.shellQuoted)) \(reply ?? ":") ;;")
  }
  lines += ["  esac", "}", "complete -o filenames -F \(function) \(name.shellQuoted)"]
  return lines.joined(separator: "\n")
}

private func bashWords(_ words: [String]) -> String {
  "COMPREPLY=($(compgen -W \(words.joined(separator: " ").shellQuoted) -- \"$cur\"))"
}

private func bashReply(_ definition: ArgumentDefinition) -> String {
  switch definition.completion.base {
  case .default: ":"
  case .list(let words): bashWords(words)
  case .file: "COMPREPLY=($(compgen -f -- \"$cur\"))"
  }
}
