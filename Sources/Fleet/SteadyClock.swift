public import Foundation
import Synchronization

/// Time as the runtime sees it; replaced where time has to stand still.
public protocol FleetClock: Sendable {
  /// The time of day, for what is written down: deadlines, next attempts, the times of events.
  var now: Date { get }
  /// The time since some moment, which passes evenly whatever is done to the time of day: for how
  /// long something takes, or how often it is done.
  var uptime: Duration { get }
  /// - Throws: `CancellationError` as soon as the task is cancelled.
  func sleep(for duration: Duration) async throws
}

/// The machine's clock, which never goes back within this process: the larger of the machine's time
/// and of the latest one that was told plus what has passed since.
///
/// What is due stays due when somebody sets the machine's clock back, and nothing waits for that
/// time to come again. A clock that was ahead by mistake and is set right leaves this one ahead
/// until the process ends: deadlines come early by as much, as they have done on that clock.
public final class SteadyClock: FleetClock {
  private let wall: @Sendable () -> Date
  private let monotonic: @Sendable () -> Duration
  /// The largest difference between the two that was seen, in seconds. A difference is kept, and
  /// not the latest time, because sums of many small steps would drift by their roundings.
  private let lead = Mutex(-Double.infinity)

  /// The machine's clocks.
  public convenience init() {
    let start = ContinuousClock.now
    self.init(wall: { Date() }, monotonic: { ContinuousClock.now - start })
  }

  /// - Parameters:
  ///   - wall: the time of day, which may jump.
  ///   - monotonic: the time since some moment, which never goes back.
  init(wall: @escaping @Sendable () -> Date, monotonic: @escaping @Sendable () -> Duration) {
    self.wall = wall
    self.monotonic = monotonic
  }

  public var now: Date {
    // In this order: a process that is held up between the two must not take the time that it was
    // held up for as a lead.
    let wall = wall().timeIntervalSinceReferenceDate
    let uptime = uptime / .seconds(1)
    return lead.withLock { lead in
      lead = max(lead, wall - uptime)
      return Date(timeIntervalSinceReferenceDate: uptime + lead)
    }
  }

  public var uptime: Duration { monotonic() }

  public func sleep(for duration: Duration) async throws { try await Task.sleep(for: duration) }
}
