import Contracts
import Fleet
import FleetPostgres
import Foundation
import JSONSchema
import Postgres

/// An order that is parked in a service.
struct ParkedKeyRow: Sendable {
  let service: ServiceName
  let order: String
  let state: ParkedKey.State
  /// Failed tries of the first event since it was parked.
  let attempts: Int32
  /// Of no meaning for one that is dead.
  let nextAttempt: Date
  let reason: String
  let detail: String
  let firstFailed: Date
  let lastFailed: Date
  let lane: Int32
  /// How many events are in its queue.
  let events: Int64
  /// Whether only a release lets it go on: it is dead, and the letter behind which it has stopped
  /// was discarded, or is gone.
  let needsRelease: Bool

  private static let columns = """
    key, state, attempts, next_attempt_at, reason, detail, first_failed, last_failed, lane,
    (SELECT count(*) FROM parked WHERE order_id = parked_key.key),
    state = 'dead' AND NOT EXISTS (
      SELECT FROM dead_letter WHERE dead_letter.state IN ('open', 'replaying')
        AND (dead_letter.id = parked_key.dead_letter
          OR parked_key.dead_letter IS NULL AND dead_letter.order_id = parked_key.key))
    """

  /// Reads ``columns``.
  ///
  /// - Throws: `UnreadableRow` for a state that is not known.
  private init(_ row: Row, of service: ServiceName) throws {
    self.service = service
    let order: String = try row.decode(0)
    guard let state = ParkedKey.State(rawValue: try row.decode(1)) else {
      throw UnreadableRow(
        table: "\(service.rawValue).parked_key", key: order, problem: "unknown state")
    }
    self.order = order
    self.state = state
    attempts = try row.decode(2)
    nextAttempt = try row.decode(3)
    reason = try row.decode(4)
    detail = try row.decode(5)
    firstFailed = try row.decode(6)
    lastFailed = try row.decode(7)
    lane = try row.decode(8)
    events = try row.decode(9)
    needsRelease = try row.decode(10)
  }

  /// Those that are tried next come first, the dead ones last.
  static func all(
    of service: ServiceName, state: ParkedKey.State?, limit: Int, on connection: Connection
  ) throws -> [ParkedKeyRow] {
    try connection.execute(
      """
      SELECT \(columns) FROM parked_key WHERE $1::text IS NULL OR state = $1
      ORDER BY state = 'dead', next_attempt_at, key LIMIT $2
      """, state?.rawValue, Int64(limit)
    ).map { try ParkedKeyRow($0, of: service) }
  }

  /// The order's, if it is parked in the service.
  static func one(
    _ order: String, of service: ServiceName, on connection: Connection
  ) throws -> ParkedKeyRow? {
    try connection.execute("SELECT \(columns) FROM parked_key WHERE key = $1", order)
      .first.map { try ParkedKeyRow($0, of: service) }
  }

  /// The order of ``all(of:state:limit:on:)``, among those of several services.
  func isTried(before other: ParkedKeyRow) -> Bool {
    guard isWaiting == other.isWaiting else { return isWaiting }
    return (nextAttempt, order, service.rawValue)
      < (other.nextAttempt, other.order, other.service.rawValue)
  }

  static func table(_ keys: [ParkedKeyRow], at now: Date) -> ResultTable {
    ResultTable(
      [
        .init("order"), .init("service"), .init("state"), .init("events", number: true),
        .init("attempts", number: true), .init("next"), .init("reason"), .init("age"),
        .init("lane", wide: true, number: true), .init("detail", wide: true),
      ],
      rows: keys.map { key in
        ResultTable.Row(
          name: "parked/\(key.service.rawValue)/\(key.order)",
          cells: [
            key.order, key.service.rawValue, key.state.rawValue, "\(key.events)", "\(key.attempts)",
            key.next(at: now), key.reason, age(of: key.firstFailed, at: now), "\(key.lane)",
            key.detail,
          ],
          object: key.object)
      })
  }

  var isWaiting: Bool { state == .waiting }

  /// When it is tried again.
  func next(at now: Date) -> String {
    if !isWaiting { return "-" }
    return nextAttempt <= now ? "now" : "in \(age(of: now, at: nextAttempt))"
  }

  var object: [(key: String, value: JSONValue)] {
    [
      ("service", .string(service.rawValue)), ("order", .string(order)),
      ("state", .string(state.rawValue)),
      ("events", .integer(events)), ("attempts", .integer(Int64(attempts))),
      ("nextAttempt", isWaiting ? .time(nextAttempt) : .null),
      ("reason", .string(reason)), ("detail", .string(detail)),
      ("firstFailed", .time(firstFailed)), ("lastFailed", .time(lastFailed)),
      ("lane", .integer(Int64(lane))),
    ]
  }
}
