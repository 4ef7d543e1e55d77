import Contracts
import Foundation
import Synchronization
import Telemetry

/// Calls the provider of one service for the lanes of this process, with a bound on how many calls
/// are under way, a deadline on each, and a circuit breaker.
///
/// It keeps nothing that the database does not have, and writes nothing: what has become of a call
/// goes back through the queue of its lane, whose next step decides on it. A result whose lane is
/// over is dropped, and the lane's next owner asks again, by the same key.
final class EffectRunner<Effect: EffectRequest, Outcome: Codable & Sendable>: Sendable {
  private struct State {
    var queue: EffectQueue
    var lanes: [EffectQueue.LaneID: LaneQueue] = [:]
    var tasks: [Int: Task<Void, Never>] = [:]
  }

  private let provider: any EffectProvider<Effect, Outcome>
  private let policy: EffectPolicy
  private let clock: any FleetClock
  private let executor: (any TaskExecutor)?
  private let health: Health
  private let metrics: EffectMetrics
  private let state: Mutex<State>

  init(
    service: ServiceName, provider: any EffectProvider<Effect, Outcome>, policy: EffectPolicy,
    clock: any FleetClock, executor: (any TaskExecutor)?, health: Health
  ) {
    self.provider = provider
    self.policy = policy
    self.clock = clock
    self.executor = executor
    self.health = health
    metrics = EffectMetrics(service)
    state = Mutex(State(queue: EffectQueue(policy)))
  }

  // MARK: - Lanes

  /// A lane begins, and may hand effects over.
  func begin(_ lane: LaneQueue) {
    state.withLock { state in
      state.lanes[ObjectIdentifier(lane)] = lane
      state.queue.begin(ObjectIdentifier(lane))
    }
  }

  /// Takes effects that are stored and due, except those that it has in hand.
  ///
  /// - Returns: false when there was no room for some: they are to be read from the database later.
  func take(_ effects: [StoredEffect], for lane: LaneQueue) -> Bool {
    let tookAll = state.withLock { $0.queue.add(effects, of: ObjectIdentifier(lane)) }
    startCalls()
    return tookAll
  }

  /// The effects that a lane has handed over, and how many more it may.
  func standing(of lane: LaneQueue) -> (held: [UUID], room: Int) {
    state.withLock { $0.queue.standing(of: ObjectIdentifier(lane)) }
  }

  /// A lane has committed what has become of its effects.
  func settle(_ ids: [UUID], for lane: LaneQueue) {
    state.withLock { $0.queue.settle(ids, of: ObjectIdentifier(lane)) }
  }

  /// A lane is over: its calls are cancelled, and nothing goes into its queue any more.
  func end(_ lane: LaneQueue) {
    let tasks = state.withLock { state in
      state.lanes[ObjectIdentifier(lane)] = nil
      return state.queue.end(ObjectIdentifier(lane)).compactMap {
        state.tasks.removeValue(forKey: $0)
      }
    }
    for task in tasks { task.cancel() }
    startCalls()
  }

  /// Time has passed: a pause of the circuit breaker may be over.
  func tick() { startCalls() }

  // MARK: - Calls

  private func startCalls() {
    let now = clock.now
    state.withLock { state in
      while let call = state.queue.next(at: now) {
        // Under the lock, so that whoever ends the lane finds the task. It takes the lock only
        // when it has run.
        state.tasks[call.number] = Task(executorPreference: executor) {
          await self.perform(call)
        }
      }
    }
  }

  private func perform(_ call: EffectQueue.Call) async {
    let started = ContinuousClock.now
    // Cancelled: the lane is over, and has forgotten the call.
    guard let result = await resultInTime(of: call.effect) else { return }
    let now = clock.now
    let (settled, failure) = settle(call.effect, result, at: now)
    metrics.called(failure, ContinuousClock.now - started)
    let (lane, breaker) = state.withLock { state -> (LaneQueue?, CircuitBreaker.State) in
      state.tasks[call.number] = nil
      let isWanted = state.queue.ended(call, failure, at: now)
      return (isWanted ? state.lanes[call.lane] : nil, state.queue.breaker.state)
    }
    report(breaker, failure)
    lane?.add(settled)
    startCalls()
  }

  /// What the effect is after the call.
  private func settle(
    _ effect: StoredEffect, _ result: Result<Outcome, EffectFailure>, at now: Date
  ) -> (StoredEffect, EffectFailure?) {
    switch result {
    case .success(let outcome):
      if let json = try? StoredEffect.json(outcome) { return (effect.answered(json, at: now), nil) }
      let failure = EffectFailure(
        .final, "invalid-answer", "the answer of the \(provider.name) can't be stored")
      return (effect.failed(failure, policy, at: now), failure)
    case .failure(let failure):
      return (effect.failed(failure, policy, at: now), failure)
    }
  }

  /// nil: the call was cancelled.
  private func resultInTime(of effect: StoredEffect) async -> Result<Outcome, EffectFailure>? {
    let (results, continuation) = AsyncStream<Result<Outcome, EffectFailure>>.makeStream()
    let call = Task(executorPreference: executor) {
      continuation.yield(await self.result(of: effect))
    }
    let timer = Task(executorPreference: executor) {
      guard (try? await self.clock.sleep(for: self.policy.deadline)) != nil else { return }
      let detail = "the \(self.provider.name) has not answered within \(self.policy.deadline)"
      continuation.yield(.failure(EffectFailure(.unavailable, "provider-timeout", detail)))
    }
    defer {
      timer.cancel()
      call.cancel()
    }
    return await results.first { _ in true }
  }

  private func result(of effect: StoredEffect) async -> Result<Outcome, EffectFailure> {
    let request: Effect
    do {
      request = try JSONDecoder().decode(Effect.self, from: Data(effect.request.utf8))
    } catch {
      return .failure(
        EffectFailure(
          .final, EffectFailure.unreadableRequest,
          "stored by another version of the program: \(error)"))
    }
    do throws(EffectFailure) {
      return .success(
        try await provider.perform(request, key: effect.id, traceparent: effect.traceparent))
    } catch {
      return .failure(error)
    }
  }

  private func report(_ breaker: CircuitBreaker.State, _ failure: EffectFailure?) {
    metrics.circuit(breaker)
    switch breaker {
    case .closed: health.resolve(.provider)
    case .open:
      // Another failure is not why it is left alone.
      if let failure, failure.kind == .unavailable {
        health.report(.provider, "\(provider.name): \(failure)")
      }
    case .halfOpen: break
    }
  }
}
