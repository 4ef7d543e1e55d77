import Contracts
import FleetPostgres
import Foundation
import Fulfilment
import Inventory
import Orders
import Payments
import Postgres
import Testing

@testable import Fleet

/// Rehearsals of the services' real rules on their real tables, and what the replays then do.
@Suite(.timeLimit(.minutes(10))) struct RehearsalTests {
  private static let order = sampleOrder(
    lines: [
      OrderLine(sku: "SKU-0001", quantity: 2, unitPrice: 1_500),
      OrderLine(sku: "SKU-0002", quantity: 1, unitPrice: 10),
    ])

  /// Handles `before` in a step of their own, leaves `event` as a dead letter, rehearses it, sees
  /// that nothing has changed, replays it, and compares.
  private func compare<D: Decider, Store: ServiceStore, Performer: EffectPerformer>(
    _ service: ServiceName, _ decider: D, _ store: Store, _ performer: Performer,
    before: [EventPayload] = [], _ payload: EventPayload
  ) async throws -> RehearsalResult
  where
    Store.Rows == D.Rows, Performer.Effect == D.Effect, Performer.Outcome == D.Outcome,
    D.Effect: Encodable
  {
    try await StoreBench.withPool(store) { pool in
      let tables = PostgresLaneStore(pool: pool, tables: store)
      let desk = DeadLetterDesk(service: service, pool: pool)
      let step = Step(service: service, decider: decider, performer: performer)
      let epoch = try await tables.takeOver(lane: 0, owner: "me")
      var sequence: Int64 = 1
      func run(_ items: [LaneItem]) async throws -> StepResult {
        let context = Step<D, Performer>.Context(
          lane: 0, epoch: epoch, nextSequence: sequence, now: noon, attempt: 1)
        let result = try await tables.step { try step.run(items, context, in: $0) }
        sequence += Int64(result.outbox.count)
        return result
      }
      if !before.isEmpty {
        _ = try await run(before.enumerated().map { item($1, offset: Int64($0)) })
      }
      guard case .event(let event, let message) = item(payload, offset: 99) else {
        throw StoreError.fenced
      }
      let letter = DeadLetter(
        service: service, message: message, reason: "down", detail: "", attempts: 11,
        firstFailed: noon, lastFailed: noon, event: event)
      _ = try await run([.dead(letter)])

      let dump = try await self.dump(pool)
      let rehearsal = Rehearsal(
        service: service, decider: decider, performer: performer, store: tables)
      let result = try await rehearsal.rehearse(letter, at: noon)
      #expect(try await self.dump(pool) == dump)

      _ = try await desk.replay(letter.id, at: noon)
      let replayed = try await run([.retry(event.orderID, .queue)])
      #expect(replayed.outbox.map(\.id) == result.emitted.map(\.id))
      #expect(replayed.outbox.map(\.type) == result.emitted.map(\.type.rawValue))
      #expect(
        try replayed.outbox.map(\.value)
          == result.emitted.map { try EventCodec.body(of: $0.payload) })
      #expect(replayed.resolved == (result.failure == nil ? [letter.id] : []))
      expectOnly(result.changes, from: dump, to: try await self.dump(pool))
      return result
    }
  }

  /// Rows of the service's own tables that were to change are as was said, and no others have.
  private func expectOnly(_ changes: [RowChange], from before: [String], to after: [String]) {
    var expected = Set(before)
    for change in changes {
      if let row = change.before {
        #expect(expected.remove("\(change.table) \(row)") != nil, "\(change)")
      }
      if let row = change.after { expected.insert("\(change.table) \(row)") }
    }
    let common = ["dead_letter ", "inbox ", "outbox ", "parked ", "parked_key ", "lane "]
    func own(_ rows: some Sequence<String>) -> [String] {
      rows.filter { row in !common.contains { row.hasPrefix($0) } }.sorted()
    }
    #expect(own(after) == own(expected))
  }

  private func item(_ payload: EventPayload, offset: Int64) -> LaneItem {
    let event = Event(
      id: UUID(version5Of: "\(offset)", namespace: .orderlyEvents), source: "/test", time: noon,
      payload: payload)
    let message = RawMessage(
      partition: Partition(topic: payload.type.topic.rawValue, number: 0), offset: offset,
      key: Array(payload.orderID.rawValue.utf8), value: try? EventCodec.body(of: payload),
      headers: EventCodec.headers(of: event))
    return .event(event, message)
  }

  /// Every row of every table.
  private func dump(_ pool: Pool) async throws -> [String] {
    try await pool.withConnection { connection in
      let tables = try connection.execute(
        "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1"
      ).map { try $0[0, as: String.self] }
      return try tables.flatMap { table in
        try connection.execute(
          Statement(
            "SELECT to_jsonb(found)::text FROM \(try Identifier(table)) AS found", cached: false)
        ).map { "\(table) \(try $0[0, as: String.self])" }.sorted()
      }
    }
  }

  /// `table key` of each, marked as new or changed.
  private func names(_ result: RehearsalResult) -> [String] {
    result.changes.map { "\($0.before == nil ? "+" : "~") \($0.table) \($0.key)" }
  }

  @Test func ofAnOrderThatIsPlaced() async throws {
    let service = OrdersService()
    let result = try await compare(
      .orders, service.decider, service.store, service.performer, .orderPlaced(Self.order))
    #expect(result.emitted.map(\.type) == [.orderAccepted])
    #expect(
      names(result) == [
        "+ order_line order-1/1", "+ order_line order-1/2", "+ orders order-1",
        "+ saga_step order-1/order.placed",
      ])
    #expect(result.failure == nil && result.effects.isEmpty)
  }

  @Test func ofStockThatIsSetAside() async throws {
    let service = InventoryService()
    let result = try await compare(
      .inventory, service.decider, service.store, service.performer, .orderPlaced(Self.order))
    #expect(result.emitted.map(\.type) == [.inventoryReserved])
    #expect(names(result) == ["+ reservation order-1", "~ stock SKU-0001", "~ stock SKU-0002"])
  }

  /// The articles are those of the reservation, which forgets them.
  @Test func ofStockThatIsPutBack() async throws {
    let service = InventoryService()
    let result = try await compare(
      .inventory, service.decider, service.store, service.performer,
      before: [.orderPlaced(Self.order)],
      .paymentDeclined(PaymentDeclined(orderId: Self.order.orderId, reason: .declined)))
    #expect(names(result) == ["~ reservation order-1", "~ stock SKU-0001", "~ stock SKU-0002"])
  }

  @Test func ofMoneyThatIsTaken() async throws {
    let service = PaymentsService(provider: TestProvider())
    let result = try await compare(
      .payments, service.decider, service.store, service.performer,
      .inventoryReserved(reserved(Self.order)))
    #expect(result.emitted.map(\.type) == [.paymentCaptured])
    #expect(
      names(result) == [
        "+ ledger_entry order-1/capture/customer-sales",
        "+ ledger_entry order-1/capture/provider-receivable", "+ payment order-1",
      ])
    #expect(result.effects.map(\.name) == ["capture"])
    #expect(result.effects.first?.body.contains("3010") == true)
  }

  /// The replay would fail as it has failed before.
  @Test func ofAProviderThatIsStillDown() async throws {
    let service = PaymentsService(provider: TestProvider())
    let result = try await compare(
      .payments, service.decider, service.store, service.performer,
      .inventoryReserved(reserved(sampleOrder(token: "tok_down"))))
    #expect(result.failure?.reason == "provider-unavailable" && result.failure?.mayMend == true)
    #expect(result.failure?.detail.contains("attempt 12") == true)
    #expect(result.effects.map(\.name) == ["capture"])
    #expect(result.emitted.isEmpty && result.changes.isEmpty)
  }

  /// Too late: nothing would happen, and the letter would be resolved.
  @Test func ofAnEventThatChangesNothing() async throws {
    let service = FulfilmentService(carrier: TestCarrier())
    let result = try await compare(
      .fulfilment, service.decider, service.store, service.performer,
      before: [.orderCancelling(OrderCancelling(orderId: Self.order.orderId, reason: .timedOut))],
      .paymentCaptured(captured(Self.order)))
    #expect(result.emitted.isEmpty && result.changes.isEmpty && result.effects.isEmpty)
    #expect(result.failure == nil)
  }

  @Test func ofAParcelThatIsSent() async throws {
    let service = FulfilmentService(carrier: TestCarrier())
    let result = try await compare(
      .fulfilment, service.decider, service.store, service.performer,
      .paymentCaptured(captured(Self.order)))
    #expect(result.emitted.map(\.type) == [.fulfilmentShipped])
    #expect(names(result) == ["+ shipment order-1"] && result.effects.map(\.name) == ["book"])
  }

  /// A constraint that no decider knows of.
  @Test func ofWhatTheDatabaseRefuses() async throws {
    let service = PaymentsService(provider: TestProvider())
    let result = try await StoreBench.withPool(service.store) { pool in
      try await pool.withConnection {
        try $0.executeScript("ALTER TABLE payment ADD CHECK (amount < 100)")
      }
      let store = PostgresLaneStore(pool: pool, tables: service.store)
      guard
        case .event(let event, let message) = item(
          .inventoryReserved(reserved(Self.order)), offset: 1)
      else { throw StoreError.fenced }
      let letter = DeadLetter(
        service: .payments, message: message, reason: "rejected-by-database", detail: "",
        attempts: 1, firstFailed: noon, lastFailed: noon, event: event)
      let rehearsal = Rehearsal(
        service: .payments, decider: service.decider, performer: service.performer, store: store)
      // As a replay is refused.
      await #expect(throws: Refusal("payments has never worked the partition 0.")) {
        try await rehearsal.rehearse(letter, at: noon)
      }
      _ = try await store.takeOver(lane: 0, owner: "me")
      return try await rehearsal.rehearse(letter, at: noon)
    }
    #expect(result.failure?.reason == "rejected-by-database" && result.failure?.mayMend == false)
    #expect(result.failure?.detail.contains("payment_amount_check") == true)
    #expect(result.changes.isEmpty)
  }
}
