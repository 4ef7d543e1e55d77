import Contracts
public import Fleet
public import Foundation
public import Fulfilment

/// A carrier over HTTP, asked as the payment provider is: see ``HTTPPaymentProvider``.
///
/// | request | body | done | refused |
/// |---|---|---|---|
/// | `POST /shipments` | `orderId lines[{sku quantity}] shipTo{…}` | 2xx `{"trackingId": "…"}` | 422 `{"code": "undeliverable"}` |
public struct HTTPCarrier: EffectProvider {
  public let name = "carrier"
  private let caller: HTTPCaller

  public init(_ caller: HTTPCaller) {
    self.caller = caller
  }

  private struct Shipment: Encodable {
    var orderId: OrderID
    var lines: [StockLine]
    var shipTo: Address
  }

  private struct Shipped: Decodable {
    var trackingId: String
  }

  public func perform(
    _ effect: ShipmentEffect, key: UUID, traceparent: String?
  ) async throws(EffectFailure) -> ShipmentOutcome {
    switch effect {
    case .book(let order, let lines, let shipTo):
      let body = Shipment(orderId: order, lines: lines, shipTo: shipTo)
      let answer = try await caller.post(
        "shipments", body, key: key, traceparent: traceparent, to: name)
      switch answer.status {
      case 200..<300:
        let shipped = try HTTPVerdict.read(Shipped.self, answer, from: name)
        return .shipped(
          trackingID: try HTTPVerdict.reference(shipped.trackingId, answer, from: name))
      case 422 where HTTPVerdict.refusal(answer)?.code == "undeliverable":
        return .failed
      default:
        throw HTTPVerdict.failure(answer, from: name)
      }
    }
  }
}
