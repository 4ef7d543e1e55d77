import Foundation
import Postgres
import Settings

/// What operators have done to an order.
enum OperatorActions {
  static func entries(of order: String, _ global: GlobalOptions) async throws -> [TraceEntry] {
    let database = try global.settings().fleetDatabase(applicationName: "orderly-cli")
    do {
      return try await withConnection(database) { try entries(of: order, on: $0) }
    } catch let error as PostgresError {
      throw CommandFailure(error.trouble(at: database.description).sentence)
    }
  }

  private static func entries(of order: String, on connection: Connection) throws -> [TraceEntry] {
    // NULL where the table is not there yet.
    let mayRead = try connection.execute(
      """
      SELECT coalesce(has_table_privilege(to_regclass('fleet.operator_action'), 'SELECT'), false)
      """
    ).scalar(as: Bool.self)
    guard mayRead else { return [] }
    return try connection.execute(
      """
      SELECT at, who, command, target, reason, outcome, detail FROM fleet.operator_action
      WHERE orders @> ARRAY[$1::text] ORDER BY at, id LIMIT 100
      """, order
    ).map { row in
      let (command, target): (String, String) = (try row.decode(2), try row.decode(3))
      let (reason, outcome): (String, String) = (try row.decode(4), try row.decode(5))
      let detail = try row[6, as: String?.self].map { ": \($0)" } ?? ""
      return TraceEntry(
        kind: .action, at: try row.decode(0), by: try row.decode(1),
        what: "orderly \(command) (\(target))", detail: "\(outcome)\(detail); reason: \(reason)")
    }
  }
}
