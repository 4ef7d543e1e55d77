import Foundation

/// Waits for `body`, at most for `limit`; false when it had not ended by then. It is not cancelled.
func within(
  _ limit: Duration, by clock: any FleetClock, on executor: (any TaskExecutor)?,
  _ body: @escaping @Sendable () async -> Void
) async -> Bool {
  let (results, continuation) = AsyncStream<Bool>.makeStream()
  Task(executorPreference: executor) {
    await body()
    continuation.yield(true)
  }
  let timer = Task(executorPreference: executor) {
    if (try? await clock.sleep(for: limit)) != nil { continuation.yield(false) }
  }
  defer { timer.cancel() }
  return await results.first { _ in true } ?? false
}

/// Something that is to be done every so often.
struct Interval {
  private let length: Duration
  private var last: Date

  init(_ length: Duration, from start: Date) {
    self.length = length
    last = start
  }

  /// Whether it is time again. A clock that was set back makes it time at once, not never.
  mutating func isDue(at now: Date) -> Bool {
    guard now < last || now.timeIntervalSince(last) >= length / .seconds(1) else { return false }
    last = now
    return true
  }
}
