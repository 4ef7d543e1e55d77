public import Contracts
public import FleetPostgres
public import Foundation
public import Postgres

/// The tables of the schema `fulfilment`.
public struct ShipmentStore: ServiceStore {
  public static let migrations = [
    Migration(file: "0001_init.sql", bytes: PackageResources._001_init_sql)
  ]

  public init() {}

  public func load(
    _ events: [EventPayload], orders: [OrderID], at now: Date, on connection: Connection
  ) throws -> ShipmentRows {
    let rows = try connection.execute(
      """
      SELECT order_id, status, reason, tracking_id FROM shipment WHERE order_id = ANY($1)
      """, orders)
    var shipments: [OrderID: Shipment] = [:]
    for row in rows {
      let id: OrderID = try row.decode(0)
      guard let shipment = try ShipmentColumns(row, from: 1).shipment else {
        throw UnreadableRow(
          table: "shipment", key: id.rawValue, problem: "the status does not fit the other columns")
      }
      shipments[id] = shipment
    }
    return ShipmentRows(shipments: RowSet(loaded: shipments))
  }

  public func save(
    _ rows: ShipmentRows, lane: Int32, at now: Date, on connection: Connection
  ) throws {
    let inserted = rows.shipments.inserted
    if !inserted.isEmpty {
      try connection.executeLater(
        Statement(
          """
          INSERT INTO shipment (order_id, status, reason, tracking_id, created_at, updated_at)
          SELECT *, $5, $5 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
          """, parameters: Self.arrays(inserted) + [now]))
    }
    let updated = rows.shipments.updated
    if !updated.isEmpty {
      try connection.executeLater(
        Statement(
          """
          UPDATE shipment SET status = new.status, reason = new.reason,
            tracking_id = new.tracking_id, updated_at = $5
          FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
            AS new (order_id, status, reason, tracking_id)
          WHERE shipment.order_id = new.order_id
          """, parameters: Self.arrays(updated) + [now]))
    }
  }

  public func selection(
    by event: EventPayload, on connection: Connection
  ) -> [RowSelection] {
    RowSelection.rows(of: event.orderID, in: "shipment")
  }

  /// The shipments by columns, `$1` to `$4` of the statements above.
  private static func arrays(
    _ shipments: [(key: OrderID, row: Shipment)]
  ) -> [(any PostgresEncodable)?] {
    let columns = shipments.map { ShipmentColumns($0.row) }
    return [
      shipments.map(\.key), columns.map(\.status), columns.map(\.reason),
      columns.map(\.trackingID),
    ]
  }
}

/// A shipment as its columns have it: NULL where its state has no such thing.
private struct ShipmentColumns {
  enum Status: String, PostgresCodable {
    case booking
    case bookingCancel = "booking-cancel"
    case shipped, failed, cancelled
  }

  var status: Status
  var reason: CancellationReason?
  var trackingID: String?

  init(_ shipment: Shipment) {
    switch shipment {
    case .booking: status = .booking
    case .bookingCancel: status = .bookingCancel
    case .shipped(let trackingID): (status, self.trackingID) = (.shipped, trackingID)
    case .failed: status = .failed
    case .cancelled(let reason): (status, self.reason) = (.cancelled, reason)
    }
  }

  /// Reads the columns from `column` on, in the order of ``ShipmentStore``'s SELECT.
  init(_ row: Row, from column: Int) throws {
    status = try row.decode(column)
    reason = try row.decode(column + 1)
    trackingID = try row.decode(column + 2)
  }

  /// The shipment, or nil when the columns contradict each other.
  var shipment: Shipment? {
    switch (status, reason, trackingID) {
    case (.booking, nil, nil): .booking
    case (.bookingCancel, nil, nil): .bookingCancel
    case (.shipped, nil, let trackingID?): .shipped(trackingID: trackingID)
    case (.failed, nil, nil): .failed
    case (.cancelled, let reason?, nil): .cancelled(reason)
    default: nil
    }
  }
}
