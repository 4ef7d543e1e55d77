import Contracts
import Foundation

/// The bounds of the runtime.
public struct FleetLimits: Sendable {
  /// Most events in one step.
  public var stepEvents = 500
  /// Most bytes in one step, except that one event always fits.
  public var stepBytes = 4 << 20
  /// A lane's queue over this many bytes pauses its partitions; below half of it they resume.
  public var queueBytes = 8 << 20
  /// Most messages taken from the client at once.
  public var pollMessages = 2_000
  /// Tries in place of an event whose failure may mend, before its key is parked; at least 1. Few,
  /// because its lane waits.
  public var attempts = 3
  /// How parked keys are tried again.
  public var parking = ParkingTiers()
  /// How often finished offsets are committed.
  public var commitInterval: Duration = .milliseconds(500)
  /// How often lanes look for deadlines and for parked keys to try again.
  public var tickInterval: Duration = .seconds(1)
  /// After how many ticks a lane looks for rows in its outbox that it does not know of.
  public var outboxTicks = 30
  /// How often a lane marks how far it has read.
  public var markInterval: Duration = .seconds(3_600)
  /// How long an event's id is remembered after the log has lost all records that were there when it
  /// was handled: the time within which a second copy of an event follows the first.
  public var forgetGrace: Duration = .seconds(86_400)
  /// Most rows of a table that a lane deletes at one tick.
  public var forgetRows = 1_000
  /// A lane that waits for longer than this, for one step or for records to be taken by the
  /// brokers, is reported as a trouble.
  public var stuckAfter: Duration = .seconds(30)
  /// How long lanes may take to end their step when partitions are taken away or the process
  /// stops. Below Kafka's session and poll timeouts.
  public var stopTimeout: Duration = .seconds(10)

  public init() {}
}

/// How parked keys are tried again, by the reason of the failure: a provider that is down for hours
/// wants other waits than a lookup that is slow.
public struct ParkingTiers: Sendable {
  /// For the reasons that ``byReason`` does not name.
  public var standard: ParkingPolicy
  /// By ``TransientFailure/reason``.
  public var byReason: [String: ParkingPolicy]

  public init(standard: ParkingPolicy = ParkingPolicy(), byReason: [String: ParkingPolicy] = [:]) {
    self.standard = standard
    self.byReason = byReason
  }

  func policy(for reason: String) -> ParkingPolicy { byReason[reason] ?? standard }
}

/// How often, and how long apart, the first event of a parked key is tried.
public struct ParkingPolicy: Sendable {
  /// Tries of an event while its key is parked, before it is dead-lettered; at least 1.
  public var attempts: Int
  /// The wait before the first of them is that after the first attempt.
  public var backoff: Backoff

  public init(attempts: Int = 8, backoff: Backoff = .parked) {
    self.attempts = attempts
    self.backoff = backoff
  }

  /// When a key is tried next whose first event has failed `attempts` times since it was parked.
  ///
  /// The jitter follows from the key: different keys spread, and the same run gives the same times.
  func nextAttempt(of key: OrderID, after attempts: Int, at now: Date) -> Date {
    let hash = UUID(version5Of: "\(key.rawValue)/\(attempts)", namespace: .orderlyEvents).uuid
    let delay = backoff.delay(afterAttempt: attempts + 1, jitter: 0.5 + Double(hash.0) / 510)
    return now + delay / .seconds(1)
  }
}
