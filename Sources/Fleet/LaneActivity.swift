import Synchronization

/// What a lane waits for, seen from outside. A call that never returns can't report itself.
final class LaneActivity: Sendable {
  private let current = Mutex<(what: @Sendable () -> String, since: Duration)?>(nil)
  private let clock: any FleetClock

  init(clock: any FleetClock) {
    self.clock = clock
  }

  /// Notes that the lane is at `what` until the body ends. Calls are not nested.
  ///
  /// - Parameter what: made into a text only when somebody asks for a lane that is stuck.
  func during<Result, Failure: Error>(
    _ what: @autoclosure @escaping @Sendable () -> String,
    _ body: () async throws(Failure) -> Result
  ) async throws(Failure) -> Result {
    let now = clock.uptime
    current.withLock { $0 = (what, now) }
    defer { current.withLock { $0 = nil } }
    return try await body()
  }

  /// What it has been at for longer than `limit`, as a sentence.
  func stuck(after limit: Duration) -> String? {
    guard let (what, since) = current.withLock({ $0 }) else { return nil }
    let time = clock.uptime - since
    return time > limit ? "\(what()), since \(time.components.seconds) s" : nil
  }
}
