import Contracts
import Foundation

extension Step {
  /// Tries parked keys that are due: of each as much of its queue, in order, as succeeds.
  ///
  /// The ids of the events are in the inbox since they came; what makes this happen once is that
  /// an event leaves its queue in the transaction that handles it. Keys that are not due any more
  /// drop out, so that repeating a step whose COMMIT may have been done costs no attempt.
  func retry<T: StepTransaction<D.Rows>>(
    _ items: [LaneItem], _ context: Context, in transaction: T
  ) throws -> StepResult {
    var result = StepResult()
    _ = try transaction.admit([], lane: context.lane, epoch: context.epoch)
    var limit = limits.stepEvents
    var refusal: String?
    switch items.first {
    case .retry(_, .head): limit = 1
    case .retry(_, .refused(let detail)): (limit, refusal) = (1, detail)
    default: break
    }
    let queues = try transaction.dueQueues(
      of: items.compactMap(\.order), lane: context.lane, at: context.now, limit: limit,
      bytes: limits.stepBytes)
    guard !queues.isEmpty else { return result }

    var emitted = Emissions()
    let settlements: [QueueSettlement]
    if let refusal {
      // What the database refuses may be in the rows, so that they are not touched.
      settlements = queues.map {
        settlement($0, 0, .final(reason: DeadLetter.rejected, detail: refusal), context)
      }
    } else {
      settlements = try tryAll(queues, context, in: transaction, &emitted, &result)
    }
    result.deadLetters = settlements.filter { !$0.isReopened }.compactMap(\.letter)
    result.reopened = settlements.filter(\.isReopened).compactMap(\.letter)
    result.resolved = settlements.flatMap(\.resolved)
    result.changes = settlements.map(\.change)
    try send(emitted, context, in: transaction, &result)
    try write(settlements, result.resolved, context, in: transaction)
    return result
  }

  private func settlement(
    _ queue: ParkedQueue, _ handled: Int, _ failure: QueueFailure?, _ context: Context
  ) -> QueueSettlement {
    QueueSettlement(
      queue, handled: handled, failure: failure, service: service, tiers: limits.parking,
      at: context.now)
  }

  private func tryAll<T: StepTransaction<D.Rows>>(
    _ queues: [ParkedQueue], _ context: Context, in transaction: T, _ emitted: inout Emissions,
    _ result: inout StepResult
  ) throws -> [QueueSettlement] {
    let contents = queues.map { $0.events.map { LaneItem($0.message, for: service) } }
    let payloads = contents.joined().compactMap { item in
      if case .event(let event, _) = item { event.payload } else { nil }
    }
    var rows = try transaction.load(
      payloads, orders: queues.map(\.key.key).sorted(), at: context.now)
    var settlements: [QueueSettlement] = []
    for (queue, items) in zip(queues, contents) {
      var handled = 0
      var failure: QueueFailure?
      while handled < queue.triable, failure == nil {
        failure = tryOne(
          items[handled], queue.events[handled], context, &rows, &emitted, &result)
        if failure == nil { handled += 1 }
      }
      settlements.append(settlement(queue, handled, failure, context))
    }
    try transaction.save(rows, lane: context.lane, at: context.now)
    return settlements
  }

  /// An event that fails leaves `rows` and `emitted` as they were: what the events before it, and
  /// other keys, have done is kept.
  private func tryOne(
    _ item: LaneItem?, _ parked: ParkedEvent, _ context: Context, _ rows: inout D.Rows,
    _ emitted: inout Emissions, _ result: inout StepResult
  ) -> QueueFailure? {
    switch item {
    case .event(let event, _):
      var context = context
      context.attempt = (parked.failure?.attempts ?? 0) + 1
      var (newRows, new) = (rows, Emissions())
      do throws(TransientFailure) {
        try decide(
          .event(event.payload),
          Cause(id: event.id, event: event.id, traceparent: event.traceparent), context, &newRows,
          &new)
      } catch {
        return .transient(error)
      }
      rows = newRows
      emitted.append(new)
      result.handled[event.type.rawValue, default: 0] += 1
      return nil
    case .unreadable(let error, _):
      // It could be read when it was parked: by another version of the contracts.
      return .final(reason: error.reason.rawValue, detail: error.detail)
    case nil, .dead, .deadline, .parked, .retry, .effect:
      // Of a type that this version of the service does not act on any more.
      return nil
    }
  }

  private func write<T: StepTransaction<D.Rows>>(
    _ settlements: [QueueSettlement], _ resolved: [UUID], _ context: Context, in transaction: T
  ) throws {
    let gone = settlements.flatMap(\.gone)
    let heads = settlements.compactMap(\.head)
    let keys = settlements.compactMap(\.key)
    let lifted = settlements.compactMap { settlement in
      if case .released(let key) = settlement.change { key } else { nil }
    }
    if !gone.isEmpty { try transaction.unpark(gone) }
    if !heads.isEmpty { try transaction.park(heads, lane: context.lane) }
    if !keys.isEmpty { try transaction.fence(keys, lane: context.lane) }
    if !lifted.isEmpty { try transaction.lift(lifted) }
    if !resolved.isEmpty { try transaction.resolve(resolved, at: context.now) }
  }
}
