extension Logger {
  /// How severe a record is.
  public enum Level: String, Sendable, Hashable, CaseIterable, Comparable, Codable {
    case trace, debug, info, notice, warning, error, critical

    var severity: Int {
      switch self {
      case .trace: 0
      case .debug: 1
      case .info: 2
      case .notice: 3
      case .warning: 4
      case .error: 5
      case .critical: 6
      }
    }

    /// By severity, from `trace` to `critical`.
    public static func < (left: Level, right: Level) -> Bool { left.severity < right.severity }
  }

  /// Names and values that go with a record.
  public typealias Metadata = [String: MetadataValue]

  /// A value in metadata. Literals and interpolations are strings.
  public enum MetadataValue: Sendable {
    case string(String)
    /// A value whose description is made only when the record is written.
    case stringConvertible(any CustomStringConvertible & Sendable)
    case dictionary(Metadata)
    case array([MetadataValue])
  }

  /// The text of a record; written as a literal or an interpolation.
  public struct Message: Sendable, Hashable, ExpressibleByStringInterpolation,
    CustomStringConvertible
  {
    /// The text.
    public var description: String

    /// Takes the text.
    public init(stringLiteral value: String) { description = value }
  }
}

extension Logger.MetadataValue: ExpressibleByStringInterpolation {
  /// A string.
  public init(stringLiteral value: String) { self = .string(value) }
}

extension Logger.MetadataValue: ExpressibleByArrayLiteral {
  /// An array of values.
  public init(arrayLiteral elements: Logger.MetadataValue...) { self = .array(elements) }
}

extension Logger.MetadataValue: ExpressibleByDictionaryLiteral {
  /// A dictionary of values; of a key that is there twice the last one counts.
  public init(dictionaryLiteral elements: (String, Logger.MetadataValue)...) {
    self = .dictionary(Dictionary(elements) { $1 })
  }
}

extension Logger.MetadataValue: CustomStringConvertible {
  /// The value as text, as in a text log.
  public var description: String {
    switch self {
    case .string(let text): text
    case .stringConvertible(let value): value.description
    case .dictionary(let metadata): metadata.description
    case .array(let values): values.description
    }
  }
}

/// Values are equal when they read the same.
extension Logger.MetadataValue: Equatable {
  /// Compares the kind and the text.
  public static func == (left: Logger.MetadataValue, right: Logger.MetadataValue) -> Bool {
    switch (left, right) {
    case (.string(let left), .string(let right)): left == right
    case (.stringConvertible(let left), .stringConvertible(let right)):
      left.description == right.description
    case (.dictionary(let left), .dictionary(let right)): left == right
    case (.array(let left), .array(let right)): left == right
    default: false
    }
  }
}
