import Contracts
import Fulfilment
import Postgres
import Testing

struct ShipmentStoreTests {
  private static let everyState: [Shipment] = [
    .booking, .bookingCancel, .shipped(trackingID: "trk_1"), .failed, .cancelled(.timedOut),
  ]

  @Test func aSavedShipmentIsLoadedAsItWas() throws {
    try StoreBench.with(ShipmentStore()) { bench in
      try bench.connect { connection in
        let shipments = numbered(Self.everyState)
        try bench.step([], on: connection) { rows in
          for (id, row) in shipments { rows.shipments.write(row, for: id) }
        }
        let loaded = try bench.load(shipments.map(\.id), on: connection)
        for (id, row) in shipments { #expect(loaded.shipments[id] == row) }

        let changed = zip(shipments, shipments.dropFirst() + [shipments[0]]).map {
          ($0.id, $1.row)
        }
        try bench.step([], also: shipments.map(\.id), on: connection) { rows in
          for (id, row) in changed { rows.shipments.write(row, for: id) }
        }
        let reloaded = try bench.load(shipments.map(\.id), on: connection)
        for (id, row) in changed { #expect(reloaded.shipments[id] == row) }
      }
    }
  }

  @Test func theNumberOfStatementsDoesNotGrowWithTheBatch() throws {
    let counts = try [2, 50].map { count in
      try StoreBench.with(ShipmentStore()) { bench in
        let log = StatementLog()
        try log.connect(bench.configuration) { connection in
          let orders = numbered([Shipment](repeating: .booking, count: count))
          try bench.step([], on: connection) { rows in
            for (id, row) in orders { rows.shipments.write(row, for: id) }
          }
          try bench.step([], also: orders.map(\.id), on: connection) { rows in
            for (id, _) in orders { rows.shipments.write(.failed, for: id) }
          }
        }
        return log.count
      }
    }
    // Each step: BEGIN, the load, the insert or the update, COMMIT.
    #expect(counts == [8, 8])
  }
}
