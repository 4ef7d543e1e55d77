import Synchronization

/// A number that only grows. Kept as an integer, updated without a lock.
final class PrometheusCounter: CounterHandler {
  private let count = Atomic<UInt64>(0)

  func increment(by amount: Int64) {
    guard amount > 0 else { return }
    count.wrappingAdd(UInt64(amount), ordering: .relaxed)
  }

  var value: UInt64 { count.load(ordering: .relaxed) }
}

/// A number as it is. Kept as the bits of a Double, updated without a lock.
final class PrometheusGauge: RecorderHandler {
  private let bits = Atomic<UInt64>(0)

  func record(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

  var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }
}

/// A distribution over fixed buckets.
final class PrometheusHistogram: RecorderHandler, TimerHandler {
  struct State: Sendable {
    /// How many values fell into each bucket, and last those above all bounds.
    var counts: [UInt64]
    var sum = 0.0
  }

  /// Upper bounds, ascending; a value equal to a bound belongs to its bucket.
  let bounds: [Double]
  private let state: Mutex<State>

  init(bounds: [Double]) {
    self.bounds = bounds
    state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
  }

  /// Adds a value. NaN is ignored: it would make the sum useless for ever.
  func record(_ value: Double) {
    guard !value.isNaN else { return }
    let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
    state.withLock {
      $0.counts[bucket] += 1
      $0.sum += value
    }
  }

  func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

  var snapshot: State { state.withLock { $0 } }
}
