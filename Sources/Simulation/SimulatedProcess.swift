import Fleet
import FleetTesting
import Foundation
import Synchronization
import Workload

/// A worker process: it can be killed and stopped for a while like one. It is the clock of what runs
/// in it, and every call of a port passes through ``enter(_:_:)`` and ``leave(_:_:)``.
///
/// A process that was killed can do nothing to the world any more; its tasks are told to stop and
/// meet failures only, so that they end.
final class SimulatedProcess: FleetClock {
  /// Somewhere that a port's call goes to, as far as it fails together.
  enum Place: Hashable, Sendable {
    case database(String)
    case broker
    /// What a service asks of the outside world.
    case provider(String)
  }

  /// The process was killed, or the other side is away.
  struct Unreachable: Error, CustomStringConvertible {
    let description: String
  }

  private struct State {
    var isDead = false
    var isStopping = false
    var frozenUntil = 0
    var running = 0
    var stops: [@Sendable () -> Void] = []
    var consumers: [InMemoryConsumer] = []
  }

  let number: Int
  let services: [String]
  let world: World
  private let state = Mutex(State())

  init(_ number: Int, services: [String], world: World) {
    self.number = number
    self.services = services
    self.world = world
  }

  var isDead: Bool { state.withLock { $0.isDead } }
  var isStopping: Bool { state.withLock { $0.isStopping } }
  var frozenUntil: Int { state.withLock { $0.isDead ? 0 : $0.frozenUntil } }
  var consumers: [InMemoryConsumer] { state.withLock { $0.consumers } }
  var hasEnded: Bool { state.withLock { $0.running == 0 } }

  // MARK: - Life

  /// A service starts in it, to be ended by `stop`.
  ///
  /// - Parameter consumer: nil for one that reads no topics.
  func began(_ consumer: InMemoryConsumer?, stop: @escaping @Sendable () -> Void) {
    state.withLock { state in
      state.running += 1
      state.stops.append(stop)
      if let consumer { state.consumers.append(consumer) }
    }
  }

  func ended() {
    state.withLock { $0.running -= 1 }
    world.scheduler.note(number, "", .ended)
  }

  func stop() {
    let stops = state.withLock { state in
      state.isStopping = true
      return state.stops
    }
    for stop in stops { stop() }
  }

  func kill() {
    let wasAlive = state.withLock { state in
      defer { state.isDead = true }
      return !state.isDead
    }
    guard wasAlive else { return }
    world.scheduler.note(number, "", .crashed)
    stop()
    world.scheduler.hasten(self)
    world.died(self)
  }

  /// Its tasks go on after a time only.
  func freeze(_ microseconds: Int) {
    state.withLock { $0.frozenUntil = world.scheduler.now + microseconds }
  }

  /// Lets go of what refers back to it.
  func dispose() {
    state.withLock { state in
      state.stops = []
      state.consumers = []
    }
  }

  // MARK: - FleetClock

  var now: Date { world.scheduler.date }

  var uptime: Duration { .microseconds(world.scheduler.now) }

  func sleep(for duration: Duration) async throws {
    try await wait(Int(duration / .microseconds(1)))
  }

  func wait(_ microseconds: Int) async throws {
    // A task that does not wait at all would keep the thread for ever.
    try await world.scheduler.wait(isDead ? 1 : max(1, microseconds), for: self)
  }

  // MARK: - Port calls

  /// A call is on its way: it takes a while, and may not arrive.
  func enter(_ place: Place, _ subject: String) async throws {
    try? await wait(world.faults.latency(world.scheduler))
    if world.strikes(.slowCall) {
      try? await wait(world.scheduler.draw { 10_000 + $0.below(20_000_000) })
    }
    try check(place, subject, .crashBefore, .failure)
  }

  /// The answer is on its way back: it takes a while, and may not arrive.
  func leave(_ place: Place, _ subject: String) async throws {
    try check(place, subject, .crashAfter, nil)
    try? await wait(world.faults.latency(world.scheduler))
    guard !isDead else { throw Unreachable(description: "the process was killed") }
    if world.strikes(.lostReply) {
      world.scheduler.note(number, subject, .replyLost)
      throw Unreachable(description: "the reply was lost")
    }
  }

  /// Between two statements of a transaction, or before its COMMIT.
  func passStatement(_ place: Place, _ subject: String) throws {
    try check(place, subject, .crashInTransaction, .failure)
  }

  private func check(
    _ place: Place, _ subject: String, _ crash: FaultKind, _ failure: FaultKind?
  ) throws {
    if !isDead, world.strikes(crash) { kill() }
    guard !isDead else { throw Unreachable(description: "the process was killed") }
    guard let failure else { return }
    if world.isAway(place) || world.strikes(failure) {
      world.scheduler.note(number, subject, .failed)
      throw Unreachable(description: "\(place) can't be reached")
    }
  }
}
