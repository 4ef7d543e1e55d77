import Synchronization

/// What a lane waits for, seen from outside. A call that never returns can't report itself.
final class LaneActivity: Sendable {
  private let current = Mutex<(what: String, since: Duration)?>(nil)
  private let clock: any FleetClock

  init(clock: any FleetClock) {
    self.clock = clock
  }

  /// Notes that the lane is at `what` until the body ends. Calls are not nested.
  func during<Result, Failure: Error>(
    _ what: String, _ body: () async throws(Failure) -> Result
  ) async throws(Failure) -> Result {
    let now = clock.uptime
    current.withLock { $0 = (what, now) }
    defer { current.withLock { $0 = nil } }
    return try await body()
  }

  /// What it has been at for longer than `limit`, as a sentence.
  func stuck(after limit: Duration) -> String? {
    let now = clock.uptime
    return current.withLock { current in
      guard let current, now - current.since > limit else { return nil }
      return "\(current.what), since \((now - current.since).components.seconds) s"
    }
  }
}
