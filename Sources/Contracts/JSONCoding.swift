import FoundationEssentials

/// The bodies as JSON, by Foundation.
enum JSONCoding {
  private static let encoder: JSONEncoder = {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .custom { date, encoder in
      var container = encoder.singleValueContainer()
      try container.encode(Timestamp.format(date))
    }
    return encoder
  }()

  private static let decoder: JSONDecoder = {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .custom { decoder in
      let container = try decoder.singleValueContainer()
      let text = try container.decode(String.self)
      guard let date = Timestamp.parse(text) else {
        throw DecodingError.dataCorruptedError(
          in: container, debugDescription: "must be a time as in RFC 3339")
      }
      return date
    }
    return decoder
  }()

  static func encode(_ payload: EventPayload) throws -> Data {
    switch payload {
    case .orderPlaced(let body): try encoder.encode(body)
    case .orderCancelRequested(let body): try encoder.encode(body)
    case .orderAccepted(let body): try encoder.encode(body)
    case .orderCancelling(let body): try encoder.encode(body)
    case .orderCompleted(let body): try encoder.encode(body)
    case .orderCancelled(let body): try encoder.encode(body)
    case .inventoryReserved(let body): try encoder.encode(body)
    case .inventoryRejected(let body): try encoder.encode(body)
    case .inventoryReleased(let body): try encoder.encode(body)
    case .paymentCaptured(let body): try encoder.encode(body)
    case .paymentDeclined(let body): try encoder.encode(body)
    case .paymentRefunded(let body): try encoder.encode(body)
    case .paymentVoided(let body): try encoder.encode(body)
    case .fulfilmentShipped(let body): try encoder.encode(body)
    case .fulfilmentFailed(let body): try encoder.encode(body)
    case .fulfilmentCancelled(let body): try encoder.encode(body)
    case .fulfilmentCancelRefused(let body): try encoder.encode(body)
    }
  }

  static func decode(_ type: EventType, _ data: Data) throws(UnreadableEvent) -> EventPayload {
    func body<Body: Decodable>(_: Body.Type = Body.self) throws -> Body {
      try decoder.decode(Body.self, from: data)
    }
    do {
      switch type {
      case .orderPlaced: return .orderPlaced(try body())
      case .orderCancelRequested: return .orderCancelRequested(try body())
      case .orderAccepted: return .orderAccepted(try body())
      case .orderCancelling: return .orderCancelling(try body())
      case .orderCompleted: return .orderCompleted(try body())
      case .orderCancelled: return .orderCancelled(try body())
      case .inventoryReserved: return .inventoryReserved(try body())
      case .inventoryRejected: return .inventoryRejected(try body())
      case .inventoryReleased: return .inventoryReleased(try body())
      case .paymentCaptured: return .paymentCaptured(try body())
      case .paymentDeclined: return .paymentDeclined(try body())
      case .paymentRefunded: return .paymentRefunded(try body())
      case .paymentVoided: return .paymentVoided(try body())
      case .fulfilmentShipped: return .fulfilmentShipped(try body())
      case .fulfilmentFailed: return .fulfilmentFailed(try body())
      case .fulfilmentCancelled: return .fulfilmentCancelled(try body())
      case .fulfilmentCancelRefused: return .fulfilmentCancelRefused(try body())
      }
    } catch let error as DecodingError {
      throw unreadable(error)
    } catch {
      throw UnreadableEvent(.invalidJSON, "the body can't be read: \(error)")
    }
  }

  /// Foundation's error as a sentence that names the field.
  private static func unreadable(_ error: DecodingError) -> UnreadableEvent {
    switch error {
    case .keyNotFound(let key, let context):
      return UnreadableEvent(.invalidBody, "\(path(context.codingPath + [key])): is required")
    case .typeMismatch(let type, let context):
      return UnreadableEvent(
        .invalidBody, "\(path(context.codingPath)): must be \(describe(type))")
    case .valueNotFound(let type, let context):
      return UnreadableEvent(
        .invalidBody, "\(path(context.codingPath)): must be \(describe(type)), is null")
    case .dataCorrupted(let context):
      if context.codingPath.isEmpty {
        return UnreadableEvent(.invalidJSON, "the body is not JSON: \(reason(context))")
      }
      return UnreadableEvent(
        .invalidBody, "\(path(context.codingPath)): \(context.debugDescription)")
    @unknown default:
      return UnreadableEvent(.invalidBody, String(describing: error))
    }
  }

  private static func reason(_ context: DecodingError.Context) -> String {
    // What the parser found is in the underlying error, the place of it too.
    (context.underlyingError as? CocoaError)?.userInfo["NSDebugDescription"] as? String
      ?? context.debugDescription
  }

  private static func path(_ keys: [any CodingKey]) -> String {
    var path = ""
    for key in keys {
      if let index = key.intValue {
        path += "[\(index)]"
      } else {
        path += path.isEmpty ? key.stringValue : ".\(key.stringValue)"
      }
    }
    return path.isEmpty ? "the body" : path
  }

  private static func describe(_ type: any Any.Type) -> String {
    switch type {
    case is String.Type: "a string"
    case is Int.Type: "an integer"
    case is any Sequence.Type: "a list or an object"
    default: "of another type (\(type))"
    }
  }
}
