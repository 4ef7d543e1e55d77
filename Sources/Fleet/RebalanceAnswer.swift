import Foundation

/// What the client waits for after a rebalance, and when it is told again after a failure.
struct RebalanceAnswer: Sendable {
  /// The raw values complete "can't …".
  enum Call: String, Sendable {
    case take = "look up the numbers of partitions"
    case assign = "take the partitions that the group has assigned"
    case resume = "resume the partitions that the group has assigned"
    case refuse = "refuse the partitions that the group has assigned"
    case unassign = "give up the partitions that the group has revoked"
  }

  let call: Call
  private var failures = 0
  private var lastFailed: Date?
  private var delay: Duration = .zero

  init(_ call: Call) {
    self.call = call
  }

  mutating func failed(at now: Date) {
    failures += 1
    lastFailed = now
    delay = Backoff.connection.delay(afterAttempt: failures)
  }

  /// A clock that was set back makes it due at once, not never.
  func isDue(at now: Date) -> Bool {
    guard let lastFailed else { return true }
    return now < lastFailed || now.timeIntervalSince(lastFailed) >= delay / .seconds(1)
  }
}
