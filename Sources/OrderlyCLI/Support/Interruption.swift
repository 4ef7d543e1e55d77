@preconcurrency import Dispatch
import Foundation

/// Ctrl-C and SIGTERM as something to wait for, so that what was started is stopped. Their default,
/// ending at once, is switched off as long as this exists.
final class Interruption: Sendable {
  private let signalled: Task<Void, Never>

  init() {
    let (signals, continuation) = AsyncStream<Void>.makeStream()
    let sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number)
      source.setEventHandler { continuation.yield() }
      source.resume()
      return source
    }
    signalled = Task {
      _ = await signals.first { _ in true }
      for source in sources { source.cancel() }
    }
  }

  func wait() async { await signalled.value }

  /// Runs `body`, which is cancelled when the interruption comes; nil then.
  func unlessItComes<R: Sendable>(
    _ body: @escaping @Sendable () async throws -> R
  ) async throws -> R? {
    let work = Task { try await body() }
    // Waits as long as the process lives if nothing comes; cancelling a finished task does nothing.
    Task {
      await wait()
      work.cancel()
    }
    do {
      return try await work.value
    } catch is CancellationError {
      return nil
    }
  }
}
