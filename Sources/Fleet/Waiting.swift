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
  private var last: Duration

  /// - Parameter start: by the clock's `uptime`.
  init(_ length: Duration, from start: Duration) {
    self.length = length
    last = start
  }

  /// Whether it is time again.
  mutating func isDue(at uptime: Duration) -> Bool {
    guard uptime - last >= length else { return false }
    last = uptime
    return true
  }
}
