import Synchronization

/// What a lane has waiting: filled by the service's consumer, emptied by the lane.
final class LaneQueue: Sendable {
  /// What the lane finds when it looks.
  enum Delivery: Sendable {
    case messages([RawMessage])
    /// Effects after their calls.
    case effects([StoredEffect])
    /// Nothing to read, but time has passed: look for what is due.
    case tick
    /// The partition is being given up: finish nothing more.
    case stop
  }

  /// A message that waits, and its weight, which costs a walk over its headers.
  private struct Waiting {
    let message: RawMessage
    let weight: Int
  }

  private struct State {
    var messages: [Waiting] = []
    var weight = 0
    var effects: [StoredEffect] = []
    var lastWereEffects = false
    var ticked = false
    var stopped = false
    var waiter: CheckedContinuation<Void, Never>?

    var hasWork: Bool { stopped || ticked || !effects.isEmpty || !messages.isEmpty }
  }

  private let state = Mutex(State())

  /// Adds messages and returns the weight that now waits, in bytes.
  func add(_ messages: [RawMessage]) -> Int {
    let waiting = messages.map { Waiting(message: $0, weight: $0.weight) }
    let added = waiting.reduce(0) { $0 + $1.weight }
    let (weight, waiter) = state.withLock { state in
      state.messages.append(contentsOf: waiting)
      state.weight += added
      return (state.weight, state.waiter.take())
    }
    waiter?.resume()
    return weight
  }

  /// Adds an effect after its call. There are no more of them than the lane has handed over.
  func add(_ effect: StoredEffect) {
    state.withLock { state in
      state.effects.append(effect)
      return state.waiter.take()
    }?.resume()
  }

  /// Lets the lane look for what is due.
  func tick() {
    state.withLock { state in
      state.ticked = true
      return state.waiter.take()
    }?.resume()
  }

  /// Ends the lane after the step that it is at.
  func stop() {
    state.withLock { state in
      state.stopped = true
      return state.waiter.take()
    }?.resume()
  }

  var isStopped: Bool { state.withLock { $0.stopped } }
  var weight: Int { state.withLock { $0.weight } }

  /// Waits for something to do. One lane calls this, never twice at a time.
  func next(maximumCount: Int, maximumWeight: Int) async -> Delivery {
    while true {
      if let delivery = take(maximumCount, maximumWeight) { return delivery }
      await withCheckedContinuation { continuation in
        let isReady = state.withLock { state in
          if state.hasWork { return true }
          state.waiter = continuation
          return false
        }
        if isReady { continuation.resume() }
      }
    }
  }

  private func take(_ maximumCount: Int, _ maximumWeight: Int) -> Delivery? {
    state.withLock { state in
      if state.stopped { return .stop }
      // Deadlines go first, or a lane that is never idle would never look.
      if state.ticked {
        state.ticked = false
        return .tick
      }
      // What is begun is ended first, in turn with messages: a cancellation must not wait until a
      // long backlog of effects is done.
      if !state.effects.isEmpty, state.messages.isEmpty || !state.lastWereEffects {
        state.lastWereEffects = true
        let batch = Array(state.effects.prefix(maximumCount))
        state.effects.removeFirst(batch.count)
        return .effects(batch)
      }
      guard !state.messages.isEmpty else { return nil }
      state.lastWereEffects = false
      var end = 0
      var weight = 0
      while end < state.messages.count, end < maximumCount,
        end == 0 || weight + state.messages[end].weight <= maximumWeight
      {
        weight += state.messages[end].weight
        end += 1
      }
      let batch = state.messages[..<end].map(\.message)
      // At once, although the rest has to move up: messages that were taken and kept would count
      // against no bound.
      state.messages.removeFirst(end)
      state.weight -= weight
      return .messages(batch)
    }
  }
}
