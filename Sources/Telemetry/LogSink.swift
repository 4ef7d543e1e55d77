import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Where log lines go.
public protocol LogSink: Sendable {
  /// Writes a line, which ends in a line feed, so that it is not mixed with others. Called from
  /// many threads at once.
  func write(_ line: [UInt8])
}

/// Standard error, a whole line at a time.
final class StandardError: LogSink {
  static let shared = StandardError(descriptor: STDERR_FILENO)

  static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  private let descriptor: Int32
  private let lock = Mutex(())

  init(descriptor: Int32) { self.descriptor = descriptor }

  func write(_ line: [UInt8]) {
    lock.withLock { _ in writeAll(line[...], to: descriptor) }
  }
}

/// A line may take several writes when a pipe is full. A log that cannot be written is given up:
/// there is nowhere to say so, and the program should not stop for it.
private func writeAll(_ line: ArraySlice<UInt8>, to descriptor: Int32) {
  var rest = line
  while !rest.isEmpty {
    let written = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if written >= 0 {
      rest = rest.dropFirst(written)
    } else if errno == EAGAIN {
      var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      if poll(&wait, 1, 1000) == 0 { return }
    } else if errno != EINTR {
      return
    }
  }
}

/// A moment, written as in RFC 3339, in UTC with milliseconds.
struct Timestamp: Sendable, CustomStringConvertible {
  /// Milliseconds since 1970.
  var milliseconds: Int64

  static func now() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
  }

  var description: String {
    let seconds = floorDivide(milliseconds, 1000)
    let days = floorDivide(seconds, 86_400)
    let clock = seconds - days * 86_400
    let (year, month, day) = civilDate(daysSince1970: days)
    return """
      \(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T\
      \(padded(clock / 3600, 2)):\(padded(clock / 60 % 60, 2)):\(padded(clock % 60, 2)).\
      \(padded(milliseconds - seconds * 1000, 3))Z
      """
  }
}

/// The Gregorian date of a day; Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
private func civilDate(daysSince1970: Int64) -> (year: Int64, month: Int64, day: Int64) {
  let shifted = daysSince1970 + 719_468  // days since 0000-03-01
  let era = floorDivide(shifted, 146_097)
  let dayOfEra = shifted - era * 146_097
  let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let marchMonth = (5 * dayOfYear + 2) / 153
  let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
  let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
  return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
}

private func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
  let quotient = value / divisor
  return value % divisor < 0 ? quotient - 1 : quotient
}

private func padded(_ value: Int64, _ width: Int) -> String {
  let digits = String(value)
  return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}
