import Foundation

/// What spreads the waits of those that failed together.
public struct Jitter: Sendable {
  /// Any number of that range, as likely as another.
  public static let random = Jitter { .random(in: 0.5...1) }

  /// Returns a number from 0.5 to 1.
  public let draw: @Sendable () -> Double

  public init(draw: @escaping @Sendable () -> Double) {
    self.draw = draw
  }
}

/// How long to wait before trying again: exponential with jitter, bounded.
public struct Backoff: Sendable {
  /// The longest wait after the first failure; more than zero.
  public var base: Duration
  /// No wait is longer; not below `base`.
  public var cap: Duration
  /// How many times as long each wait is as the one before; at least 1.
  public var factor: Double

  public init(base: Duration, cap: Duration, factor: Double = 2) {
    self.base = base
    self.cap = cap
    self.factor = factor
  }

  /// For a database or broker that does not answer. The cap keeps a lane able to notice that it is
  /// to stop.
  public static let connection = Backoff(base: .milliseconds(50), cap: .seconds(2))
  /// For a lane that somebody else has taken over while it is assigned to this process: time for
  /// the group to say whose it is.
  public static let takeOver = Backoff(base: .seconds(1), cap: .seconds(2))
  /// For events that fail while their lane waits.
  public static let event = Backoff(base: .milliseconds(20), cap: .milliseconds(500))
  /// For parked keys: the eighth wait is the first that is as long as the cap.
  public static let parked = Backoff(base: .seconds(1), cap: .seconds(900), factor: 2.65)

  /// Where the jitter comes from. A run that has to be repeatable gives its own.
  @TaskLocal public static var jitter = Jitter.random

  /// The wait after the `attempt`-th failure, from 1: between half of and the whole exponential.
  /// Jitter keeps lanes that failed together from coming back together.
  ///
  /// - Parameter jitter: from 0.5 to 1; ``jitter`` draws it where none is given.
  public func delay(afterAttempt attempt: Int, jitter: Double? = nil) -> Duration {
    // Bounded before it is multiplied: a Duration traps where it overflows.
    let growth = min(pow(factor, Double(min(max(attempt - 1, 0), 1_000))), cap / base)
    return base * growth * (jitter ?? Self.jitter.draw())
  }
}
