import Contracts
import FleetPostgres
import Foundation
import Orders
import Postgres
import Testing

struct OrderStoreTests {
  private static let terms = Order.Terms(
    customerID: "customer-1", currency: "EUR", total: 3_000, placedAt: noon,
    deadlineAt: noon + 900)

  private static let everyState: [Order] = [
    .endedEarly(.shipped), .endedEarly(.unfulfilled(.outOfStock)), .cancelEarly, .placed(terms),
    .cancelling(terms, .timedOut), .completed(terms), .cancelled(terms, .declined),
  ]

  @Test func aSavedOrderIsLoadedAsItWas() throws {
    try StoreBench.with(OrderStore()) { bench in
      try bench.connect { connection in
        let orders = numbered(Self.everyState)
        try bench.step([], on: connection) { rows in
          for (id, row) in orders { rows.orders.write(row, for: id) }
        }
        let loaded = try bench.load(orders.map(\.id), on: connection)
        for (id, row) in orders { #expect(loaded.orders[id] == row) }

        // Each becomes the next one in the list.
        let changed = zip(orders, orders.dropFirst() + [orders[0]]).map { ($0.id, $1.row) }
        try bench.step([], also: orders.map(\.id), on: connection) { rows in
          for (id, row) in changed { rows.orders.write(row, for: id) }
        }
        let reloaded = try bench.load(orders.map(\.id), on: connection)
        for (id, row) in changed { #expect(reloaded.orders[id] == row) }
      }
    }
  }

  @Test func linesAndStepsAreKept() throws {
    try StoreBench.with(OrderStore()) { bench in
      try bench.connect { connection in
        let lines = [
          OrderLine(sku: "SKU-0002", quantity: 1, unitPrice: 10_000_000_000),
          OrderLine(sku: "SKU-0001", quantity: 10_000, unitPrice: 0),
        ]
        let order = sampleOrder(lines: lines)
        let request = EventPayload.orderCancelRequested(
          OrderCancelRequested(orderId: order.orderId, requestedAt: noon))
        try step([.orderPlaced(order), request, request], bench, connection)
        try step([request], bench, connection)

        let kept = try connection.execute(
          "SELECT sku, quantity, unit_price FROM order_line WHERE order_id = $1 ORDER BY line",
          order.orderId)
        let keptLines = try kept.map {
          OrderLine(
            sku: try $0.decode(0), quantity: try $0.decode(1), unitPrice: try $0.decode(2))
        }
        #expect(keptLines == lines)
        let steps = try connection.execute("SELECT type FROM saga_step ORDER BY type")
        #expect(
          try steps.map { try $0[0, as: EventType.self] } == [.orderCancelRequested, .orderPlaced])
      }
    }
  }

  @Test func theLanesOpenDeadlinesAreFoundTheLongestOverdueFirst() throws {
    try StoreBench.with(OrderStore()) { bench in
      try bench.connect { connection in
        func place(_ id: String, due: TimeInterval, lane: Int32) throws {
          var terms = Self.terms
          terms.deadlineAt = noon + due
          try bench.step([], lane: lane, on: connection) { rows in
            rows.orders.write(.placed(terms), for: OrderID(rawValue: id))
          }
        }
        try place("later", due: 20, lane: 1)
        try place("sooner", due: 10, lane: 1)
        try place("closed", due: 0, lane: 1)
        try place("not-due", due: 30, lane: 1)
        try place("elsewhere", due: 10, lane: 2)
        let closed = OrderID(rawValue: "closed")
        try bench.step([], also: [closed], lane: 1, on: connection) { rows in
          rows.orders.write(.completed(Self.terms), for: closed)
        }
        func due(_ limit: Int) throws -> [String] {
          try OrderStore().dueDeadlines(lane: 1, at: noon + 20, limit: limit, on: connection)
            .map(\.rawValue)
        }
        #expect(try due(10) == ["sooner", "later"])
        #expect(try due(1) == ["sooner"])
      }
    }
  }

  @Test func theNumberOfStatementsDoesNotGrowWithTheBatch() throws {
    let counts = try [2, 50].map { count in
      try StoreBench.with(OrderStore()) { bench in
        let log = StatementLog()
        try log.connect(bench.configuration) { connection in
          let orders = sampleOrders(count)
          try step(orders.map { .orderPlaced($0) }, bench, connection)
          let shipped = orders.map {
            EventPayload.fulfilmentShipped(
              FulfilmentShipped(orderId: $0.orderId, trackingId: "trk_1"))
          }
          // New rows and changed ones in one batch.
          try step(shipped + [.orderPlaced(sampleOrder("new"))], bench, connection)
        }
        return log.count
      }
    }
    // Each step: BEGIN, the load, COMMIT; and inserts, updates, lines, steps where there are any.
    #expect(counts == [13, 13])
  }

  @Test func aRowThatContradictsItselfIsRefused() throws {
    try StoreBench.with(OrderStore()) { bench in
      try bench.connect { connection in
        let refusal = #expect(throws: PostgresError.self) {
          try connection.execute(
            """
            INSERT INTO orders (order_id, lane, status, created_at, updated_at)
            VALUES ('order-1', 0, 'placed', now(), now())
            """)
        }
        #expect(refusal?.sqlState == .checkViolation)
      }
    }
  }

  private func step(
    _ events: [EventPayload], _ bench: StoreBench<OrderStore>, _ connection: Connection
  ) throws {
    try bench.step(events, on: connection) { rows in
      for event in events { _ = OrdersDecider().decide(.event(event), at: noon, in: &rows) }
    }
  }
}
