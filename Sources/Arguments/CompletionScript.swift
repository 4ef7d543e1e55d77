func completionScript(for shell: CompletionShell, root: any ParsableCommand.Type) -> String { "" }
