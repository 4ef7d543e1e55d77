import Contracts
import Foundation

/// The bodies by Foundation's coders and the types' own `Codable`: what the hand-written reader and
/// writer are held against.
enum FoundationReference {
  static func encode(_ payload: EventPayload) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .custom { date, encoder in
      var container = encoder.singleValueContainer()
      try container.encode(Timestamp.format(date))
    }
    return [UInt8](try encoder.encode(payload.body))
  }

  /// Does not hold the body to the rules that its types can't express.
  static func decode(_ type: EventType, _ body: [UInt8]) throws -> EventPayload {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .custom { decoder in
      let container = try decoder.singleValueContainer()
      guard let date = Timestamp.parse(try container.decode(String.self)) else {
        throw DecodingError.dataCorruptedError(in: container, debugDescription: "no time")
      }
      return date
    }
    func read<Body: Decodable>() throws -> Body { try decoder.decode(Body.self, from: Data(body)) }
    return switch type {
    case .orderPlaced: .orderPlaced(try read())
    case .orderCancelRequested: .orderCancelRequested(try read())
    case .orderAccepted: .orderAccepted(try read())
    case .orderCancelling: .orderCancelling(try read())
    case .orderCompleted: .orderCompleted(try read())
    case .orderCancelled: .orderCancelled(try read())
    case .inventoryReserved: .inventoryReserved(try read())
    case .inventoryRejected: .inventoryRejected(try read())
    case .inventoryReleased: .inventoryReleased(try read())
    case .paymentCaptured: .paymentCaptured(try read())
    case .paymentDeclined: .paymentDeclined(try read())
    case .paymentRefunded: .paymentRefunded(try read())
    case .paymentVoided: .paymentVoided(try read())
    case .fulfilmentShipped: .fulfilmentShipped(try read())
    case .fulfilmentFailed: .fulfilmentFailed(try read())
    case .fulfilmentCancelled: .fulfilmentCancelled(try read())
    case .fulfilmentCancelRefused: .fulfilmentCancelRefused(try read())
    }
  }
}

extension EventPayload {
  fileprivate var body: any Encodable {
    switch self {
    case .orderPlaced(let body): body
    case .orderCancelRequested(let body): body
    case .orderAccepted(let body): body
    case .orderCancelling(let body): body
    case .orderCompleted(let body): body
    case .orderCancelled(let body): body
    case .inventoryReserved(let body): body
    case .inventoryRejected(let body): body
    case .inventoryReleased(let body): body
    case .paymentCaptured(let body): body
    case .paymentDeclined(let body): body
    case .paymentRefunded(let body): body
    case .paymentVoided(let body): body
    case .fulfilmentShipped(let body): body
    case .fulfilmentFailed(let body): body
    case .fulfilmentCancelled(let body): body
    case .fulfilmentCancelRefused(let body): body
    }
  }
}
