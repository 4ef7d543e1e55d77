import Contracts
import Foundation
import JSONSchema

/// Events to test with: at least one of every type, with every field at some unusual value.
enum Samples {
  static let time = Date(timeIntervalSince1970: 1_795_250_000.125)
  static let order = OrderID(rawValue: "s42-000017")
  static let payment = PaymentMethod(token: "tok_\"ok\"\\", cardCountry: "NL")
  static let address = Address(
    name: "Zoë Ångström-李 👩‍👩‍👧", line1: "Straße 1/2\u{a0}b", city: "’s-Hertogenbosch",
    postcode: "5211 AB", country: "NL")
  static let stockLines = [
    StockLine(sku: "SKU-0001", quantity: 1), StockLine(sku: "a_b-9", quantity: 10_000),
  ]

  static let payloads: [EventPayload] = [
    .orderPlaced(
      OrderPlaced(
        orderId: order, customerId: "c-1", currency: "KES", total: 12_500 + 10_000_000_000,
        lines: [
          OrderLine(sku: "SKU-0001", quantity: 10_000, unitPrice: 1_000_000),
          OrderLine(sku: "a_b-9", quantity: 5, unitPrice: 2_500),
          OrderLine(sku: "free", quantity: 1, unitPrice: 0),
        ], payment: payment, shipTo: address, placedAt: time)),
    .orderCancelRequested(OrderCancelRequested(orderId: order, requestedAt: time)),
    .orderAccepted(OrderAccepted(orderId: order, deadlineAt: time)),
    .orderCancelling(OrderCancelling(orderId: order, reason: .timedOut)),
    .orderCompleted(OrderCompleted(orderId: order)),
    .orderCancelled(OrderCancelled(orderId: order, reason: .outOfStock)),
    .inventoryReserved(
      InventoryReserved(
        orderId: order, customerId: "c-1", currency: "EUR", total: 1_000_000_000_000,
        lines: stockLines, payment: payment, shipTo: address)),
    .inventoryRejected(
      InventoryRejected(orderId: order, reason: .outOfStock, skus: ["SKU-0000", "SKU-0001"])),
    .inventoryReleased(InventoryReleased(orderId: order, reason: .declined)),
    .paymentCaptured(
      PaymentCaptured(
        orderId: order, paymentId: "pay_1", currency: "JPY", amount: 0, lines: stockLines,
        shipTo: address)),
    .paymentDeclined(PaymentDeclined(orderId: order, reason: .fraudSuspected)),
    .paymentRefunded(
      PaymentRefunded(
        orderId: order, paymentId: "pay_1", currency: "USD", amount: 1, reason: .undeliverable)),
    .paymentVoided(PaymentVoided(orderId: order, reason: .cancelRequested)),
    .fulfilmentShipped(FulfilmentShipped(orderId: order, trackingId: "TRK 1")),
    .fulfilmentFailed(FulfilmentFailed(orderId: order, reason: .undeliverable)),
    .fulfilmentCancelled(FulfilmentCancelled(orderId: order, reason: .timedOut)),
    .fulfilmentCancelRefused(FulfilmentCancelRefused(orderId: order, trackingId: "TRK-1")),
  ]

  static func event(_ payload: EventPayload) -> Event {
    Event(
      id: UUID(uuidString: "0192F0C1-7B6A-4E55-8D3A-0123456789AB")!, source: "/orderly/test",
      time: time, payload: payload,
      causationID: UUID(uuidString: "11111111-2222-5333-8444-555555555555")!,
      traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
  }

  /// The body of a sample as a tree, to be changed.
  static func json(_ payload: EventPayload) throws -> JSONValue {
    try JSONValue(parsing: try EventCodec.body(of: payload))
  }

  /// Decodes a body with headers that are right for a type and the key that the body asks for.
  static func decode(_ type: EventType, _ body: [UInt8]) throws(UnreadableEvent) -> EventPayload {
    let headers = [
      EventHeader(HeaderName.specVersion, "1.0"),
      EventHeader(HeaderName.id, "0192f0c1-7b6a-4e55-8d3a-0123456789ab"),
      EventHeader(HeaderName.source, "/orderly/test"),
      EventHeader(HeaderName.type, type.rawValue),
      EventHeader(HeaderName.time, "2026-11-21T08:30:00Z"),
    ]
    let key = (try? JSONValue(parsing: body))?["orderId"]?.string ?? ""
    return try EventCodec.decode(key: Array(key.utf8), value: body, headers: headers).payload
  }
}

/// A seeded generator, so that every run sees the same.
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
