import Contracts
import Dispatch
import FleetPostgres
import Foundation
import Inventory
import Postgres
import Synchronization
import Testing

struct InventoryStoreTests {
  private static let everyState: [Reservation] = [
    .reserved([
      StockLine(sku: "SKU-0001", quantity: 10_000), StockLine(sku: "SKU-0002", quantity: 1),
    ]),
    .rejected, .released(.declined),
  ]

  @Test func aSavedReservationIsLoadedAsItWas() throws {
    try StoreBench.with(InventoryStore()) { bench in
      try bench.connect { connection in
        let reservations = numbered(Self.everyState)
        try bench.step([], on: connection) { rows in
          for (id, row) in reservations { rows.reservations.write(row, for: id) }
        }
        let loaded = try bench.load(reservations.map(\.id), on: connection)
        for (id, row) in reservations { #expect(loaded.reservations[id] == row) }

        let changed = zip(reservations, reservations.dropFirst() + [reservations[0]]).map {
          ($0.id, $1.row)
        }
        try bench.step([], also: reservations.map(\.id), on: connection) { rows in
          for (id, row) in changed { rows.reservations.write(row, for: id) }
        }
        let reloaded = try bench.load(reservations.map(\.id), on: connection)
        for (id, row) in changed { #expect(reloaded.reservations[id] == row) }
      }
    }
  }

  @Test func piecesMoveFromOnHandToReservedAndBack() throws {
    try StoreBench.with(InventoryStore()) { bench in
      try bench.connect { connection in
        let order = sampleOrder(lines: [
          OrderLine(sku: "SKU-0002", quantity: 3, unitPrice: 1),
          OrderLine(sku: "SKU-0001", quantity: 2, unitPrice: 1),
          OrderLine(sku: "SKU-0002", quantity: 1, unitPrice: 1),
        ])
        try step([.orderPlaced(order)], bench, connection)
        #expect(try stock("SKU-0001", connection) == Stock(onHand: 999_998, reserved: 2))
        #expect(try stock("SKU-0002", connection) == Stock(onHand: 999_996, reserved: 4))
        let declined = PaymentDeclined(orderId: order.orderId, reason: .declined)
        try step([.paymentDeclined(declined)], bench, connection)
        #expect(try stock("SKU-0001", connection) == Stock(onHand: 1_000_000, reserved: 0))
        #expect(try stock("SKU-0002", connection) == Stock(onHand: 1_000_000, reserved: 0))
      }
    }
  }

  @Test(arguments: ["SKU-0000", "no-such-article"])
  func whatIsNotInStockIsRejected(_ sku: String) throws {
    try StoreBench.with(InventoryStore()) { bench in
      try bench.connect { connection in
        let order = sampleOrder(lines: [OrderLine(sku: sku, quantity: 1, unitPrice: 1)])
        let emitted = try step([.orderPlaced(order)], bench, connection)
        #expect(emitted.map(\.type) == [.inventoryRejected])
      }
    }
  }

  @Test(arguments: [
    "on_hand = -1, reserved = received + 1", "on_hand = received + 1, reserved = -1",
    "on_hand = on_hand - 1",
  ])
  func theTableRefusesPiecesThatAreNotThere(_ change: String) throws {
    try StoreBench.with(InventoryStore()) { bench in
      try bench.connect { connection in
        let refusal = #expect(throws: PostgresError.self) {
          try connection.execute("UPDATE stock SET \(change) WHERE sku = 'SKU-0001'", cached: false)
        }
        #expect(refusal?.sqlState == .checkViolation)
      }
    }
  }

  @Test func theCatalogueToStartWith() throws {
    try StoreBench.with(InventoryStore()) { bench in
      try bench.connect { connection in
        let rows = try connection.execute(
          "SELECT count(*), min(sku), max(sku), sum(on_hand)::bigint FROM stock")
        #expect(try rows[0][0, as: Int.self] == 1_001)
        #expect(try rows[0][1, as: String.self] == "SKU-0000")
        #expect(try rows[0][2, as: String.self] == "SKU-1000")
        #expect(try rows[0][3, as: Int.self] == 1_000_000_000)
        #expect(try stock("SKU-0000", connection) == Stock(onHand: 0, reserved: 0))
      }
    }
  }

  @Test func theNumberOfStatementsDoesNotGrowWithTheBatch() throws {
    let counts = try [2, 50].map { count in
      try StoreBench.with(InventoryStore()) { bench in
        let log = StatementLog()
        try log.connect(bench.configuration) { connection in
          let orders = (0..<count).map { number in
            sampleOrder(
              "order-\(number)",
              lines: [OrderLine(sku: "SKU-1\(100 + number)", quantity: 1, unitPrice: 1)])
          }
          try connection.execute(
            """
            INSERT INTO stock (sku, received, on_hand, reserved)
            SELECT sku, 9, 9, 0 FROM unnest($1::text[]) AS sku
            """, orders.map { $0.lines[0].sku })
          try step(orders.map { .orderPlaced($0) }, bench, connection)
          try step(
            orders.map {
              .paymentDeclined(PaymentDeclined(orderId: $0.orderId, reason: .declined))
            }, bench, connection)
        }
        return log.count
      }
    }
    // The preparation; then each step: BEGIN, two of the load, the reservations, the stock, COMMIT.
    #expect(counts == [13, 13])
  }

  /// Both want the same articles, named in opposite orders, and a third holds the one in the middle
  /// until both wait: whoever did not lock in a fixed order would now wait for the other.
  @Test func twoStepsWithTheSameArticlesDoNotWaitForEachOther() throws {
    let skus = ["SKU-0001", "SKU-0002", "SKU-0003"]
    let results = try StoreBench.with(InventoryStore()) { bench in
      let results = Mutex<[Result<[EventType], any Error>]>([])
      let steps = DispatchGroup()
      try bench.connect { holder in
        try holder.transaction { holder in
          try holder.execute("SELECT FROM stock WHERE sku = $1 FOR UPDATE", skus[1])
          for (number, order) in [skus, skus.reversed()].enumerated() {
            DispatchQueue.global().async(group: steps) {
              let lines = order.map { OrderLine(sku: $0, quantity: 1, unitPrice: 1) }
              let placed = sampleOrder("order-\(number)", lines: lines)
              let result = Result {
                try bench.connect { connection in
                  try step([.orderPlaced(placed)], bench, connection).map(\.type)
                }
              }
              results.withLock { $0.append(result) }
            }
          }
          try bench.connect { watcher in
            var waiting = 0
            while waiting < 2, results.withLock({ $0.isEmpty }) {
              waiting = try sessionsBehind(holder.processID, on: watcher)
            }
          }
        }
      }
      steps.wait()
      return results.withLock { $0 }
    }
    #expect(try results.map { try $0.get() } == [[.inventoryReserved], [.inventoryReserved]])
  }

  /// How many sessions wait for one, or for another that does.
  private func sessionsBehind(_ holder: Int32, on connection: Connection) throws -> Int {
    try connection.execute(
      """
      WITH RECURSIVE waiting (pid) AS (
        SELECT $1::integer
        UNION
        SELECT session.pid FROM pg_stat_activity AS session, waiting
        WHERE waiting.pid = ANY(pg_blocking_pids(session.pid)))
      SELECT count(*) - 1 FROM waiting
      """, holder
    ).scalar()
  }

  @discardableResult
  private func step(
    _ events: [EventPayload], _ bench: StoreBench<InventoryStore>, _ connection: Connection
  ) throws -> [EventPayload] {
    try bench.step(events, on: connection) { rows in
      events.flatMap { InventoryDecider().decide(.event($0), at: noon, in: &rows).emits }
    }
  }

  private func stock(_ sku: String, _ connection: Connection) throws -> Stock {
    let rows = try connection.execute("SELECT on_hand, reserved FROM stock WHERE sku = $1", sku)
    return Stock(onHand: try rows[0].decode(0), reserved: try rows[0].decode(1))
  }
}
