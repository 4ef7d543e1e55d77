import Arguments

/// A command's own exit statuses, beside 0 for done, 1 for failed, 2 for a wrong command line, and
/// 128 and more for a signal's number.
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
