import Contracts
import Fleet
import FleetPostgres
import Foundation
import JSONSchema
import Postgres

/// A call to a provider that has not been answered, without what it carries.
struct EffectRow: Sendable {
  let service: ServiceName
  let id: UUID
  let order: String
  /// As `payments.capture`.
  let kind: String
  let lane: Int32
  let state: StoredEffect.State
  /// Of no meaning for one that is not pending.
  let nextAttempt: Date
  let createdAt: Date
  /// How its calls have failed since it was asked for, or replayed; nil when none has.
  let failure: EventFailure?

  private static let columns = """
    id, order_id, kind, lane, state, next_attempt_at, created_at, attempts, reason, detail,
    first_failed, last_failed
    """

  /// Reads ``columns``.
  ///
  /// - Throws: `UnreadableRow` for a state that is not known.
  private init(_ row: Row, of service: ServiceName) throws {
    self.service = service
    let id: UUID = try row.decode(0)
    guard let state = StoredEffect.State(rawValue: try row.decode(4)) else {
      throw UnreadableRow(
        table: "\(service.rawValue).effect", key: id.lowercaseText, problem: "unknown state")
    }
    self.id = id
    self.state = state
    order = try row.decode(1)
    kind = try row.decode(2)
    lane = try row.decode(3)
    nextAttempt = try row.decode(5)
    createdAt = try row.decode(6)
    let attempts = Int(try row[7, as: Int32.self])
    // The table has all of it or none.
    failure =
      attempts == 0
      ? nil
      : EventFailure(
        reason: try row.decode(8), detail: try row.decode(9), attempts: attempts,
        first: try row.decode(10), last: try row.decode(11))
  }

  /// The order's calls that wait for an answer, or were given up on; the oldest first.
  static func unanswered(
    of order: String, in service: ServiceName, on connection: Connection
  ) throws -> [EffectRow] {
    try connection.execute(
      """
      SELECT \(columns) FROM effect WHERE order_id = $1 AND state <> 'done' ORDER BY created_at, id
      """, order
    ).map { try EffectRow($0, of: service) }
  }

  /// The service's calls that have failed and are made again; the next one first.
  static func failing(
    of service: ServiceName, limit: Int, on connection: Connection
  ) throws -> [EffectRow] {
    try connection.execute(
      """
      SELECT \(columns) FROM effect WHERE state = 'pending' AND attempts > 0
      ORDER BY next_attempt_at, id LIMIT $1
      """, Int64(limit)
    ).map { try EffectRow($0, of: service) }
  }

  static func one(
    _ id: UUID, of service: ServiceName, on connection: Connection
  ) throws -> EffectRow? {
    try connection.execute("SELECT \(columns) FROM effect WHERE id = $1", id)
      .first.map { try EffectRow($0, of: service) }
  }

  /// Whether it has failed and is made again.
  var isFailing: Bool { state == .pending && failure != nil }

  /// When it is made again.
  func next(at now: Date) -> String {
    if state != .pending { return "-" }
    return nextAttempt <= now ? "now" : "in \(age(of: now, at: nextAttempt))"
  }

  /// What is wrong with it, while it is pending; nil for one that was asked for a moment ago.
  func block(at now: Date) -> String? {
    guard state == .pending else { return nil }
    if let failure {
      return "\(kind) has failed \(counted(failure.attempts, "time")): \(failure.reason): "
        + "\(failure.detail); next try \(next(at: now))"
    }
    guard now.timeIntervalSince(nextAttempt) > OutboxLane.patience else { return nil }
    return "\(kind) waits to be called since \(age(of: nextAttempt, at: now))"
  }

  static func table(_ effects: [EffectRow], at now: Date) -> ResultTable {
    ResultTable(
      [
        .init("call"), .init("state"), .init("attempts", number: true), .init("next"),
        .init("reason"), .init("detail"), .init("age"), .init("lane", wide: true, number: true),
        .init("effect", wide: true),
      ],
      rows: effects.map { effect in
        ResultTable.Row(
          name: "effect/\(effect.id.lowercaseText)",
          cells: [
            effect.kind, effect.state.rawValue, "\(effect.failure?.attempts ?? 0)",
            effect.next(at: now), effect.failure?.reason ?? "-", effect.failure?.detail ?? "-",
            age(of: effect.createdAt, at: now), "\(effect.lane)", effect.id.lowercaseText,
          ],
          object: effect.object)
      })
  }

  var object: [(key: String, value: JSONValue)] {
    [
      ("service", .string(service.rawValue)), ("id", .string(id.lowercaseText)),
      ("order", .string(order)), ("kind", .string(kind)), ("state", .string(state.rawValue)),
      ("attempts", .integer(Int64(failure?.attempts ?? 0))),
      ("nextAttempt", state == .pending ? .time(nextAttempt) : .null),
      ("reason", .text(failure?.reason)), ("detail", .text(failure?.detail)),
      ("firstFailed", .time(failure?.first)), ("lastFailed", .time(failure?.last)),
      ("createdAt", .time(createdAt)), ("lane", .integer(Int64(lane))),
    ]
  }
}

extension ServiceDesks {
  /// Has a call that waits for its next attempt made at once, and asks the database what has become
  /// of it until it is known.
  func tryAndWait(_ call: EffectRow, timeout: Duration) async throws -> ReplayResult {
    do {
      try await change(call.service) { try await $0.tryNow(effect: call.id, lane: call.lane) }
    } catch is Refusal {
      // Its worker was first: what has become of it is found below.
    }
    return try await firstResult(within: timeout) {
      let now = try await read(call.service) { connection in
        try EffectRow.one(call.id, of: call.service, on: connection)
      }
      guard let now, now.state != .done else { return .resolved }
      if let failure = now.failure, failure != call.failure {
        let text = "\(failure.reason): \(failure.detail)"
        return .failed(
          now.state == .dead
            ? "\(text). It is a dead letter now" : "\(text). Next try \(now.next(at: Date()))")
      }
      return nil
    }
  }
}
