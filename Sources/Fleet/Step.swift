import Contracts
import Foundation

/// What a committed step leaves to be done and told.
struct StepResult: Sendable {
  var outbox: [OutboxRecord] = []
  /// Stored, to be performed.
  var effects: [StoredEffect] = []
  var deadLetters: [DeadLetter] = []
  /// Dead letters whose replays have failed: they are in their topic since they first did.
  var reopened: [DeadLetter] = []
  /// Those whose replays are handled.
  var resolved: [UUID] = []
  /// Events by type.
  var handled: [String: Int] = [:]
  var duplicates = 0
  /// What has become of parked keys.
  var changes: [KeyChange] = []
}

/// One step: what happens to a batch inside its transaction (README: "How it stays correct").
struct Step<D: Decider, Performer: EffectPerformer>: Sendable
where Performer.Effect == D.Effect, Performer.Outcome == D.Outcome {
  let service: ServiceName
  let decider: D
  let performer: Performer
  var limits = FleetLimits()
  /// Effects are stored, and their answers come back as items; else `performer` gives them.
  var storesEffects = false

  /// Where and when a batch is handled.
  struct Context: Sendable {
    let lane: Int32
    let epoch: Int64
    /// The first free place in the lane's outbox order.
    let nextSequence: Int64
    let now: Date
    /// Which attempt at these items this is, from 1.
    var attempt: Int
  }

  /// Items of the batch failed in a way that may mend, by their places in it; each is the first of
  /// its order to do so, and the other orders are not to blame.
  struct ItemFailures: Error {
    var causes: [Int: TransientFailure]
  }

  func run<T: StepTransaction<D.Rows>>(
    _ items: [LaneItem], _ context: Context, in transaction: T
  ) throws -> StepResult {
    if case .retry = items.first { return try retry(items, context, in: transaction) }
    var result = StepResult()
    let ids = items.map { $0.id(in: service) }
    let keys = Array(Set(items.lazy.compactMap(\.fencedKey)))
    var admission = try transaction.admit(
      ids, keys: keys, lane: context.lane, epoch: context.epoch)
    // Removing on first sight makes the second copy within one batch a duplicate too.
    let isNew = ids.map { admission.fresh.remove($0) != nil }
    result.duplicates = isNew.count { !$0 }
    try settle(items, isNew: isNew, context, in: transaction, &result)
    guard result.duplicates < items.count else { return result }

    let diversion = Diversion(
      items, isNew: isNew, fenced: admission.parked, service: service, tiers: limits.parking,
      at: context.now)
    result.deadLetters += diversion.letters
    result.changes = diversion.changes
    let emitted = try decideAll(
      items, ids, diversion.decided, context, in: transaction, &result)
    if !diversion.keys.isEmpty { try transaction.fence(diversion.keys, lane: context.lane) }
    if !diversion.parked.isEmpty { try transaction.park(diversion.parked, lane: context.lane) }
    try send(emitted, context, in: transaction, &result)
    return result
  }

  /// Writes the emitted events, the effects and the dead letters.
  func send<T: StepTransaction<D.Rows>>(
    _ emitted: Emissions, _ context: Context, in transaction: T, _ result: inout StepResult
  ) throws {
    var sequence = context.nextSequence
    for event in emitted.events {
      result.outbox.append(try OutboxRecord(event, sequence: sequence))
      sequence += 1
    }
    for letter in result.deadLetters {
      result.outbox.append(OutboxRecord(letter, sequence: sequence))
      sequence += 1
    }
    let letters = result.deadLetters + result.reopened
    if !letters.isEmpty { try transaction.record(letters, lane: context.lane) }
    result.effects = try emitted.requests.map { try stored($0, at: context.now) }
    if !result.effects.isEmpty {
      try transaction.store(result.effects, lane: context.lane)
    }
    if !result.outbox.isEmpty {
      try transaction.append(result.outbox, lane: context.lane)
    }
  }

  /// - Parameter places: those of the items to decide: events, deadlines and outcomes.
  private func decideAll<T: StepTransaction<D.Rows>>(
    _ items: [LaneItem], _ ids: [UUID], _ places: [Int], _ context: Context, in transaction: T,
    _ result: inout StepResult
  ) throws -> Emissions {
    // What is dead or parked touches no rows, whatever is wrong with them.
    guard !places.isEmpty else { return Emissions() }
    var payloads: [EventPayload] = []
    var orders: Set<OrderID> = []
    var questions: [(place: Int, input: Input<D.Outcome>, cause: Cause)] = []
    for place in places {
      if let (input, cause) = try question(items[place], id: ids[place]) {
        questions.append((place, input, cause))
      }
      if case .event(let event, _) = items[place] { payloads.append(event.payload) }
      if let order = items[place].order { orders.insert(order) }
    }
    var rows = try transaction.load(payloads, orders: orders.sorted(), at: context.now)
    var emitted = Emissions()
    var failures: [Int: TransientFailure] = [:]
    var failedOrders: Set<OrderID> = []
    for (place, input, cause) in questions {
      // What follows a failed event of its order has to wait for it.
      if failedOrders.contains(input.orderID) { continue }
      do throws(TransientFailure) {
        try decide(input, cause, context, &rows, &emitted)
        result.handled[items[place].kind, default: 0] += 1
      } catch {
        failures[place] = error
        failedOrders.insert(input.orderID)
      }
    }
    // All of them at once, so that a batch is run twice at most however many have failed.
    guard failures.isEmpty else { throw ItemFailures(causes: failures) }
    try transaction.save(rows, lane: context.lane, at: context.now)
    return emitted
  }

  /// Decides one input. The effects that it asks for are put with what it emits; or else performed
  /// and their outcomes decided, until there are none left.
  func decide(
    _ input: Input<D.Outcome>, _ cause: Cause, _ context: Context, _ rows: inout D.Rows,
    _ emitted: inout Emissions
  ) throws(TransientFailure) {
    var inputs = [input]
    var counts: [EventType: Int] = [:]
    while !inputs.isEmpty {
      let next = inputs.removeFirst()
      let decision = decider.decide(next, at: context.now, in: &rows)
      for payload in decision.emits {
        emitted.events.append(
          Event.emitted(
            payload, by: service, because: cause.id, causationID: cause.event,
            traceparent: cause.traceparent, index: counts[payload.type, default: 0],
            at: context.now))
        counts[payload.type, default: 0] += 1
      }
      if storesEffects {
        emitted.requests += decision.effects.enumerated().map { index, effect in
          Request(effect: effect, order: next.orderID, cause: cause, index: index)
        }
        continue
      }
      for effect in decision.effects {
        let outcome = try performer.perform(effect, attempt: context.attempt)
        inputs.append(.outcome(outcome, of: next.orderID))
      }
    }
  }
}
