import Contracts
import Fleet
import Foundation
import Postgres

/// What a service's tables say of an order. Each table is one function, which gives its entries.
struct TraceRows: Sendable {
  let order: String
  let service: ServiceName
  let records: TraceRecords

  func entries(on connection: Connection) throws -> [TraceEntry] {
    var entries = try outbox(on: connection)
    entries += try parked(on: connection)
    entries += try deadLetters(on: connection)
    entries += try effects(on: connection)
    let takenIn = try takenIn(on: connection)
    entries += takenIn
    if service == .orders { entries += try steps(without: takenIn, on: connection) }
    return entries
  }

  /// When the records on the topics were taken in, and when a deadline has fired.
  private func takenIn(on connection: Connection) throws -> [TraceEntry] {
    let types = records.types
    // What orders enters into its inbox when the deadline has passed; order.cancelling names it as
    // its cause.
    let deadline = UUID(version5Of: "\(order)/deadline", namespace: .orderlyEvents)
    return try connection.execute(
      "SELECT id, received_at FROM inbox WHERE id = ANY($1)", Array(types.keys) + [deadline]
    ).map { row in
      let id: UUID = try row.decode(0)
      if id == deadline {
        return TraceEntry(
          kind: .deadline, at: try row.decode(1), by: service.rawValue, what: "deadline passed",
          id: id)
      }
      return TraceEntry(
        kind: .takenIn, at: try row.decode(1), by: service.rawValue, what: "taken in", cause: id,
        detail: types[id])
    }
  }

  /// The steps of which the record is gone: the others are among what was taken in.
  private func steps(
    without takenIn: [TraceEntry], on connection: Connection
  ) throws -> [TraceEntry] {
    let known = Set(takenIn.compactMap(\.detail))
    return try connection.execute(
      "SELECT type, at FROM saga_step WHERE order_id = $1 ORDER BY at, type", order
    ).compactMap { row in
      let type: String = try row.decode(0)
      guard !known.contains(type) else { return nil }
      return TraceEntry(
        kind: .step, at: try row.decode(1), by: service.rawValue, what: "heard of \(type)",
        detail: "its record is not on the topics")
    }
  }

  private func outbox(on connection: Connection) throws -> [TraceEntry] {
    try OutboxRow.waiting(of: order, in: service, on: connection).map { row in
      TraceEntry(
        kind: .outbox, at: row.createdAt, by: service.rawValue, what: row.type, id: row.id,
        cause: row.cause, detail: "waits in the outbox for \(row.topic)")
    }
  }

  private func parked(on connection: Connection) throws -> [TraceEntry] {
    var entries = try ParkedEventRow.queue(of: order, in: service, on: connection).map { event in
      TraceEntry(
        kind: .parked, at: event.parkedAt, by: service.rawValue, what: "parked",
        place: event.place, cause: event.id,
        detail: event.attempts > 0
          ? "\(event.type), \(counted(Int(event.attempts), "attempt"))" : event.type)
    }
    if let key = try ParkedKeyRow.one(order, of: service, on: connection) {
      entries.append(
        TraceEntry(
          kind: .fence, at: key.firstFailed, by: service.rawValue, what: "order parked",
          detail:
            "\(key.state.rawValue), \(counted(Int(key.events), "event")) held: \(key.reason): "
            + key.detail))
    }
    return entries
  }

  private func deadLetters(on connection: Connection) throws -> [TraceEntry] {
    try connection.execute(
      """
      SELECT \(DeadLetterRow.columns) FROM dead_letter
      WHERE order_id = $1 OR key = convert_to($1, 'UTF8') ORDER BY first_failed, id LIMIT 100
      """, order
    ).map { row in
      let letter = try DeadLetterRow(row, of: service)
      return TraceEntry(
        kind: .deadLetter, at: letter.lastFailed, by: service.rawValue,
        what: "dead-lettered, now \(letter.state.rawValue)", place: letter.place, id: letter.id,
        cause: letter.eventID,
        detail: "\(letter.reason): \(letter.detail) (\(counted(Int(letter.attempts), "attempt")))")
    }
  }

  /// Calls to the outside world, in services that make any.
  private func effects(on connection: Connection) throws -> [TraceEntry] {
    try connection.execute(
      """
      SELECT id, kind, state, attempts, reason, causationid, created_at, done_at FROM effect
      WHERE order_id = $1 ORDER BY created_at, id LIMIT 100
      """, order
    ).flatMap { row in
      let (id, kind): (UUID, String) = (try row.decode(0), try row.decode(1))
      let (state, attempts): (String, Int32) = (try row.decode(2), try row.decode(3))
      let reason = try row[4, as: String?.self].map { ": \($0)" } ?? ""
      let cause: UUID = try row.decode(5)
      let asked = TraceEntry(
        kind: .effect, at: try row.decode(6), by: service.rawValue, what: "asked for \(kind)",
        id: id, cause: cause,
        detail: attempts > 0
          ? "\(state) after \(counted(Int(attempts), "failed call"))\(reason)" : state)
      guard let done = try row[7, as: Date?.self] else { return [asked] }
      return [
        asked,
        TraceEntry(
          kind: .effect, at: done, by: service.rawValue, what: "\(kind) answered", id: id,
          cause: cause),
      ]
    }
  }
}
