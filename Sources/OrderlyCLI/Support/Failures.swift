import Arguments

/// A command's own exit statuses, by the conventions of the manual.
extension ExitCode {
  /// Some of it was done.
  static let partlyDone = ExitCode(3)
  /// A guard refused it.
  static let refused = ExitCode(4)
}

/// Something that went wrong, in a sentence that says what, where and what to do.
struct CommandFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}

extension ExitCode {
  /// Says on standard error why a guard refuses a command; the status is to be thrown.
  static func refused(_ reason: String) -> ExitCode {
    printMessage("Error: \(reason)")
    return .refused
  }
}

/// `1 topic`, `3 topics`.
func counted(_ number: Int, _ noun: String) -> String {
  "\(number) \(noun)\(number == 1 ? "" : "s")"
}
