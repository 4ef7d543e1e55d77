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
    let fraction = (milliseconds % 1000 + 1000) % 1000
    var seconds = time_t((milliseconds - fraction) / 1000)
    var date = tm()
    gmtime_r(&seconds, &date)
    return """
      \(padded(date.tm_year + 1900, 4))-\(padded(date.tm_mon + 1, 2))-\(padded(date.tm_mday, 2))T\
      \(padded(date.tm_hour, 2)):\(padded(date.tm_min, 2)):\(padded(date.tm_sec, 2)).\
      \(padded(fraction, 3))Z
      """
  }
}

private func padded(_ value: some BinaryInteger, _ width: Int) -> String {
  let digits = String(value)
  return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}
