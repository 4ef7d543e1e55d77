/// Whether help, usage and completions mention an argument. A hidden one still works.
public enum ArgumentVisibility: Sendable, Hashable {
  /// Shown everywhere.
  case `default`
  /// Shown nowhere.
  case hidden
}

/// What the help says about one argument. A string literal is its abstract.
public struct ArgumentHelp: Sendable, ExpressibleByStringInterpolation {
  /// One line, shown beside the argument.
  public var abstract: String
  /// More text, shown indented under the abstract; may be empty.
  public var discussion: String
  /// The word between `<` and `>`; by default the argument's name.
  public var valueName: String?
  /// Whether the help mentions the argument at all.
  public var visibility: ArgumentVisibility

  /// Takes each part; what is left out is not shown.
  public init(
    _ abstract: String = "", discussion: String = "", valueName: String? = nil,
    visibility: ArgumentVisibility = .default
  ) {
    self.abstract = abstract
    self.discussion = discussion
    self.valueName = valueName
    self.visibility = visibility
  }

  /// The literal is the abstract.
  public init(stringLiteral value: String) { self.init(value) }

  /// Leaves the argument out of help, usage and completions.
  public static var hidden: ArgumentHelp { ArgumentHelp(visibility: .hidden) }
}

/// How a shell completes a value, in the scripts of `--generate-completion-script`.
public struct CompletionKind: Sendable {
  enum Base: Sendable {
    case `default`
    case list([String])
    case file(extensions: [String])
    case directory
    case shellCommand(String)
  }
  var base: Base

  /// No suggestions, except the allowed values of an enumeration.
  public static var `default`: CompletionKind { CompletionKind(base: .default) }
  /// One of `words`.
  public static func list(_ words: [String]) -> CompletionKind {
    CompletionKind(base: .list(words))
  }
  /// A file name; with `extensions` (without the dot), only such files and folders.
  public static func file(extensions: [String] = []) -> CompletionKind {
    CompletionKind(base: .file(extensions: extensions))
  }
  /// A folder.
  public static var directory: CompletionKind { CompletionKind(base: .directory) }
  /// The lines that `command` prints, run by the user's shell at the time of completion.
  public static func shellCommand(_ command: String) -> CompletionKind {
    CompletionKind(base: .shellCommand(command))
  }
}
