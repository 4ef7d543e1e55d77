import Contracts
public import Fleet
public import Foundation
public import Payments

/// A payment provider over HTTP.
///
/// Each request is a POST of JSON with the headers `Idempotency-Key` (a UUID) and, where they are
/// known, `traceparent` and `Authorization`. The provider does what a key asks for once, however
/// often the key comes, at whatever distance, and gives the same answer each time. Amounts are in
/// minor units.
///
/// | request | body | done | declined |
/// |---|---|---|---|
/// | `POST /captures` | `orderId amount currency token` | 2xx `{"paymentId": "…"}` | 402 `{"code": "declined"}` |
/// | `POST /refunds` | `orderId paymentId amount currency` | 2xx | |
///
/// A refusal's body is `{"code": "…", "message": "…"}`. What the other answers do:
///
/// | answer | |
/// |---|---|
/// | none, 408, 429, 5xx | asked again; several in a row, or `Retry-After`, stop all calls for a while |
/// | 409, 425 | asked again: the provider is still at an earlier request of this key |
/// | 3xx, 401, 403, 404, 405, 407 | asked again, as if there was none: the worker's settings are wrong |
/// | other 4xx, and a 402 that does not say `declined` | final: dead-lettered for an operator |
///
/// Only an explicit refusal declines a payment. An outcome that is not known never does.
public struct HTTPPaymentProvider: EffectProvider {
  public let name = "payment provider"
  private let caller: HTTPCaller

  public init(_ caller: HTTPCaller) {
    self.caller = caller
  }

  private struct Capture: Encodable {
    var orderId: OrderID
    var amount: Int
    var currency: String
    var token: String
  }

  private struct Captured: Decodable {
    var paymentId: String
  }

  private struct Refund: Encodable {
    var orderId: OrderID
    var paymentId: String
    var amount: Int
    var currency: String
  }

  public func perform(
    _ effect: PaymentEffect, key: UUID, traceparent: String?
  ) async throws(EffectFailure) -> PaymentOutcome {
    switch effect {
    case .capture(let order, let amount, let currency, let token):
      let body = Capture(orderId: order, amount: amount, currency: currency, token: token)
      let answer = try await caller.post(
        "captures", body, key: key, traceparent: traceparent, to: name)
      switch answer.status {
      case 200..<300:
        let captured = try HTTPVerdict.read(Captured.self, answer, from: name)
        return .captured(
          paymentID: try HTTPVerdict.reference(captured.paymentId, answer, from: name))
      case 402 where HTTPVerdict.refusal(answer)?.code == "declined":
        return .declined
      default:
        throw HTTPVerdict.failure(answer, from: name)
      }
    case .refund(let order, let paymentID, let amount, let currency):
      let body = Refund(orderId: order, paymentId: paymentID, amount: amount, currency: currency)
      let answer = try await caller.post(
        "refunds", body, key: key, traceparent: traceparent, to: name)
      guard (200..<300).contains(answer.status) else {
        throw HTTPVerdict.failure(answer, from: name)
      }
      return .refunded
    }
  }
}
