import Arguments
import Foundation
import Kafka

/// Where `orderly consume` begins: the value of `-o`.
enum ConsumeStart: Equatable, Sendable, ExpressibleByArgument {
  case start
  case end
  case offset(Int64)
  /// So many records before the end of each partition.
  case last(Int64)
  case time(Date)

  /// Reads `start`, `end`, an offset, a number below 0, or `@` with a time: RFC 3339, or how long
  /// ago it was (`@15m`).
  init?(argument: String) {
    switch argument {
    case "start": self = .start
    case "end": self = .end
    case _ where argument.hasPrefix("@"):
      guard let time = Since(argument: String(argument.dropFirst())) else { return nil }
      self = .time(time.date)
    default:
      guard let number = Int64(argument), number > Int64.min else { return nil }
      self = number < 0 ? .last(-number) : .offset(number)
    }
  }

  var defaultValueDescription: String { "\(self)" }

  /// The time, in milliseconds since 1970; nil for what is no time.
  var milliseconds: Int64? {
    guard case .time(let date) = self else { return nil }
    return Int64(max(0, (date.timeIntervalSince1970 * 1000).rounded()))
  }

  /// The offset at which a partition is read.
  ///
  /// - Parameters:
  ///   - range: the oldest offset that is there, and the one after the newest.
  ///   - atTime: what the broker has said of the time; -1 when nothing is as late.
  func offset(in range: Range<Int64>, atTime: Int64? = nil) -> Int64 {
    switch self {
    case .start: range.lowerBound
    case .end: range.upperBound
    case .offset(let offset): min(max(offset, range.lowerBound), range.upperBound)
    case .last(let count): max(range.lowerBound, range.upperBound - min(count, range.upperBound))
    case .time: atTime.flatMap { $0 < 0 ? nil : $0 } ?? range.upperBound
    }
  }
}
