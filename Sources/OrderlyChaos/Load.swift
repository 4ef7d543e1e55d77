import FleetProcesses
import Synchronization

/// Orders that flow for as long as something else takes.
final class Load: Sendable {
  /// Records a second.
  static let rate = 80
  /// Orders of one call of `orderly publish`.
  static let batch = 160

  private let fleet: Fleet
  private let firstSeed: UInt64
  private let isOver = Atomic(false)
  private let done = Mutex<[Orders]>([])

  /// - Parameter seed: those that follow it are used too.
  init(_ fleet: Fleet, seed: UInt64) {
    self.fleet = fleet
    firstSeed = seed
  }

  /// What has been published in full.
  var orders: [Orders] { done.withLock { $0 } }

  func end() { isOver.store(true, ordering: .relaxed) }

  /// Publishes until it is ended, at least once. What fails, because the brokers are away, is
  /// published again: the events of a seed have the same ids each time.
  func flow() async throws {
    var seed = firstSeed
    while !isOver.load(ordering: .relaxed) || orders.isEmpty {
      let batch = Orders(seed: seed, count: Self.batch, rate: Self.rate)
      try await eventually("orders can be published", within: .seconds(600)) {
        do {
          try await batch.publish(on: fleet)
          return true
        } catch {
          try Task.checkCancellation()
          return false
        }
      }
      done.withLock { $0.append(batch) }
      seed += 1
    }
  }
}
