import FleetPostgres

extension LetterChange {
  /// Changes letters one after the other, until Ctrl-C, and prints what was done: the letter under
  /// way is still changed then, and those after it stay as they are.
  static func each(
    _ rows: [DeadLetterRow], _ participle: String, _ output: OutputFormat,
    _ change: (DeadLetterRow) async -> LetterChange
  ) async -> MutationResult {
    let interruption = Interruption()
    return await each(rows, participle, output, change, until: { interruption.hasCome })
  }

  /// The same, until somebody says so.
  static func each(
    _ rows: [DeadLetterRow], _ participle: String, _ output: OutputFormat,
    _ change: (DeadLetterRow) async -> LetterChange, until isInterrupted: () -> Bool
  ) async -> MutationResult {
    var changes: [LetterChange] = []
    for row in rows {
      if isInterrupted() { break }
      changes.append(await change(row))
    }
    let result = report(changes, participle, output)
    let left = rows.count - changes.count
    guard left > 0 else { return result }
    let summary = "\(result.summary); interrupted before the other \(left)"
    printMessage("\(summary).")
    let isAny = changes.contains { [.done, .partlyDone].contains($0.outcome) }
    return MutationResult(outcome: isAny ? .partlyDone : .failed, summary: summary)
  }
}
