@preconcurrency import Dispatch
import Foundation
import Synchronization

/// Ctrl-C, SIGTERM and SIGHUP as something to wait for, so that what was started is stopped. The
/// first one does not end the process, the second one does so at once.
///
/// A closed terminal or pipe at the other end of the output does not end the process either: writing
/// fails then, and is an error like others.
final class Interruption: Sendable {
  private let first: Task<Int32, Never>
  private let sources: [any DispatchSourceSignal]
  private let isFirst = First()

  private final class First: Sendable {
    let value = Atomic(true)
  }

  init() {
    let isFirst = self.isFirst
    let (signals, continuation) = AsyncStream<Int32>.makeStream()
    sources = [SIGINT, SIGTERM, SIGHUP].filter { $0 != SIGHUP || !isIgnored($0) }.map { number in
      ignore(number)
      let source = DispatchSource.makeSignalSource(signal: number)
      source.setEventHandler {
        guard isFirst.value.exchange(false, ordering: .relaxed) else { endAtOnce(by: number) }
        continuation.yield(number)
      }
      source.resume()
      return source
    }
    ignore(SIGPIPE)
    first = Task { await signals.first { _ in true } ?? 0 }
  }

  /// The number of the first signal that comes.
  @discardableResult
  func wait() async -> Int32 { await first.value }

  /// Whether the first signal has come.
  var hasCome: Bool { !isFirst.value.load(ordering: .relaxed) }

  /// What a shell says of a command that the signal has ended; only to be asked when one has come.
  var exitStatus: Int32 {
    get async { 128 + (await first.value) }
  }

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

/// Whether whoever started this process wants it to outlive the signal, as `nohup` does.
private func isIgnored(_ number: Int32) -> Bool {
  var action = sigaction()
  sigaction(number, nil, &action)
  let handler = unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
  return handler == unsafeBitCast(SIG_IGN, to: Int.self)
}

/// By a handler that does nothing: unlike `SIG_IGN` it is not handed on to the processes that this
/// one starts.
private func ignore(_ number: Int32) {
  signal(number) { _ in }
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
  // Not reached: the default of all of them is the end.
  exit(128 + number)
}
