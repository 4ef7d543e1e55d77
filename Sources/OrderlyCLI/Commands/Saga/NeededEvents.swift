import Contracts

extension ServiceName {
  /// What the service needs an event for, where an order can never end without it, not even by its
  /// deadline, since nothing else says the same again. An infinitive; nil for the other events.
  ///
  /// By the services' deciders: the deadline turns back an order that orders has accepted, and
  /// order.cancelling goes round the chain once. A service that has lost a link of the way forward
  /// answers it as if that event had never come. One that has lost a link of the way back, or the
  /// end, is told by nobody.
  func need(for type: EventType) -> String? {
    switch (self, type) {
    case (.orders, .orderPlaced): "to accept the order"
    case (.orders, .inventoryRejected), (.orders, .inventoryReleased): "to cancel the order"
    case (.orders, .fulfilmentShipped): "to complete the order"
    case (.inventory, .paymentDeclined), (.inventory, .paymentRefunded),
      (.inventory, .paymentVoided):
      "to put the stock back"
    case (.payments, .fulfilmentFailed), (.payments, .fulfilmentCancelled):
      "to give the money back"
    case (.fulfilment, .orderCancelling): "to stop the parcel"
    default: nil
    }
  }
}

extension SagaState {
  /// As `ServiceName.need(for:)`, for where the order stands; nil once it has ended.
  func need(for type: EventType, in service: ServiceName) -> String? {
    if ending != nil { return nil }
    // Another message has told orders of it.
    if service == .orders, type == .orderPlaced, canTurnBack { return nil }
    // Nobody holds anything for it.
    if service == .orders, type == .orderPlaced, standings.isEmpty { return nil }
    // The chain has come by there, and goes back or to its end without being asked.
    if service == .fulfilment, type == .orderCancelling, self[.fulfilment] != nil { return nil }
    return service.need(for: type)
  }

  /// Whether orders has accepted the order, and still looks after it.
  var canTurnBack: Bool { self[.orders] == "placed" || self[.orders] == "cancelling" }
}
