import Contracts
import Foundation
import Fulfilment
import HTTPServer
import Payments

/// Does what is asked for, each key once.
struct Till: Sendable {
  private(set) var books = Books()
  /// What a key has asked for and was answered.
  private var answers: [UUID: (request: HTTPRequest, response: HTTPResponse)] = [:]
  /// How often a key has asked and not been answered.
  private var attempts: [UUID: Int] = [:]

  /// Does what the key asks for, the first time.
  mutating func answer(_ request: HTTPRequest, _ key: UUID) -> HTTPResponse {
    books.requests += 1
    if let earlier = answers[key] {
      books.repeats += 1
      let isSame = earlier.request.path == request.path && earlier.request.body == request.body
      return isSame
        ? earlier.response : .refusal(422, "key-reused", "the key was used for something else")
    }
    attempts[key, default: 0] += 1
    let response: HTTPResponse
    do {
      response = try carryOut(request, key, attempt: attempts[key, default: 1])
    } catch let failure as TransientFailure {
      return .refusal(503, failure.reason, failure.detail)
    } catch {
      return .refusal(400, "invalid-body", "\(error)")
    }
    attempts[key] = nil
    answers[key] = (request, response)
    return response
  }

  private struct CaptureRequest: Decodable {
    var orderId: OrderID
    var amount: Int
    var currency: String
    var token: String
  }

  private struct RefundRequest: Decodable {
    var orderId: OrderID
    var paymentId: String
    var amount: Int
    var currency: String
  }

  private struct ShipmentRequest: Decodable {
    var orderId: OrderID
    var lines: [StockLine]
    var shipTo: Address
  }

  private mutating func carryOut(
    _ request: HTTPRequest, _ key: UUID, attempt: Int
  ) throws -> HTTPResponse {
    let decoder = JSONDecoder()
    let body = Data(request.body)
    switch request.path {
    case "/captures":
      return try capture(decoder.decode(CaptureRequest.self, from: body), key, attempt)
    case "/refunds":
      return refund(try decoder.decode(RefundRequest.self, from: body), key)
    default:
      return try ship(decoder.decode(ShipmentRequest.self, from: body), key, attempt)
    }
  }

  private mutating func capture(
    _ body: CaptureRequest, _ key: UUID, _ attempt: Int
  ) throws -> HTTPResponse {
    let effect = PaymentEffect.capture(
      orderID: body.orderId, amount: body.amount, currency: body.currency, token: body.token)
    guard case .captured(let id) = try TestProvider().perform(effect, attempt: attempt) else {
      return .refusal(402, "declined", "the card was declined")
    }
    books.captures.append(
      Books.Capture(
        key: key, orderId: body.orderId, paymentId: id, amount: body.amount,
        currency: body.currency))
    return .json(["paymentId": id], status: 201)
  }

  private mutating func refund(_ body: RefundRequest, _ key: UUID) -> HTTPResponse {
    let captured = books.captures.first { $0.paymentId == body.paymentId }
    guard let captured, captured.amount == body.amount, captured.currency == body.currency else {
      return .refusal(422, "unknown-payment", "nothing like it was captured")
    }
    books.refunds.append(
      Books.Refund(
        key: key, orderId: body.orderId, paymentId: body.paymentId, amount: body.amount,
        currency: body.currency))
    return .json(["paymentId": body.paymentId], status: 201)
  }

  private mutating func ship(
    _ body: ShipmentRequest, _ key: UUID, _ attempt: Int
  ) throws -> HTTPResponse {
    let effect = ShipmentEffect.book(
      orderID: body.orderId, lines: body.lines, shipTo: body.shipTo)
    guard case .shipped(let id) = try TestCarrier().perform(effect, attempt: attempt) else {
      return .refusal(422, "undeliverable", "nothing is delivered to \(body.shipTo.country)")
    }
    books.shipments.append(
      Books.Shipment(key: key, orderId: body.orderId, trackingId: id))
    return .json(["trackingId": id], status: 201)
  }
}

extension HTTPResponse {
  static func json(_ value: some Encodable, status: Int = 200) -> HTTPResponse {
    // Values of this target always encode.
    let body = (try? JSONEncoder().encode(value)).map { [UInt8]($0) } ?? []
    return HTTPResponse(
      status: status, headers: ["Content-Type": "application/json"], body: body)
  }

  static func refusal(
    _ status: Int, _ code: String, _ message: String
  ) -> HTTPResponse {
    json(["code": code, "message": message], status: status)
  }
}
