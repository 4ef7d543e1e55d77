public import Contracts
public import Fleet
import Foundation
import Postgres

/// Rows of one of a service's own tables, by the values of a column.
public struct RowSelection: Sendable, Hashable {
  public var table: String
  /// Of the type text.
  public var column: String
  public var values: [String]

  public init(table: String, column: String, values: [String]) {
    self.table = table
    self.column = column
    self.values = values
  }

  /// The rows of an order in each of some tables.
  public static func rows(of order: OrderID, in tables: String...) -> [RowSelection] {
    tables.map { RowSelection(table: $0, column: "order_id", values: [order.rawValue]) }
  }
}

extension PostgresStep: RehearsalTransaction {
  public func lock(lane: Int32) throws -> Bool { try connection.lock(lane: lane) }

  public func changes(
    by event: EventPayload, _ body: () throws -> Void
  ) throws -> [RowChange] {
    let selection = try tables.selection(by: event, on: connection)
    let before = try look(at: selection)
    try body()
    // The statements that the body has put off are sent before this one, and fail here.
    return RowChange.between(before, and: try look(at: selection))
  }

  private func look(at selection: [RowSelection]) throws -> [RowName: String] {
    var found: [RowName: String] = [:]
    for part in selection {
      let (table, column) = (try Identifier(part.table), try Identifier(part.column))
      let rows = try connection.execute(
        Statement(
          """
          SELECT to_jsonb(found)::text, (
            SELECT string_agg(to_jsonb(found) ->> attname, '/' ORDER BY place)
            FROM pg_index CROSS JOIN unnest(indkey::int2[]) WITH ORDINALITY AS part (number, place)
              JOIN pg_attribute ON attrelid = indrelid AND attnum = part.number
            WHERE indrelid = $1::text::regclass AND indisprimary)
          FROM \(table) AS found WHERE \(column) = ANY($2::text[])
          """, parameters: [part.table, part.values], cached: false))
      for row in rows {
        found[RowName(table: part.table, key: try row.decode(1))] = try row.decode(0)
      }
    }
    return found
  }
}
