import Contracts
import Foundation

/// What is done with the items of a batch: a pure value, so that each case is tested as a table.
struct Diversion: Sendable {
  /// The places of the items to be decided.
  private(set) var decided: [Int] = []
  /// Events that go to the queues of their keys, in order.
  private(set) var parked: [ParkedEvent] = []
  /// The fences that are put up by this batch.
  private(set) var keys: [ParkedKey] = []
  private(set) var letters: [DeadLetter] = []
  /// What to tell about the keys.
  private(set) var changes: [KeyChange] = []

  private let service: ServiceName
  private let tiers: ParkingTiers
  private let now: Date
  private var fenced: Set<OrderID>

  /// - Parameter fenced: the parked keys among those of the items.
  init(
    _ items: [LaneItem], isNew: [Bool], fenced: Set<OrderID>, service: ServiceName,
    tiers: ParkingTiers, at now: Date
  ) {
    self.service = service
    self.tiers = tiers
    self.now = now
    self.fenced = fenced
    for (index, item) in items.enumerated() where isNew[index] { add(item, at: index) }
  }

  private mutating func add(_ item: LaneItem, at index: Int) {
    switch item {
    case .event(let event, let message):
      if fenced.contains(event.orderID) {
        parked.append(ParkedEvent(event, message))
      } else {
        decided.append(index)
      }
    case .deadline:
      // It is no message that could wait in a queue, and the rules answer it in every state. Held
      // back it would be found again at every tick, and take the place of others.
      decided.append(index)
    case .parked(let event):
      parked.append(event)
      if let failure = event.failure, fenced.insert(event.order).inserted {
        let key = ParkedKey(
          event.order, .waiting, after: failure, attempts: 0,
          nextAttempt: tiers.policy(for: failure.reason)
            .nextAttempt(of: event.order, after: 0, at: now))
        keys.append(key)
        changes.append(.parked(key, event: event.id))
      }
    case .unreadable(let error, let message):
      // What can't be read has no key that could be trusted, and parks nothing.
      letters.append(
        DeadLetter(
          service: service, message: message, reason: error.reason.rawValue, detail: error.detail,
          attempts: 1, firstFailed: now, lastFailed: now))
    case .dead(let letter):
      letters.append(letter)
      guard let order = letter.order, let event = letter.eventID else { break }
      // A fence that has been put up since the event was tried stands for replays, which still go
      // before it.
      let isFirst = fenced.insert(order).inserted
      let key = ParkedKey(
        order, isFirst ? .dead : .waiting, after: letter.failure, attempts: 0,
        nextAttempt: now, behind: letter.id)
      keys.append(key)
      changes.append(.givenUp(key, event: event))
    case .effect(let effect):
      // Like a deadline. What is not done is no matter of the rules.
      if effect.state == .done { decided.append(index) }
    case .retry:
      break
    }
  }
}

/// Why the trying of a queue has ended before the queue has.
enum QueueFailure: Sendable {
  case transient(TransientFailure)
  /// No further try can help.
  case final(reason: String, detail: String)
}

/// What becomes of a parked key after it was tried: a pure value, so that each case is tested as a
/// table.
struct QueueSettlement: Sendable {
  /// Events that leave the queue.
  private(set) var gone: [UUID] = []
  /// The first event, when it has failed and stays.
  private(set) var head: ParkedEvent?
  private(set) var letter: DeadLetter?
  /// Whether ``letter`` is one that was there before and whose replay has failed.
  private(set) var isReopened = false
  /// Letters whose replays are handled.
  private(set) var resolved: [UUID] = []
  /// The key as it is from now on; nil when the fence is lifted.
  private(set) var key: ParkedKey?
  let change: KeyChange

  /// - Parameters:
  ///   - handled: how many events of the queue were handled.
  ///   - failure: what has happened to the one after them.
  init(
    _ queue: ParkedQueue, handled: Int, failure: QueueFailure?, service: ServiceName,
    tiers: ParkingTiers, at now: Date
  ) {
    gone = queue.events.prefix(handled).map(\.id)
    resolved = queue.events.prefix(handled).compactMap(\.deadLetter)
    var rest = queue.dropping(handled)
    if let behind = rest.key.behind, resolved.contains(behind) { rest.key.behind = nil }
    let key = rest.key
    guard let failure, rest.triable > 0, var event = rest.events.first else {
      self.key = rest.goingOn(at: now)
      change = self.key.map(KeyChange.retried) ?? .released(key.key)
      return
    }
    // The attempts are those of the first event.
    let attempts = (handled == 0 ? key.attempts : 0) + 1
    let isLast: Bool
    let failed: EventFailure
    let policy: ParkingPolicy
    switch failure {
    case .transient(let cause):
      failed = event.failing(cause.reason, cause.detail, at: now)
      policy = tiers.policy(for: cause.reason)
      isLast = attempts >= policy.attempts || handled == 0 && key.isLastTry
    case .final(let reason, let detail):
      failed = event.failing(reason, detail, at: now)
      policy = tiers.standard
      isLast = true
    }
    event.failure = failed
    if isLast {
      let letter = DeadLetter(event, service: service, failure: failed)
      gone.append(event.id)
      self.letter = letter
      isReopened = event.deadLetter != nil
      let dead = ParkedKey(
        key.key, .dead, after: failed, attempts: attempts, nextAttempt: now,
        behind: isReopened ? key.behind : letter.id)
      // A replay that fails stops only an order that had stopped before.
      rest.key = dead
      self.key = isReopened ? rest.dropping(1).goingOn(at: now) : dead
      change =
        self.key.map { $0.state == .dead ? .givenUp($0, event: event.id) : .retried($0) }
        ?? .released(key.key)
    } else {
      let waiting = ParkedKey(
        key.key, .waiting, after: failed, attempts: attempts,
        nextAttempt: policy.nextAttempt(of: key.key, after: attempts, at: now), behind: key.behind)
      head = event
      self.key = waiting
      change = .retried(waiting)
    }
  }
}

extension ParkedQueue {
  /// What is left when its first `count` events have left it.
  fileprivate func dropping(_ count: Int) -> ParkedQueue {
    ParkedQueue(key: key, events: Array(events.dropFirst(count)), length: length - count)
  }

  /// The fence in front of what has not been tried; nil when none is needed any more.
  fileprivate func goingOn(at now: Date) -> ParkedKey? {
    if length == 0, key.behind == nil { return nil }
    var key = key
    // The rest of a long queue comes with the next tick; what may not be tried stays.
    let isStopped = length == 0 || !events.isEmpty && triable == 0
    key.state = isStopped ? .dead : .waiting
    if !isStopped { key.attempts = 0 }
    key.isLastTry = false
    key.nextAttempt = now
    return key
  }
}

/// What a step has done to a key, for the log.
enum KeyChange: Sendable {
  case parked(ParkedKey, event: UUID)
  case retried(ParkedKey)
  case givenUp(ParkedKey, event: UUID)
  case released(OrderID)
}
