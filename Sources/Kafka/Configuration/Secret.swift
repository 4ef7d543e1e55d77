/// A text that is in no description, log line or dump.
public struct Secret: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible,
  CustomDebugStringConvertible, CustomReflectable
{
  /// The text itself.
  public let value: String

  /// Hides a text.
  public init(_ value: String) {
    self.value = value
  }

  /// For literals.
  public init(stringLiteral value: String) {
    self.init(value)
  }

  /// For people.
  public var description: String { "<secret>" }
  /// The same as `description`.
  public var debugDescription: String { "<secret>" }
  /// Shows `dump` nothing of the inside.
  public var customMirror: Mirror { Mirror(self, children: [:]) }
}
