import Contracts
import Foundation
import JSONSchema
import Postgres

/// An event in the queue of a parked order, without what it carries.
struct ParkedEventRow: Sendable {
  let service: ServiceName
  let id: UUID
  let type: String
  let topic: String
  let partition: Int32
  let offset: Int64
  /// All tries; 0 for one that has only come behind another.
  let attempts: Int32
  let parkedAt: Date

  /// The order's queue in a service, those that are replayed first, each part in the order of
  /// arrival.
  static func queue(
    of order: String, in service: ServiceName, on connection: Connection
  ) throws -> [ParkedEventRow] {
    try connection.execute(
      """
      SELECT event_id, event_type, topic, partition, "offset", attempts, parked_at
      FROM parked WHERE order_id = $1 ORDER BY dead_letter IS NULL, position LIMIT 100
      """, order
    ).map { row in
      ParkedEventRow(
        service: service, id: try row.decode(0), type: try row.decode(1),
        topic: try row.decode(2), partition: try row.decode(3), offset: try row.decode(4),
        attempts: try row.decode(5), parkedAt: try row.decode(6))
    }
  }

  /// The place in the log as `orders.v1[3]@17`.
  var place: String { "\(topic)[\(partition)]@\(offset)" }

  /// The id in lower case, as Postgres and the headers have it.
  var idText: String { id.lowercaseText }

  static func table(_ events: [ParkedEventRow], at now: Date) -> ResultTable {
    ResultTable(
      [
        .init("service"), .init("type"), .init("attempts", number: true), .init("age"),
        .init("place"), .init("event", wide: true),
      ],
      rows: events.map { event in
        ResultTable.Row(
          name: "event/\(event.idText)",
          cells: [
            event.service.rawValue, event.type, "\(event.attempts)",
            age(of: event.parkedAt, at: now), event.place, event.idText,
          ],
          object: event.object)
      })
  }

  var object: [(key: String, value: JSONValue)] {
    [
      ("service", .string(service.rawValue)), ("id", .string(idText)), ("type", .string(type)),
      ("topic", .string(topic)), ("partition", .integer(Int64(partition))),
      ("offset", .integer(offset)), ("attempts", .integer(Int64(attempts))),
      ("parkedAt", .time(parkedAt)),
    ]
  }
}
