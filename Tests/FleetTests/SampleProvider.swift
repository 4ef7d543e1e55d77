import Contracts
import FleetTesting
import Foundation
import Synchronization

@testable import Fleet

/// A provider with books of its own, that does what a key asks for once. The token tells what goes
/// wrong with the first calls of a key:
///
/// | token | |
/// |---|---|
/// | `flaky-N` | N failures before the work is done |
/// | `lose-N` | N lost answers after it is done |
/// | `busy-N` | N answers that it can't do this one now |
/// | `hang-N` | N calls that never end, cancelled or not |
/// | `down` | each call fails |
/// | `refused` | refused for good |
final class SampleProvider: EffectProvider {
  typealias Effect = SampleDecider.Effect
  typealias Outcome = String

  struct Charge: Hashable {
    let key: UUID
    let order: OrderID
  }

  private struct State {
    var charges: [Charge] = []
    var calls: [UUID: Int] = [:]
    var total = 0
    var underWay = 0
    var mostUnderWay = 0
    var isDown = false
    var isClosed = false
    var ignoresCancellation = false
    var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
  }

  let name = "bank"
  private let state = Mutex(State())

  /// In the order in which they were made.
  var charges: [Charge] { state.withLock { $0.charges } }
  /// All calls so far.
  var calls: Int { state.withLock { $0.total } }
  /// Calls that wait for ``open()``.
  var waiting: Int { state.withLock { $0.waiting.count } }
  var mostUnderWay: Int { state.withLock { $0.mostUnderWay } }

  /// All calls fail, or no longer.
  func set(isDown: Bool) { state.withLock { $0.isDown = isDown } }

  /// From now on calls do their work, and then wait with the answer.
  func close(ignoringCancellation: Bool = false) {
    state.withLock { state in
      state.isClosed = true
      state.ignoresCancellation = ignoringCancellation
    }
  }

  func open() {
    let waiting = state.withLock { state in
      state.isClosed = false
      defer { state.waiting = [:] }
      return state.waiting.values
    }
    for continuation in waiting { continuation.resume() }
  }

  func perform(
    _ effect: SampleDecider.Effect, key: UUID, traceparent: String?
  ) async throws(EffectFailure) -> String {
    guard case .charge(let order, let token) = effect else { return "" }
    let (number, call, isDown) = state.withLock { state in
      state.total += 1
      state.underWay += 1
      state.mostUnderWay = max(state.mostUnderWay, state.underWay)
      state.calls[key, default: 0] += 1
      return (state.total, state.calls[key, default: 0], state.isDown)
    }
    defer { state.withLock { $0.underWay -= 1 } }
    let parts = token.split(separator: "-")
    let isStruck = call <= (parts.last.flatMap { Int($0) } ?? 0)
    if isDown || token == "down" || parts.first == "flaky" && isStruck {
      throw EffectFailure(.unavailable, "provider-unavailable", "call \(call)")
    }
    if token == "refused" { throw EffectFailure(.final, "provider-refused", "call \(call)") }
    if parts.first == "busy", isStruck {
      throw EffectFailure(.busy, "provider-busy", "call \(call)")
    }
    state.withLock { state in
      let charge = Charge(key: key, order: order)
      if !state.charges.contains(charge) { state.charges.append(charge) }
    }
    if parts.first == "hang", isStruck { await forever() }
    await pass(number)
    if parts.first == "lose", isStruck {
      throw EffectFailure(.unavailable, "provider-timeout", "call \(call)")
    }
    return "ref-\(order)"
  }

  private func forever() async {
    let (stream, continuation) = AsyncStream<Void>.makeStream()
    // Apart from the caller's cancellation.
    await Task { for await _ in stream {} }.value
    continuation.finish()
  }

  private func pass(_ number: Int) async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOpen = state.withLock { state in
          if !state.isClosed || Task.isCancelled && !state.ignoresCancellation { return true }
          state.waiting[number] = continuation
          return false
        }
        if isOpen { continuation.resume() }
      }
    } onCancel: {
      state.withLock { state in
        state.ignoresCancellation ? nil : state.waiting.removeValue(forKey: number)
      }?.resume()
    }
  }
}
