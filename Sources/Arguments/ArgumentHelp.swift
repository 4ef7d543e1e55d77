/// What the help says about one argument. A string literal is its abstract.
public struct ArgumentHelp: Sendable, ExpressibleByStringInterpolation {
  /// One line, shown beside the argument.
  public var abstract: String
  /// More text, shown indented under the abstract; may be empty.
  public var discussion: String
  /// The word between `<` and `>`; by default the argument's name.
  public var valueName: String?

  /// Takes each part; what is left out is not shown.
  public init(
    _ abstract: String = "", discussion: String = "", valueName: String? = nil
  ) {
    self.abstract = abstract
    self.discussion = discussion
    self.valueName = valueName
  }

  /// The literal is the abstract.
  public init(stringLiteral value: String) { self.init(value) }
}

/// How a shell completes a value, in the scripts of `--generate-completion-script`.
public struct CompletionKind: Sendable {
  enum Base: Sendable {
    case `default`
    case list([String])
    case file
  }
  var base: Base

  /// No suggestions, except the allowed values of an enumeration.
  public static var `default`: CompletionKind { CompletionKind(base: .default) }
  /// One of `words`.
  public static func list(_ words: [String]) -> CompletionKind {
    CompletionKind(base: .list(words))
  }
  /// A file name.
  public static func file() -> CompletionKind { CompletionKind(base: .file) }
}
