import Foundation

/// The header `Retry-After`: RFC 9110 section 10.2.3.
enum RetryAfter {
  /// How long to wait: a number of seconds, or until a date. nil for anything else; a day at most.
  static func parse(_ text: String, at now: Date) -> Duration? {
    let text = text.trimmingCharacters(in: .whitespaces)
    let seconds = UInt32(text).map(Double.init) ?? date(text)?.timeIntervalSince(now)
    return seconds.map { .seconds(min(max(0, $0), 86_400)) }
  }

  private static func date(_ text: String) -> Date? {
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.timeZone = TimeZone(secondsFromGMT: 0)
    format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
    return format.date(from: text)
  }
}
