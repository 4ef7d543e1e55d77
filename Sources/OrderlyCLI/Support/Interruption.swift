@preconcurrency import Dispatch
import Foundation
import Synchronization

/// Ctrl-C and SIGTERM as something to wait for, so that what was started is stopped. The first one
/// does not end the process, the second one does so at once.
final class Interruption: Sendable {
  private let signalled: Task<Void, Never>
  private let sources: [any DispatchSourceSignal]
  private let isFirst = First()

  private final class First: Sendable {
    let value = Atomic(true)
  }

  init() {
    let isFirst = self.isFirst
    let (signals, continuation) = AsyncStream<Void>.makeStream()
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number)
      source.setEventHandler {
        guard isFirst.value.exchange(false, ordering: .relaxed) else { endAtOnce(by: number) }
        continuation.yield()
      }
      source.resume()
      return source
    }
    signalled = Task { _ = await signals.first { _ in true } }
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
    } catch {
      // Whatever was under way may say in its own words that it was cancelled.
      if work.isCancelled { return nil }
      throw error
    }
  }
}

/// Ends the process as the signal does by default. The signal is let through first: Dispatch blocks
/// it in the threads that it has struck.
private func endAtOnce(by number: Int32) -> Never {
  signal(number, SIG_DFL)
  var signals = sigset_t()
  sigemptyset(&signals)
  sigaddset(&signals, number)
  pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  raise(number)
  // Not reached: the default of both is the end.
  exit(128 + number)
}
