import Workload

/// What can go wrong in a run.
public enum FaultKind: String, CaseIterable, Sendable {
  // At a port's call
  case crashBefore = "crash-before-call"
  case crashAfter = "crash-after-call"
  case crashInTransaction = "crash-in-transaction"
  case failure = "failed-call"
  case lostReply = "lost-reply"
  case commitInFlight = "commit-in-flight"
  case conflict = "conflict"
  case slowCall = "slow-call"
  case partialPublish = "partial-publish"
  case doubledRecord = "doubled-record"
  case latePublish = "late-publish"
  case busyProvider = "busy-provider"
  case lateAnswer = "late-answer"
  // At any time
  case kill = "kill"
  case stop = "stop"
  case join = "join"
  case freeze = "freeze"
  case expel = "expel"
  case databaseOutage = "database-outage"
  case brokerOutage = "broker-outage"
  case providerOutage = "provider-outage"
  case clockJump = "clock-jump"
  case rewind = "rewind"

  /// Those that come by themselves, in the order in which they are drawn.
  static let events: [FaultKind] = [
    .kill, .stop, .join, .freeze, .expel, .databaseOutage, .brokerOutage, .providerOutage,
    .clockJump, .rewind,
  ]
}

/// Which faults a run has and how often. Each run leaves some kinds out, so that the others are
/// seen without them as well.
struct FaultMix: Sendable {
  /// Of a port's call.
  private var probabilities: [FaultKind: Double] = [:]
  /// Those that come by themselves.
  let events: [FaultKind]
  /// Microseconds between two of those, on average.
  let eventInterval: Int
  /// Microseconds.
  let usualLatency: Int

  init(_ random: inout SplitMix64) {
    let heat = random.pick([0.3, 1.0, 1.0, 3.0])
    let usual: [(FaultKind, Double)] = [
      (.crashBefore, 0.002), (.crashAfter, 0.003), (.crashInTransaction, 0.001),
      (.failure, 0.01), (.lostReply, 0.01), (.commitInFlight, 0.01), (.conflict, 0.01),
      (.slowCall, 0.003), (.partialPublish, 0.03), (.doubledRecord, 0.03), (.latePublish, 0.3),
      (.busyProvider, 0.05), (.lateAnswer, 0.05),
    ]
    for (kind, probability) in usual {
      probabilities[kind] = random.chance(0.6) ? probability * heat : 0
    }
    var events: [FaultKind] = []
    for kind in FaultKind.events where random.chance(0.6) { events.append(kind) }
    self.events = events
    eventInterval = random.pick([300_000, 1_000_000, 3_000_000])
    usualLatency = random.pick([200, 2_000, 20_000])
  }

  subscript(kind: FaultKind) -> Double { probabilities[kind] ?? 0 }

  func latency(_ scheduler: Scheduler) -> Int {
    scheduler.draw { 1 + $0.below(usualLatency) }
  }
}
