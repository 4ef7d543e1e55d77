import Contracts
import Foundation

/// What a committed step leaves to be done and told.
struct StepResult: Sendable {
  var outbox: [OutboxRecord] = []
  var deadLetters: [DeadLetter] = []
  /// Events by type.
  var handled: [String: Int] = [:]
  var duplicates = 0
}

/// One step: what happens to a batch inside its transaction (DESIGN: "One step").
struct Step<D: Decider, Performer: EffectPerformer>: Sendable
where Performer.Effect == D.Effect, Performer.Outcome == D.Outcome {
  let service: ServiceName
  let decider: D
  let performer: Performer

  /// Where and when a batch is handled.
  struct Context: Sendable {
    let lane: Int32
    let epoch: Int64
    /// The first free place in the lane's outbox order.
    let nextSequence: Int64
    let now: Date
    /// Which attempt at these items this is, from 1.
    let attempt: Int
  }

  /// Items of the batch failed in a way that may mend, by their places in it; each is the first of
  /// its order to do so, and the other orders are not to blame.
  struct ItemFailures: Error {
    var causes: [Int: TransientFailure]
  }

  func run<T: StepTransaction<D.Rows>>(
    _ items: [LaneItem], _ context: Context, in transaction: T
  ) throws -> StepResult {
    var result = StepResult()
    let ids = items.map { $0.id(in: service) }
    var fresh = try transaction.admit(ids, lane: context.lane, epoch: context.epoch)
    // Removing on first sight makes the second copy within one batch a duplicate too.
    let isNew = ids.map { fresh.remove($0) != nil }
    result.duplicates = isNew.count { !$0 }
    guard result.duplicates < items.count else { return result }

    var emitted: [Event] = []
    try decideAll(items, ids, isNew, context, in: transaction, &emitted, &result)

    var sequence = context.nextSequence
    for event in emitted {
      result.outbox.append(try OutboxRecord(event, sequence: sequence))
      sequence += 1
    }
    for letter in result.deadLetters {
      result.outbox.append(OutboxRecord(letter, sequence: sequence))
      sequence += 1
    }
    if !result.deadLetters.isEmpty {
      try transaction.record(result.deadLetters, lane: context.lane)
    }
    if !result.outbox.isEmpty {
      try transaction.append(result.outbox, lane: context.lane)
    }
    return result
  }

  private func decideAll<T: StepTransaction<D.Rows>>(
    _ items: [LaneItem], _ ids: [UUID], _ isNew: [Bool], _ context: Context, in transaction: T,
    _ emitted: inout [Event], _ result: inout StepResult
  ) throws {
    var payloads: [EventPayload] = []
    var orders: Set<OrderID> = []
    for (item, isNew) in zip(items, isNew) where isNew {
      if case .event(let event, _) = item { payloads.append(event.payload) }
      // A dead letter touches no rows, whatever is wrong with them.
      if case .dead = item { continue }
      if let order = item.order { orders.insert(order) }
    }
    guard !orders.isEmpty else {
      for (item, isNew) in zip(items, isNew) where isNew { bury(item, context, &result) }
      return
    }
    var rows = try transaction.load(payloads, orders: orders.sorted(), at: context.now)
    var failures: [Int: TransientFailure] = [:]
    var failedOrders: Set<OrderID> = []
    for index in items.indices where isNew[index] {
      // What follows a failed event of its order has to wait for it.
      if let order = items[index].order, failedOrders.contains(order) { continue }
      do throws(TransientFailure) {
        switch items[index] {
        case .event(let event, _):
          try decide(
            .event(event.payload), ids[index], event.traceparent, context, &rows, &emitted)
          result.handled[event.type.rawValue, default: 0] += 1
        case .deadline(let order):
          try decide(.deadline(order), ids[index], nil, context, &rows, &emitted)
          result.handled["deadline", default: 0] += 1
        case .unreadable, .dead:
          bury(items[index], context, &result)
        }
      } catch {
        failures[index] = error
        if let order = items[index].order { failedOrders.insert(order) }
      }
    }
    // All of them at once, so that a batch is run twice at most however many have failed.
    guard failures.isEmpty else { throw ItemFailures(causes: failures) }
    try transaction.save(rows, lane: context.lane, at: context.now)
  }

  /// Decides one input, performs the effects that it asks for and decides their outcomes, until
  /// there are none left.
  private func decide(
    _ input: Input<D.Outcome>, _ cause: UUID, _ traceparent: String?, _ context: Context,
    _ rows: inout D.Rows, _ emitted: inout [Event]
  ) throws(TransientFailure) {
    var inputs = [input]
    var counts: [EventType: Int] = [:]
    while !inputs.isEmpty {
      let next = inputs.removeFirst()
      let decision = decider.decide(next, at: context.now, in: &rows)
      for payload in decision.emits {
        emitted.append(
          .emitted(
            payload, by: service, because: cause, traceparent: traceparent,
            index: counts[payload.type, default: 0], at: context.now))
        counts[payload.type, default: 0] += 1
      }
      for effect in decision.effects {
        let outcome = try performer.perform(effect, attempt: context.attempt)
        inputs.append(.outcome(outcome, of: next.orderID))
      }
    }
  }

  private func bury(_ item: LaneItem, _ context: Context, _ result: inout StepResult) {
    switch item {
    case .unreadable(let error, let message):
      result.deadLetters.append(
        DeadLetter(
          service: service, message: message, reason: error.reason.rawValue, detail: error.detail,
          attempts: 1, firstFailed: context.now, lastFailed: context.now))
    case .dead(let letter):
      result.deadLetters.append(letter)
    case .event, .deadline:
      break
    }
  }
}
