@preconcurrency import Dispatch
import Glibc

/// SIGTERM and SIGINT as something to wait for. The default, ending at once, is switched off while
/// this exists.
final class StopSignals: Sendable {
  private let stream: AsyncStream<Int32>

  init() {
    stream = AsyncStream { continuation in
      let sources = [SIGTERM, SIGINT].map { number in
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number)
        source.setEventHandler { continuation.yield(number) }
        source.resume()
        return source
      }
      continuation.onTermination = { _ in for source in sources { source.cancel() } }
    }
  }

  /// The name of the first signal that comes.
  func first() async -> String {
    for await number in stream { return number == SIGTERM ? "SIGTERM" : "SIGINT" }
    return "cancelled"
  }
}
