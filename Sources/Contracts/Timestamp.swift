public import FoundationEssentials

/// Times as text: RFC 3339 in UTC with milliseconds, as in `2026-11-21T08:30:00.125Z`.
public enum Timestamp {
  private static let withFraction = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
  private static let withoutFraction = Date.ISO8601FormatStyle()

  public static func format(_ date: Date) -> String {
    date.formatted(withFraction)
  }

  /// The time that `text` says, with or without a fraction; nil when it is none.
  public static func parse(_ text: String) -> Date? {
    try? (text.utf8.contains(UInt8(ascii: ".")) ? withFraction : withoutFraction).parse(text)
  }
}
