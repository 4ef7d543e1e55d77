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
  /// By the clock's `uptime`.
  private var lastFailed: Duration?
  private var delay: Duration = .zero

  init(_ call: Call) {
    self.call = call
  }

  mutating func failed(at uptime: Duration) {
    failures += 1
    lastFailed = uptime
    delay = Backoff.connection.delay(afterAttempt: failures)
  }

  func isDue(at uptime: Duration) -> Bool {
    guard let lastFailed else { return true }
    return uptime - lastFailed >= delay
  }
}
