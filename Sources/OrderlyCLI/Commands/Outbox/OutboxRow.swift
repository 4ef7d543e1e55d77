import Contracts
import Foundation
import Postgres

/// An event of an order that waits to be published.
struct OutboxRow: Sendable {
  let service: ServiceName
  let id: UUID
  let type: String
  let topic: String
  /// The event that it answers.
  let cause: UUID?
  let createdAt: Date

  /// Those of an order, in all services.
  static func waiting(of order: String, _ global: GlobalOptions) async throws -> [OutboxRow] {
    var rows: [OutboxRow] = []
    for service in ServiceName.allCases {
      rows += try await global.read(service) { try waiting(of: order, in: service, on: $0) }
    }
    return rows
  }

  static func waiting(
    of order: String, in service: ServiceName, on connection: Connection
  ) throws -> [OutboxRow] {
    try connection.execute(
      """
      SELECT id, type, aggregatetype, causationid, created_at FROM outbox
      WHERE aggregateid = convert_to($1, 'UTF8') ORDER BY lane, seq LIMIT 100
      """, order
    ).map { row in
      OutboxRow(
        service: service, id: try row.decode(0), type: try row.decode(1),
        topic: try row.decode(2), cause: try row.decode(3), createdAt: try row.decode(4))
    }
  }
}
