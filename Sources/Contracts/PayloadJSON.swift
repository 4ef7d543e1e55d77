extension EventPayload {
  /// Reads the body of an event of a type.
  init(_ type: EventType, json: [UInt8]) throws(UnreadableEvent) {
    switch type {
    case .orderPlaced: self = .orderPlaced(try JSONReader.read(json))
    case .orderCancelRequested: self = .orderCancelRequested(try JSONReader.read(json))
    case .orderAccepted: self = .orderAccepted(try JSONReader.read(json))
    case .orderCancelling: self = .orderCancelling(try JSONReader.read(json))
    case .orderCompleted: self = .orderCompleted(try JSONReader.read(json))
    case .orderCancelled: self = .orderCancelled(try JSONReader.read(json))
    case .inventoryReserved: self = .inventoryReserved(try JSONReader.read(json))
    case .inventoryRejected: self = .inventoryRejected(try JSONReader.read(json))
    case .inventoryReleased: self = .inventoryReleased(try JSONReader.read(json))
    case .paymentCaptured: self = .paymentCaptured(try JSONReader.read(json))
    case .paymentDeclined: self = .paymentDeclined(try JSONReader.read(json))
    case .paymentRefunded: self = .paymentRefunded(try JSONReader.read(json))
    case .paymentVoided: self = .paymentVoided(try JSONReader.read(json))
    case .fulfilmentShipped: self = .fulfilmentShipped(try JSONReader.read(json))
    case .fulfilmentFailed: self = .fulfilmentFailed(try JSONReader.read(json))
    case .fulfilmentCancelled: self = .fulfilmentCancelled(try JSONReader.read(json))
    case .fulfilmentCancelRefused: self = .fulfilmentCancelRefused(try JSONReader.read(json))
    }
  }

  /// The body as JSON.
  var json: [UInt8] {
    var json = JSONWriter()
    switch self {
    case .orderPlaced(let body): body.write(to: &json)
    case .orderCancelRequested(let body): body.write(to: &json)
    case .orderAccepted(let body): body.write(to: &json)
    case .orderCancelling(let body): body.write(to: &json)
    case .orderCompleted(let body): body.write(to: &json)
    case .orderCancelled(let body): body.write(to: &json)
    case .inventoryReserved(let body): body.write(to: &json)
    case .inventoryRejected(let body): body.write(to: &json)
    case .inventoryReleased(let body): body.write(to: &json)
    case .paymentCaptured(let body): body.write(to: &json)
    case .paymentDeclined(let body): body.write(to: &json)
    case .paymentRefunded(let body): body.write(to: &json)
    case .paymentVoided(let body): body.write(to: &json)
    case .fulfilmentShipped(let body): body.write(to: &json)
    case .fulfilmentFailed(let body): body.write(to: &json)
    case .fulfilmentCancelled(let body): body.write(to: &json)
    case .fulfilmentCancelRefused(let body): body.write(to: &json)
    }
    return json.bytes
  }
}
