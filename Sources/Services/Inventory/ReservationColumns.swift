import Contracts
import FleetPostgres
import Foundation
import Postgres

/// A reservation as its columns have it: NULL where its state has no such thing.
struct ReservationColumns {
  enum Status: String, PostgresCodable {
    case reserved, rejected, released
  }

  var status: Status
  var reason: CancellationReason?
  /// A JSON object of pieces by SKU.
  var lines: String?

  init(_ reservation: Reservation) {
    switch reservation {
    case .reserved(let lines):
      status = .reserved
      self.lines = Self.json(lines)
    case .rejected:
      status = .rejected
    case .released(let reason):
      status = .released
      self.reason = reason
    }
  }

  /// Reads the columns from `column` on, in the order of ``InventoryStore``'s SELECT.
  init(_ row: Row, from column: Int) throws {
    status = try row.decode(column)
    reason = try row.decode(column + 1)
    lines = try row.decode(column + 2)
  }

  func reservation(of id: OrderID) throws -> Reservation {
    switch (status, reason, lines) {
    case (.reserved, nil, let lines?):
      let quantities = try JSONDecoder().decode([String: Int].self, from: Data(lines.utf8))
      return .reserved(
        quantities.map { StockLine(sku: $0.key, quantity: $0.value) }.sorted { $0.sku < $1.sku })
    case (.rejected, nil, nil):
      return .rejected
    case (.released, let reason?, nil):
      return .released(reason)
    default:
      throw UnreadableRow(
        table: "reservation", key: id.rawValue,
        problem: "the status does not fit the other columns")
    }
  }

  /// By hand, because it is written for every order and JSONEncoder takes ten times as long. A SKU
  /// has no character that JSON would want escaped: the codec lets no such event in.
  private static func json(_ lines: [StockLine]) -> String {
    "{" + lines.map { "\"\($0.sku)\":\($0.quantity)" }.joined(separator: ",") + "}"
  }
}
