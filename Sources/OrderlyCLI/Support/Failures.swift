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
