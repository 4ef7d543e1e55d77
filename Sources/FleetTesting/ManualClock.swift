public import Fleet
public import Foundation
import Synchronization

/// A clock that moves only when it is told to.
public final class ManualClock: FleetClock {
  private struct Sleeper {
    let id: Int
    /// By the clock's `uptime`.
    let deadline: Duration
    let continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var now: Date
    var uptime: Duration = .zero
    var nextID = 0
    var sleepers: [Sleeper] = []
  }

  private let state: Mutex<State>

  /// - Parameter start: whole seconds, so that times survive every text format on their way.
  public init(start: Date = Date(timeIntervalSince1970: 1_800_000_000)) {
    state = Mutex(State(now: start))
  }

  public var now: Date { state.withLock { $0.now } }

  public var uptime: Duration { state.withLock { $0.uptime } }

  /// Returns when the clock has been moved by `duration`.
  ///
  /// - Throws: `CancellationError` as soon as the task is cancelled.
  public func sleep(for duration: Duration) async throws {
    try Task.checkCancellation()
    guard duration > .zero else { return }
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let isCancelled = state.withLock { state in
          // A cancellation before this has found no sleeper to wake; one after this finds it.
          if Task.isCancelled { return true }
          let deadline = state.uptime + duration
          state.sleepers.append(
            Sleeper(id: id, deadline: deadline, continuation: continuation))
          return false
        }
        if isCancelled { continuation.resume(throwing: CancellationError()) }
      }
    } onCancel: {
      let sleeper = state.withLock { state in
        state.sleepers.firstIndex { $0.id == id }.map { state.sleepers.remove(at: $0) }
      }
      sleeper?.continuation.resume(throwing: CancellationError())
    }
  }

  /// Moves the clock and wakes those whose time has come: the earliest first, among equals the one
  /// that went to sleep first.
  public func advance(by duration: Duration) {
    let due = state.withLock { state in
      state.now = state.now.addingTimeInterval(duration / .seconds(1))
      state.uptime += duration
      let due = state.sleepers.filter { $0.deadline <= state.uptime }
      state.sleepers.removeAll { $0.deadline <= state.uptime }
      return due.sorted { ($0.deadline, $0.id) < ($1.deadline, $1.id) }
    }
    for sleeper in due { sleeper.continuation.resume() }
  }

  /// Sets the time of day, and lets no time pass.
  public func set(_ now: Date) {
    state.withLock { $0.now = now }
  }

  /// Moves the clock in steps, letting other tasks run in between, until `condition` holds.
  ///
  /// - Throws: `CancellationError`, so that a test's time limit ends it.
  public func run(
    inStepsOf step: Duration = .milliseconds(50), until condition: () async -> Bool
  ) async throws {
    while !(await condition()) {
      try Task.checkCancellation()
      advance(by: step)
      await Task.yield()
    }
  }
}
