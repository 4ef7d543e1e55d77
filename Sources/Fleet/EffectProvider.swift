public import Contracts
public import Foundation

/// Performs effects outside of the process, at a payment provider's or a carrier's, where the answer
/// may take long, and may be lost.
public protocol EffectProvider<Effect, Outcome>: Sendable {
  associatedtype Effect: EffectRequest
  associatedtype Outcome: Codable & Sendable

  /// For logs and `/readyz`: `payment provider`.
  var name: String { get }

  /// Asks the provider once, and ends soon when its task is cancelled.
  ///
  /// The same key may come again, even while an earlier call is under way: after a timeout, or after
  /// a worker has crashed. The provider must do the thing once, and give the same answer.
  ///
  /// - Parameters:
  ///   - key: the idempotency key, ``StoredEffect/id``: the same for each call of one effect.
  ///   - traceparent: the W3C trace context to pass on; nil where there is none.
  /// - Throws: what has become of the call if there is no answer that decides. An outcome that is
  ///   not known is never thrown as final.
  func perform(
    _ effect: Effect, key: UUID, traceparent: String?
  ) async throws(EffectFailure) -> Outcome
}

/// A call that has brought no answer to decide on.
public struct EffectFailure: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Kind: Sendable, Hashable {
    /// The provider can't be reached, does not answer, or answers that it can't work now. It counts
    /// against the provider: others would fare the same.
    case unavailable
    /// The provider works, but can't do this one now.
    case busy
    /// The provider has refused, and would again. Somebody has to look at it.
    case final
  }

  /// The ``reason`` of a call that could not be made: its stored request is not understood.
  static let unreadableRequest = "unreadable-request"

  public let kind: Kind
  /// A stable word: `provider-unavailable`.
  public let reason: String
  /// What happened, for a person.
  public let detail: String
  /// How long the provider has asked to be left alone.
  public let retryAfter: Duration?

  public init(_ kind: Kind, _ reason: String, _ detail: String, retryAfter: Duration? = nil) {
    self.kind = kind
    self.reason = reason
    // Some of it is the provider's own words, on their way to logs and operators' terminals.
    self.detail = DeadLetter.printable(detail)
    self.retryAfter = retryAfter
  }

  public var description: String { "\(reason): \(detail)" }
}

/// How the effects of a service are performed: how many at a time, and how often.
public struct EffectPolicy: Sendable {
  /// Most calls under way in this process; at least 1.
  public var concurrency: Int
  /// After this a call is given up: the outcome is unknown, and it is asked for again.
  public var deadline: Duration
  /// Calls before an effect is dead-lettered; at least 1.
  public var attempts: Int
  /// The waits between them.
  public var backoff: Backoff
  /// Failures of the provider in a row after which it is left alone for a while; at least 1.
  public var failuresToOpen: Int
  /// How long it is left alone: the wait after the first time, the second in a row, and so on.
  public var pause: Backoff
  /// Most effects of a lane that are kept in memory; the others wait in the database.
  public var held = 500

  public init(
    concurrency: Int = 16, deadline: Duration = .seconds(30), attempts: Int = 10,
    backoff: Backoff = .parked, failuresToOpen: Int = 5,
    pause: Backoff = Backoff(base: .seconds(1), cap: .seconds(60))
  ) {
    self.concurrency = concurrency
    self.deadline = deadline
    self.attempts = attempts
    self.backoff = backoff
    self.failuresToOpen = failuresToOpen
    self.pause = pause
  }

  /// When an effect is called again that has failed `attempts` times.
  ///
  /// The jitter follows from the effect: different ones spread, and the same run gives the same
  /// times.
  ///
  /// - Parameter asked: how long the provider wants to be left alone; no longer than the longest
  ///   wait counts.
  func nextAttempt(
    of id: UUID, after attempts: Int, asked: Duration?, at now: Date
  ) -> Date {
    let delay = backoff.delay(
      afterAttempt: attempts, jitter: 0.5 + Double(id.uuid.15) / 510)
    return now + max(delay, min(asked ?? .zero, backoff.cap)) / .seconds(1)
  }
}
