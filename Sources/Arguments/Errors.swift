/// Values that do not fit together. Thrown by `validate()` or `run()`, it is shown with the usage,
/// and the process exits as after any mistake in the command line.
public struct ValidationError: Error, Sendable, CustomStringConvertible {
  /// What is wrong, and what to give instead.
  public var message: String
  /// The message.
  public var description: String { message }

  /// Takes a sentence for the user.
  public init(_ message: String) { self.message = message }
}

/// Ends a command without having failed.
public enum CleanExit: Error, Sendable {
  /// Prints the help of the command, or of the one that failed to say more, and exits with 0.
  case helpRequest((any ParsableCommand.Type)? = nil)
  /// Prints the text to standard output and exits with 0.
  case message(String)

  /// Prints the help of `command` and exits with 0.
  public static func helpRequest(_ command: some ParsableCommand) -> CleanExit {
    .helpRequest(type(of: command))
  }
}

/// The status that a process ends with. Thrown by `run()` it ends the process and prints nothing,
/// so the command says why before it throws.
public struct ExitCode: Error, Sendable, Hashable, RawRepresentable {
  /// The status, 0 to 255.
  public var rawValue: Int32

  /// Takes a status, 0 to 255.
  public init(rawValue: Int32) { self.rawValue = rawValue }
  /// Takes a status, 0 to 255.
  public init(_ code: Int32) { rawValue = code }

  /// 0: all is done.
  public static let success = ExitCode(0)
  /// 1: the command failed.
  public static let failure = ExitCode(1)
  /// 2: the command line is wrong, as shells and getopt programs have it. It is 64 in
  /// swift-argument-parser. See `ParsableArguments.usageErrorExitCode`.
  public static let validationFailure = ExitCode(2)

  /// Whether it is 0.
  public var isSuccess: Bool { self == .success }
}

/// A shell for which `--generate-completion-script` writes a script.
public struct CompletionShell: RawRepresentable, Sendable, Hashable, CaseIterable {
  /// `bash`, `zsh` or `fish`.
  public var rawValue: String

  /// `nil` for anything but `bash`, `zsh` and `fish`.
  public init?(rawValue: String) {
    guard ["bash", "zsh", "fish"].contains(rawValue) else { return nil }
    self.rawValue = rawValue
  }

  private init(known: String) { rawValue = known }

  /// GNU Bash.
  public static let bash = CompletionShell(known: "bash")
  /// The Z shell.
  public static let zsh = CompletionShell(known: "zsh")
  /// The friendly interactive shell.
  public static let fish = CompletionShell(known: "fish")
  /// All that scripts are written for.
  public static let allCases: [CompletionShell] = [.bash, .zsh, .fish]
}

/// What went wrong, and in which command: the root first, the one that was being read last.
struct CommandError: Error {
  var stack: [any ParsableCommand.Type]
  var reason: ParserError
}

/// Why parsing ended without a command to run.
enum ParserError: Error {
  case helpRequested
  case versionRequested
  case completionScriptRequested(CompletionShell)
  case unsupportedShell(String?)
  case unknownOption(Name, suggestion: String?)
  case missingValue(Name, ArgumentDefinition)
  case unexpectedValue(Name, String)
  case unexpectedArguments([String], suggestion: String?)
  case missingArgument(ArgumentDefinition)
  case invalidValue(String, source: Name?, ArgumentDefinition, reason: (any Error)?)
  /// What `validate()` or `run()` threw.
  case thrown(any Error)
}
