import Arguments
import Foundation
import Kafka

/// Where a group is to go on: the value of `--to`.
enum SeekTarget: Equatable, Sendable, ExpressibleByArgument {
  case start
  case end
  case time(Date)
  case offset(Int64)

  /// Reads `start`, `end`, `@` with a time, RFC 3339 or how long ago it was (`@15m`), or an offset.
  init?(argument: String) {
    switch argument {
    case "start": self = .start
    case "end": self = .end
    case _ where argument.hasPrefix("@"):
      guard let time = Since(argument: String(argument.dropFirst())) else { return nil }
      self = .time(time.date)
    default:
      guard let offset = Int64(argument), offset >= 0 else { return nil }
      self = .offset(offset)
    }
  }

  var defaultValueDescription: String { "\(self)" }

  /// The offset in a partition.
  ///
  /// - Parameters:
  ///   - log: the oldest offset that is there, and the one after the newest.
  ///   - atTime: what the broker has said of the time; -1 when nothing is as late.
  func offset(in log: Range<Int64>, atTime: Int64?) -> Int64 {
    switch self {
    case .start: log.lowerBound
    case .end: log.upperBound
    case .time: atTime.flatMap { $0 < 0 ? nil : $0 } ?? log.upperBound
    case .offset(let offset): offset
    }
  }
}
