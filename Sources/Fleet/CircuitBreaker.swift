import Foundation

/// Leaves a provider alone that does not work: a pure value, so that each way is tested as a table.
///
/// ```
///           failures in a row, or told to wait           the pause is over: one call goes through
///   closed ──────────────────────────────────▶ open ──────────────────────────────▶ halfOpen
///     ▲                                          ▲                                    │    │
///     │                                          └──── it fails: longer than before ──┘    │
///     └──────────────────────────────── it succeeds ───────────────────────────────────────┘
/// ```
struct CircuitBreaker: Sendable {
  enum State: Sendable, Hashable {
    case closed
    case open
    /// One call is under way, to find out.
    case halfOpen
  }

  /// Lets one call go. What has become of a call counts only while the state it began in lasts: a
  /// late answer says nothing about the provider of now.
  struct Permit: Sendable, Hashable {
    fileprivate let period: Int
  }

  private(set) var state = State.closed
  private let policy: EffectPolicy
  private var period = 0
  /// In a row, while it is closed.
  private var failures = 0
  /// In a row, without a success between them.
  private var openings = 0
  private var openedAt = Date.distantPast
  private var pause: Duration = .zero

  init(_ policy: EffectPolicy) {
    self.policy = policy
  }

  /// nil: no call may be made now.
  mutating func admit(at now: Date) -> Permit? {
    switch state {
    case .closed: break
    case .halfOpen: return nil
    case .open:
      // A clock that was set back ends the pause at once, not never.
      let isOver =
        now < openedAt || now.timeIntervalSince(openedAt) >= pause / .seconds(1)
      guard isOver else { return nil }
      change(to: .halfOpen)
    }
    return Permit(period: period)
  }

  /// The provider has answered, whatever it was.
  mutating func succeeded(_ permit: Permit) {
    guard permit.period == period else { return }
    failures = 0
    openings = 0
    if state == .halfOpen { change(to: .closed) }
  }

  /// - Parameter retryAfter: how long the provider has asked to be left alone. It opens the circuit
  ///   whatever was before.
  mutating func failed(_ permit: Permit, retryAfter: Duration? = nil, at now: Date) {
    guard permit.period == period else { return }
    failures += 1
    guard state == .halfOpen || failures >= policy.failuresToOpen || retryAfter != nil else {
      return
    }
    openings += 1
    failures = 0
    openedAt = now
    pause = max(
      policy.pause.delay(afterAttempt: openings), min(retryAfter ?? .zero, policy.pause.cap))
    change(to: .open)
  }

  /// The call was given up before anything could be said.
  mutating func abandoned(_ permit: Permit) {
    guard permit.period == period, state == .halfOpen else { return }
    // The pause is over already: the next call finds out.
    change(to: .open)
  }

  private mutating func change(to state: State) {
    self.state = state
    period += 1
  }
}
