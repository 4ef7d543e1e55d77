import Foundation
import Synchronization
import Workload

/// The one thread of a simulated fleet: all tasks of the run are its jobs, time stands still while
/// any of them can run, and which of them runs next is drawn from the seed.
///
/// Whoever calls ``advance()`` lends it the thread. Everything that happens is a consequence of the
/// seed as long as tasks wait for nothing but each other and this scheduler's timers, and prefer
/// this executor.
final class Scheduler: TaskExecutor {
  /// Microseconds since the start of the run.
  typealias Instant = Int

  private enum Action {
    case resume(CheckedContinuation<Void, any Error>)
    case call(@Sendable () -> Void)
  }

  private struct Timer {
    var due: Instant
    let number: Int
    /// Whose timer it is: it does not fire while that process is frozen.
    let process: SimulatedProcess?
    let action: Action
  }

  private struct State {
    var random: SplitMix64
    var jobs: [UnownedJob] = []
    var timers: [Timer] = []
    var now: Instant = 0
    /// What the wall clock is ahead of `now`.
    var skew: Instant = 0
    var steps = 0
    var timerCount = 0
    var trace: Trace
  }

  private let state: Mutex<State>
  static let start = Date(timeIntervalSince1970: 1_800_000_000)

  init(seed: UInt64, keepsTrace: Bool) {
    state = Mutex(
      State(random: SplitMix64(seed: seed), trace: Trace(keepsLines: keepsTrace)))
  }

  // MARK: - Jobs and time

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    state.withLock { $0.jobs.append(job) }
  }

  /// Runs one job, or, when none can run, moves the time to the next timer and fires it. False when
  /// there is neither.
  func advance() -> Bool {
    enum Next {
      case job(UnownedJob)
      case timer(Timer)
      case nothing
    }
    let next: Next = state.withLock { state in
      state.steps += 1
      if !state.jobs.isEmpty {
        let index = state.random.below(state.jobs.count)
        state.jobs.swapAt(index, state.jobs.count - 1)
        return .job(state.jobs.removeLast())
      }
      let earliest = state.timers.indices.min {
        (state.timers[$0].due, state.timers[$0].number)
          < (state.timers[$1].due, state.timers[$1].number)
      }
      guard let earliest else { return .nothing }
      state.timers.swapAt(earliest, state.timers.count - 1)
      let timer = state.timers.removeLast()
      state.now = max(state.now, timer.due)
      return .timer(timer)
    }
    switch next {
    case .job(let job): job.runSynchronously(on: asUnownedTaskExecutor())
    case .timer(let timer): fire(timer)
    case .nothing: return false
    }
    return true
  }

  private func fire(_ timer: Timer) {
    if let thaw = timer.process?.frozenUntil, thaw > now {
      state.withLock { state in
        var timer = timer
        timer.due = thaw + state.random.below(1_000)
        state.timers.append(timer)
      }
      return
    }
    switch timer.action {
    case .resume(let continuation): continuation.resume()
    case .call(let body): body()
    }
  }

  var now: Instant { state.withLock { $0.now } }
  var steps: Int { state.withLock { $0.steps } }
  /// What clocks on walls show.
  var date: Date {
    state.withLock { Self.start.addingTimeInterval(Double($0.now + $0.skew) / 1_000_000) }
  }

  /// Sets the wall clocks forward, or back when it is negative.
  func moveWallClock(by microseconds: Int) {
    state.withLock { $0.skew += microseconds }
  }

  /// Calls `body` after a time.
  func after(
    _ microseconds: Int, for process: SimulatedProcess? = nil,
    _ body: @escaping @Sendable () -> Void
  ) {
    state.withLock { state in
      state.timerCount += 1
      state.timers.append(
        Timer(
          due: state.now + microseconds, number: state.timerCount, process: process,
          action: .call(body)))
    }
  }

  /// Returns after a time, for a frozen process after its thaw.
  ///
  /// - Throws: `CancellationError` as soon as the task is cancelled.
  func wait(_ microseconds: Int, for process: SimulatedProcess) async throws {
    let number = state.withLock { state in
      state.timerCount += 1
      return state.timerCount
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let isCancelled = state.withLock { state in
          if Task.isCancelled { return true }
          state.timers.append(
            Timer(
              due: state.now + microseconds, number: number, process: process,
              action: .resume(continuation)))
          return false
        }
        if isCancelled { continuation.resume(throwing: CancellationError()) }
      }
    } onCancel: {
      let timer = state.withLock { state in
        state.timers.firstIndex { $0.number == number }.map { state.timers.remove(at: $0) }
      }
      if case .resume(let continuation) = timer?.action {
        continuation.resume(throwing: CancellationError())
      }
    }
  }

  /// Nothing of a dead process waits for long: its tasks run to their ends without any effect.
  func hasten(_ process: SimulatedProcess) {
    state.withLock { state in
      for index in state.timers.indices where state.timers[index].process === process {
        state.timers[index].due = min(state.timers[index].due, state.now)
      }
    }
  }

  /// Drops all timers, so that what they refer to goes as well.
  func clear() {
    let timers = state.withLock { state in
      defer { state.timers = [] }
      return state.timers
    }
    for case .resume(let continuation) in timers.map(\.action) {
      continuation.resume(throwing: CancellationError())
    }
  }

  // MARK: - Chance and trace

  func draw<Result: Sendable>(_ body: (inout SplitMix64) -> Result) -> Result {
    state.withLock { body(&$0.random) }
  }

  func note(_ process: Int, _ subject: String, _ what: Trace.Verb, _ value: Int = 0) {
    state.withLock { $0.trace.add($0.now, process, subject, what, value) }
  }

  var trace: Trace { state.withLock { $0.trace } }
}
