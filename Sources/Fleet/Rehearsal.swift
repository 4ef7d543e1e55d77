public import Contracts
public import Foundation
import Synchronization

/// Tells what a replay of a dead letter would do, by doing it in a transaction that is rolled back:
/// the service's own rules and tables, with its in-process provider, which does nothing outside.
public struct Rehearsal<D: Decider, Store: LaneStore, Performer: EffectPerformer>: Sendable
where
  Store.Rows == D.Rows, Store.Transaction: RehearsalTransaction, Performer.Effect == D.Effect,
  Performer.Outcome == D.Outcome
{
  private let service: ServiceName
  private let decider: D
  private let performer: Performer
  private let store: Store

  /// - Parameter performer: one that does nothing outside of the process: it is asked in earnest.
  public init(service: ServiceName, decider: D, performer: Performer, store: Store) {
    self.service = service
    self.decider = decider
    self.performer = performer
    self.store = store
  }

  /// Handles the letter's event, as it came or as it was edited, and takes everything back. The lane
  /// of its order waits meanwhile. What waits in the order's queue is left out.
  ///
  /// - Parameter lane: the partition of the order where the original could not be read.
  /// - Throws: ``Refusal`` for a letter that can't be replayed; ``StoreError`` other than
  ///   `rejected`, which is an outcome.
  public func rehearse(
    _ letter: DeadLetter, lane: Int32? = nil, at now: Date
  ) async throws -> RehearsalResult {
    try letter.requireOpen("rehearsed")
    let event = try letter.replayedEvent()
    let context = Context(
      lane: try letter.lane(of: event, named: lane), epoch: 0, nextSequence: 0, now: now,
      attempt: letter.attempts + 1)
    do {
      // It throws whatever happens, so that the transaction is rolled back.
      return try await store.step { transaction -> RehearsalResult in
        throw RolledBack(result: try run(event, context, in: transaction))
      }
    } catch let end as RolledBack {
      return end.result
    } catch StoreError.rejected(let detail) {
      return RehearsalResult(
        failure: .init(reason: DeadLetter.rejected, detail: detail, mayMend: false))
    }
  }

  private typealias Context = Step<D, Recorder<Performer>>.Context

  private func run(
    _ event: Event, _ context: Context, in transaction: Store.Transaction
  ) throws -> RehearsalResult {
    try transaction.lock(lane: context.lane, of: service)
    let recorder = Recorder(performer)
    let step = Step(service: service, decider: decider, performer: recorder)
    var rows = try transaction.load([event.payload], orders: [event.orderID], at: context.now)
    var result = RehearsalResult()
    var emitted = Step<D, Recorder<Performer>>.Emissions()
    do throws(TransientFailure) {
      let cause = Cause(id: event.id, event: event.id, traceparent: event.traceparent)
      try step.decide(.event(event.payload), cause, context, &rows, &emitted)
      result.emitted = emitted.events
    } catch {
      result.failure = .init(reason: error.reason, detail: error.detail, mayMend: true)
    }
    result.effects = try recorder.effects.withLock { try $0.map(RehearsalResult.Effect.init) }
    guard result.failure == nil else { return result }
    result.changes = try transaction.changes(by: event.payload) {
      try transaction.save(rows, lane: context.lane, at: context.now)
    }
    return result
  }

  private struct RolledBack: Error {
    let result: RehearsalResult
  }
}

/// What a replay would do. All of it may hold what is sensitive.
public struct RehearsalResult: Sendable {
  /// Something that a service would ask of the outside world.
  public struct Effect: Sendable, Hashable {
    /// For instance `capture`.
    public var name: String
    /// What is asked for, as JSON.
    public var body: String
  }

  /// Why the event would not be handled. Nothing would change.
  public struct Failure: Sendable, Hashable {
    /// A stable word, as in ``DeadLetter/reason``.
    public var reason: String
    /// What would go wrong, for people.
    public var detail: String
    /// False: the replay would fail for good at once. True: it would be tried again and again.
    public var mayMend: Bool
  }

  /// In order, with the ids that they would have.
  public var emitted: [Event] = []
  /// In order, up to the one that has failed.
  public var effects: [Effect] = []
  /// In the order of the rows' tables and keys; none where it fails.
  public var changes: [RowChange] = []
  /// nil: the event would be handled.
  public var failure: Failure?
}

extension RehearsalResult.Effect {
  fileprivate init(_ effect: some EffectRequest) throws {
    body = try StoredEffect.json(effect)
    name = effect.kind
  }
}

/// A row that differs before and after.
public struct RowChange: Sendable, Hashable {
  /// By its name, without the schema.
  public var table: String
  /// The values of its primary key, joined by slashes.
  public var key: String
  /// As JSON; nil for a new row.
  public var before: String?
  /// As JSON; nil for a row that is gone.
  public var after: String?

  /// The differences of two looks at the same rows, by table and key, in the order of the keys.
  public static func between(
    _ before: [RowName: String], and after: [RowName: String]
  ) -> [RowChange] {
    Set(before.keys).union(after.keys).sorted().compactMap { name in
      guard before[name] != after[name] else { return nil }
      return RowChange(
        table: name.table, key: name.key, before: before[name], after: after[name])
    }
  }
}

/// Which row of a service's own tables.
public struct RowName: Sendable, Hashable, Comparable {
  public var table: String
  /// As ``RowChange/key``.
  public var key: String

  public init(table: String, key: String) {
    self.table = table
    self.key = key
  }

  public static func < (left: RowName, right: RowName) -> Bool {
    (left.table, left.key) < (right.table, right.key)
  }
}

/// A step's transaction in which a replay can be rehearsed.
public protocol RehearsalTransaction<Rows>: StepTransaction, LaneLocking {
  /// Runs the body, and returns what it has changed of the rows that `event` may touch.
  ///
  /// - Throws: what the body throws, and what the database does not take.
  func changes(by event: EventPayload, _ body: () throws -> Void) throws -> [RowChange]
}

/// Passes effects on, and remembers them.
private final class Recorder<Performer: EffectPerformer>: EffectPerformer {
  let effects = Mutex<[Performer.Effect]>([])
  private let performer: Performer

  init(_ performer: Performer) {
    self.performer = performer
  }

  func perform(
    _ effect: Performer.Effect, attempt: Int
  ) throws(TransientFailure) -> Performer.Outcome {
    effects.withLock { $0.append(effect) }
    return try performer.perform(effect, attempt: attempt)
  }
}
