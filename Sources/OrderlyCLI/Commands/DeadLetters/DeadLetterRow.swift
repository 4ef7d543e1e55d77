import Arguments
import Contracts
import Fleet
import FleetPostgres
import Foundation
import JSONSchema
import Postgres

/// A dead letter without what it carries.
struct DeadLetterRow: Sendable {
  let service: ServiceName
  let id: UUID
  let topic: String
  let partition: Int32
  let offset: Int64
  let key: [UInt8]?
  let eventID: UUID?
  let eventType: String?
  let orderID: String?
  let reason: String
  let detail: String
  let fingerprint: String
  let attempts: Int32
  let state: DeadLetter.State
  let firstFailed: Date
  let lastFailed: Date
  /// When it came to its state.
  let stateSince: Date
  /// The event that is replayed instead, if it was edited, and since when.
  let editedEventID: UUID?
  let editedAt: Date?
  /// Who looks after it.
  let owner: String?
  let note: String?
  /// How many later events of its order wait behind it.
  let held: Int64

  static let columns = """
    id, topic, partition, "offset", key, event_id, event_type, order_id, reason, detail,
    fingerprint, attempts, state, first_failed, last_failed, state_since, edited_event_id,
    edited_at, owner, note, (
      SELECT count(*) FROM parked_key JOIN parked ON parked.order_id = parked_key.key
      WHERE parked_key.key = dead_letter.order_id AND parked_key.dead_letter = dead_letter.id
        AND parked.dead_letter IS NULL)
    """

  /// Reads ``columns``, from the first on.
  ///
  /// - Throws: `UnreadableRow` for a state that is not known.
  init(_ row: Row, of service: ServiceName) throws {
    self.service = service
    id = try row.decode(0)
    topic = try row.decode(1)
    partition = try row.decode(2)
    offset = try row.decode(3)
    key = try row.decode(4)
    eventID = try row.decode(5)
    eventType = try row.decode(6)
    orderID = try row.decode(7)
    reason = try row.decode(8)
    detail = try row.decode(9)
    fingerprint = try row.decode(10)
    attempts = try row.decode(11)
    guard let state = DeadLetter.State(rawValue: try row.decode(12)) else {
      throw UnreadableRow(
        table: "\(service.rawValue).dead_letter", key: id.lowercaseText, problem: "unknown state")
    }
    self.state = state
    firstFailed = try row.decode(13)
    lastFailed = try row.decode(14)
    stateSince = try row.decode(15)
    editedEventID = try row.decode(16)
    editedAt = try row.decode(17)
    owner = try row.decode(18)
    note = try row.decode(19)
    held = try row.decode(20)
  }

  /// Changes with whatever a replay depends on.
  var digest: String {
    func micros(_ date: Date) -> String { "\(Int64((date.timeIntervalSince1970 * 1e6).rounded()))" }
    return Digest.of([
      idText, state.rawValue, micros(stateSince), "\(attempts)", micros(lastFailed),
      editedEventID?.uuidString ?? "",
    ])
  }

  /// The place in the log as `orders.v1[3]@17`.
  var place: String { "\(topic)[\(partition)]@\(offset)" }

  /// The order, or else the record key as far as it is text.
  var about: String {
    if let orderID { return orderID }
    guard let key else { return "-" }
    return String(validating: key, as: UTF8.self) ?? "(\(key.count) bytes)"
  }

  /// The id in lower case, as Postgres and the headers have it.
  var idText: String { id.lowercaseText }

  /// The beginning of the id, which names it.
  var shortID: String { id.shortText }

  /// The state, and whether what is replayed is not what came.
  var standing: String { editedAt == nil ? state.rawValue : "\(state.rawValue), edited" }

  static func table(_ letters: [DeadLetterRow], at now: Date) -> ResultTable {
    ResultTable(
      [
        .init("id"), .init("service"), .init("type"), .init("key"), .init("reason"),
        .init("attempts", number: true), .init("state"), .init("held", number: true), .init("age"),
        .init("owner", wide: true), .init("place", wide: true), .init("fingerprint", wide: true),
        .init("detail", wide: true), .init("note", wide: true),
      ],
      rows: letters.map { letter in
        ResultTable.Row(
          name: "dlq/\(letter.idText)",
          cells: [
            letter.shortID, letter.service.rawValue, letter.eventType ?? "-", letter.about,
            letter.reason, "\(letter.attempts)", letter.standing, "\(letter.held)",
            age(of: letter.lastFailed, at: now), letter.owner ?? "-", letter.place,
            letter.fingerprint, letter.detail, letter.note ?? "-",
          ],
          object: letter.object)
      })
  }

  var object: [(key: String, value: JSONValue)] {
    [
      ("id", .string(idText)), ("service", .string(service.rawValue)), ("topic", .string(topic)),
      ("partition", .integer(Int64(partition))), ("offset", .integer(offset)),
      ("key", .text(key.flatMap { String(validating: $0, as: UTF8.self) })),
      ("eventId", .text(eventID?.lowercaseText)), ("eventType", .text(eventType)),
      ("orderId", .text(orderID)), ("reason", .string(reason)), ("detail", .string(detail)),
      ("fingerprint", .string(fingerprint)), ("attempts", .integer(Int64(attempts))),
      ("state", .string(state.rawValue)), ("firstFailed", .time(firstFailed)),
      ("lastFailed", .time(lastFailed)), ("stateSince", .time(stateSince)),
      ("editedEventId", .text(editedEventID?.lowercaseText)),
      ("editedAt", .time(editedAt)), ("owner", .text(owner)), ("note", .text(note)),
      ("held", .integer(held)),
    ]
  }
}

extension [DeadLetterRow] {
  /// What failed first goes first, so that an order's events keep their order.
  var firstFailedFirst: [DeadLetterRow] {
    sorted { ($0.firstFailed, $0.id.uuidString) < ($1.firstFailed, $1.id.uuidString) }
  }

  /// - Throws: a refusal when more match than a command may take.
  func check(limit: Int) throws {
    guard count <= limit else {
      throw ExitCode.refused(
        "More than \(limit) dead letters match. Narrow the selection, or raise --limit.")
    }
  }
}
