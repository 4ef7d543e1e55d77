import Arguments
import Contracts
import Foundation
import JSONSchema

/// How long ago something was, as kubectl has it: the two largest units at most.
func age(of date: Date, at now: Date) -> String {
  let seconds = max(0, Int(now.timeIntervalSince(date)))
  let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400)
  return switch seconds {
  case ..<120: "\(seconds)s"
  case ..<600: seconds % 60 == 0 ? "\(minutes)m" : "\(minutes)m\(seconds % 60)s"
  case ..<10_800: "\(minutes)m"
  case ..<28_800: minutes % 60 == 0 ? "\(hours)h" : "\(hours)h\(minutes % 60)m"
  case ..<172_800: "\(hours)h"
  case ..<691_200: hours % 24 == 0 ? "\(days)d" : "\(days)d\(hours % 24)h"
  default: "\(days)d"
  }
}

/// The same for something that may not have been; "-" then.
func age(of date: Date?, at now: Date) -> String {
  date.map { age(of: $0, at: now) } ?? "-"
}

extension JSONValue {
  /// A time in RFC 3339, or null.
  static func time(_ date: Date?) -> JSONValue {
    date.map { .string(Timestamp.format($0)) } ?? .null
  }

  /// A text, or null.
  static func text(_ text: String?) -> JSONValue {
    text.map { .string($0) } ?? .null
  }
}

/// A point in time, given as such (`2026-11-21T08:30:00Z`) or by how long ago it was (`90s`, `15m`,
/// `2h`, `7d`).
struct Since: ExpressibleByArgument {
  let date: Date

  init?(argument: String) {
    if let date = Timestamp.parse(argument) {
      self.date = date
      return
    }
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    guard let unit = argument.last.flatMap({ units[$0] }), let count = Int(argument.dropLast()),
      // A thousand years; more would be no time that Postgres knows.
      count >= 0, Double(count) * unit < 3.2e10
    else { return nil }
    date = Date(timeIntervalSinceNow: -Double(count) * unit)
  }

  var defaultValueDescription: String { Timestamp.format(date) }
}
