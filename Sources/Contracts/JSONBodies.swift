import FoundationEssentials

// The bodies of the events as JSON: for each type the names to read, all of which are required, and
// the names to write, in their order. Names that are not listed are passed over, so that a newer
// producer may add some.

extension OrderPlaced: JSONCoded {
  init(reading json: inout JSONReader) throws(UnreadableEvent) {
    var orderId: OrderID?
    var customerId: String?
    var currency: String?
    var total: Int?
    var lines: [OrderLine]?
    var payment: PaymentMethod?
    var shipTo: Address?
    var placedAt: Date?
    try json.object { (key, json) throws(UnreadableEvent) in
      switch key {
      case "orderId": try json.read(&orderId)
      case "customerId": try json.read(&customerId)
      case "currency": try json.read(&currency)
      case "total": try json.read(&total)
      case "lines": try json.read(&lines)
      case "payment": try json.read(&payment)
      case "shipTo": try json.read(&shipTo)
      case "placedAt": try json.read(&placedAt)
      default: try json.skip()
      }
    }
    self.init(
      orderId: try json.required(orderId, "orderId"),
      customerId: try json.required(customerId, "customerId"),
      currency: try json.required(currency, "currency"),
      total: try json.required(total, "total"),
      lines: try json.required(lines, "lines"),
      payment: try json.required(payment, "payment"),
      shipTo: try json.required(shipTo, "shipTo"),
      placedAt: try json.required(placedAt, "placedAt"))
  }

  func write(to json: inout JSONWriter) {
    json.object {
      $0.member("currency", currency)
      $0.member("customerId", customerId)
      $0.member("lines", lines)
      $0.member("orderId", orderId)
      $0.member("payment", payment)
      $0.member("placedAt", placedAt)
      $0.member("shipTo", shipTo)
      $0.member("total", total)
    }
  }
}

extension OrderCancelRequested: JSONCoded {
  init(reading json: inout JSONReader) throws(UnreadableEvent) {
    var orderId: OrderID?
    var requestedAt: Date?
    try json.object { (key, json) throws(UnreadableEvent) in
      switch key {
      case "orderId": try json.read(&orderId)
      case "requestedAt": try json.read(&requestedAt)
      default: try json.skip()
      }
    }
    self.init(
      orderId: try json.required(orderId, "orderId"),
      requestedAt: try json.required(requestedAt, "requestedAt"))
  }

  func write(to json: inout JSONWriter) {
    json.object {
      $0.member("orderId", orderId)
      $0.member("requestedAt", requestedAt)
    }
  }
}

extension OrderAccepted: JSONCoded {
  init(reading json: inout JSONReader) throws(UnreadableEvent) {
    var orderId: OrderID?
    var deadlineAt: Date?
    try json.object { (key, json) throws(UnreadableEvent) in
      switch key {
      case "orderId": try json.read(&orderId)
      case "deadlineAt": try json.read(&deadlineAt)
      default: try json.skip()
      }
    }
    self.init(
      orderId: try json.required(orderId, "orderId"),
      deadlineAt: try json.required(deadlineAt, "deadlineAt"))
  }

  func write(to json: inout JSONWriter) {
    json.object {
      $0.member("deadlineAt", deadlineAt)
      $0.member("orderId", orderId)
    }
  }
}

extension OrderCompleted: JSONCoded {
  init(reading json: inout JSONReader) throws(UnreadableEvent) {
    var orderId: OrderID?
    try json.object { (key, json) throws(UnreadableEvent) in
      switch key {
      case "orderId": try json.read(&orderId)
      default: try json.skip()
      }
    }
    self.init(
      orderId: try json.required(orderId, "orderId"))
  }

  func write(to json: inout JSONWriter) {
    json.object {
      $0.member("orderId", orderId)
    }
  }
}

extension InventoryReserved: JSONCoded {
  init(reading json: inout JSONReader) throws(UnreadableEvent) {
    var orderId: OrderID?
    var customerId: String?
    var currency: String?
    var total: Int?
    var lines: [StockLine]?
    var payment: PaymentMethod?
    var shipTo: Address?
    try json.object { (key, json) throws(UnreadableEvent) in
      switch key {
      case "orderId": try json.read(&orderId)
      case "customerId": try json.read(&customerId)
      case "currency": try json.read(&currency)
      case "total": try json.read(&total)
      case "lines": try json.read(&lines)
      case "payment": try json.read(&payment)
      case "shipTo": try json.read(&shipTo)
      default: try json.skip()
      }
    }
    self.init(
      orderId: try json.required(orderId, "orderId"),
      customerId: try json.required(customerId, "customerId"),
      currency: try json.required(currency, "currency"),
      total: try json.required(total, "total"),
      lines: try json.required(lines, "lines"),
      payment: try json.required(payment, "payment"),
      shipTo: try json.required(shipTo, "shipTo"))
  }

  func write(to json: inout JSONWriter) {
    json.object {
      $0.member("currency", currency)
      $0.member("customerId", customerId)
      $0.member("lines", lines)
      $0.member("orderId", orderId)
      $0.member("payment", payment)
      $0.member("shipTo", shipTo)
      $0.member("total", total)
    }
  }
}

extension InventoryRejected: JSONCoded {
  init(reading json: inout JSONReader) throws(UnreadableEvent) {
    var orderId: OrderID?
    var reason: CancellationReason?
    var skus: [String]?
    try json.object { (key, json) throws(UnreadableEvent) in
      switch key {
      case "orderId": try json.read(&orderId)
      case "reason": try json.read(&reason)
      case "skus": try json.read(&skus)
      default: try json.skip()
      }
    }
    self.init(
      orderId: try json.required(orderId, "orderId"),
      reason: try json.required(reason, "reason"),
      skus: try json.required(skus, "skus"))
  }

  func write(to json: inout JSONWriter) {
    json.object {
      $0.member("orderId", orderId)
      $0.member("reason", reason)
      $0.member("skus", skus)
    }
  }
}

extension PaymentCaptured: JSONCoded {
  init(reading json: inout JSONReader) throws(UnreadableEvent) {
    var orderId: OrderID?
    var paymentId: String?
    var currency: String?
    var amount: Int?
    var lines: [StockLine]?
    var shipTo: Address?
    try json.object { (key, json) throws(UnreadableEvent) in
      switch key {
      case "orderId": try json.read(&orderId)
      case "paymentId": try json.read(&paymentId)
      case "currency": try json.read(&currency)
      case "amount": try json.read(&amount)
      case "lines": try json.read(&lines)
      case "shipTo": try json.read(&shipTo)
      default: try json.skip()
      }
    }
    self.init(
      orderId: try json.required(orderId, "orderId"),
      paymentId: try json.required(paymentId, "paymentId"),
      currency: try json.required(currency, "currency"),
      amount: try json.required(amount, "amount"),
      lines: try json.required(lines, "lines"),
      shipTo: try json.required(shipTo, "shipTo"))
  }

  func write(to json: inout JSONWriter) {
    json.object {
      $0.member("amount", amount)
      $0.member("currency", currency)
      $0.member("lines", lines)
      $0.member("orderId", orderId)
      $0.member("paymentId", paymentId)
      $0.member("shipTo", shipTo)
    }
  }
}

extension PaymentRefunded: JSONCoded {
  init(reading json: inout JSONReader) throws(UnreadableEvent) {
    var orderId: OrderID?
    var paymentId: String?
    var currency: String?
    var amount: Int?
    var reason: CancellationReason?
    try json.object { (key, json) throws(UnreadableEvent) in
      switch key {
      case "orderId": try json.read(&orderId)
      case "paymentId": try json.read(&paymentId)
      case "currency": try json.read(&currency)
      case "amount": try json.read(&amount)
      case "reason": try json.read(&reason)
      default: try json.skip()
      }
    }
    self.init(
      orderId: try json.required(orderId, "orderId"),
      paymentId: try json.required(paymentId, "paymentId"),
      currency: try json.required(currency, "currency"),
      amount: try json.required(amount, "amount"),
      reason: try json.required(reason, "reason"))
  }

  func write(to json: inout JSONWriter) {
    json.object {
      $0.member("amount", amount)
      $0.member("currency", currency)
      $0.member("orderId", orderId)
      $0.member("paymentId", paymentId)
      $0.member("reason", reason)
    }
  }
}

// Bodies of the same two members.

/// A body that is an order and why it ends.
private protocol ReasonBody: JSONCoded {
  var orderId: OrderID { get }
  var reason: CancellationReason { get }
  init(orderId: OrderID, reason: CancellationReason)
}

extension ReasonBody {
  init(reading json: inout JSONReader) throws(UnreadableEvent) {
    var orderId: OrderID?
    var reason: CancellationReason?
    try json.object { (key, json) throws(UnreadableEvent) in
      switch key {
      case "orderId": try json.read(&orderId)
      case "reason": try json.read(&reason)
      default: try json.skip()
      }
    }
    self.init(
      orderId: try json.required(orderId, "orderId"), reason: try json.required(reason, "reason"))
  }

  func write(to json: inout JSONWriter) {
    json.object {
      $0.member("orderId", orderId)
      $0.member("reason", reason)
    }
  }
}

extension OrderCancelling: ReasonBody {}
extension OrderCancelled: ReasonBody {}
extension InventoryReleased: ReasonBody {}
extension PaymentDeclined: ReasonBody {}
extension PaymentVoided: ReasonBody {}
extension FulfilmentFailed: ReasonBody {}
extension FulfilmentCancelled: ReasonBody {}

/// A body that is an order and its parcel.
private protocol TrackingBody: JSONCoded {
  var orderId: OrderID { get }
  var trackingId: String { get }
  init(orderId: OrderID, trackingId: String)
}

extension TrackingBody {
  init(reading json: inout JSONReader) throws(UnreadableEvent) {
    var orderId: OrderID?
    var trackingId: String?
    try json.object { (key, json) throws(UnreadableEvent) in
      switch key {
      case "orderId": try json.read(&orderId)
      case "trackingId": try json.read(&trackingId)
      default: try json.skip()
      }
    }
    self.init(
      orderId: try json.required(orderId, "orderId"),
      trackingId: try json.required(trackingId, "trackingId"))
  }

  func write(to json: inout JSONWriter) {
    json.object {
      $0.member("orderId", orderId)
      $0.member("trackingId", trackingId)
    }
  }
}

extension FulfilmentShipped: TrackingBody {}
extension FulfilmentCancelRefused: TrackingBody {}
