/// What is wrong with a field of an event's body.
public struct InvalidField: Error, Hashable, Sendable, CustomStringConvertible {
  /// Where, as in `lines[0].quantity`; empty for the body as a whole.
  public let path: String
  /// What the rule is and what was found.
  public let problem: String

  public init(_ path: String, _ problem: String) {
    self.path = path
    self.problem = problem
  }

  public var description: String { path.isEmpty ? problem : "\(path): \(problem)" }
}

/// The rules of the event bodies that their Swift types cannot express. They are those of the JSON
/// Schemas in Topics/schemas, and the sum of an order's lines, which no schema can say.
extension EventPayload {
  /// Throws the first rule that the body breaks.
  public func validate() throws(InvalidField) {
    try check("orderId", orderID.isValid, "must be 1 to 64 of the characters A-Z a-z 0-9 _ -")
    switch self {
    case .orderPlaced(let body):
      try body.validate()
    case .inventoryReserved(let body):
      try checkText("customerId", body.customerId, 64)
      try checkCurrency(body.currency)
      try checkAmount("total", body.total)
      try checkStockLines(body.lines)
      try body.payment.validate()
      try body.shipTo.validate()
    case .inventoryRejected(let body):
      try check("skus", body.skus.count <= 100, "must have at most 100 items")
      for (index, sku) in body.skus.enumerated() { try checkSKU("skus[\(index)]", sku) }
    case .paymentCaptured(let body):
      try checkText("paymentId", body.paymentId, 128)
      try checkCurrency(body.currency)
      try checkAmount("amount", body.amount)
      try checkStockLines(body.lines)
      try body.shipTo.validate()
    case .paymentRefunded(let body):
      try checkText("paymentId", body.paymentId, 128)
      try checkCurrency(body.currency)
      try checkAmount("amount", body.amount)
    case .fulfilmentShipped(let body):
      try checkText("trackingId", body.trackingId, 128)
    case .fulfilmentCancelRefused(let body):
      try checkText("trackingId", body.trackingId, 128)
    case .orderCancelRequested, .orderAccepted, .orderCancelling, .orderCompleted, .orderCancelled,
      .inventoryReleased, .paymentDeclined, .paymentVoided, .fulfilmentFailed, .fulfilmentCancelled:
      break
    }
  }
}

extension OrderPlaced {
  fileprivate func validate() throws(InvalidField) {
    try checkText("customerId", customerId, 64)
    try checkCurrency(currency)
    try checkAmount("total", total)
    try check("lines", (1...100).contains(lines.count), "must have 1 to 100 items")
    var sum = 0
    for (index, line) in lines.enumerated() {
      try checkSKU("lines[\(index)].sku", line.sku)
      try checkQuantity("lines[\(index)].quantity", line.quantity)
      try check(
        "lines[\(index)].unitPrice", (0...10_000_000_000).contains(line.unitPrice),
        "must be 0 to 10000000000, is \(line.unitPrice)")
      // At most 100 lines of 10^4 pieces at 10^10: within 64 bits.
      sum += line.quantity * line.unitPrice
    }
    try payment.validate()
    try shipTo.validate()
    try check("total", sum == total, "must be the sum of the lines, \(sum), is \(total)")
  }
}

extension PaymentMethod {
  fileprivate func validate() throws(InvalidField) {
    try checkText("payment.token", token, 128)
    try checkCountry("payment.cardCountry", cardCountry)
  }
}

extension Address {
  fileprivate func validate() throws(InvalidField) {
    try checkText("shipTo.name", name, 200)
    try checkText("shipTo.line1", line1, 200)
    try checkText("shipTo.city", city, 200)
    try checkText("shipTo.postcode", postcode, 20)
    try checkCountry("shipTo.country", country)
  }
}

private func check(
  _ path: @autoclosure () -> String, _ holds: Bool, _ problem: @autoclosure () -> String
) throws(InvalidField) {
  if !holds { throw InvalidField(path(), problem()) }
}

/// Text that a person or another system wrote. Control characters are refused: Postgres's text
/// cannot hold U+0000, and the others have no business in a name or a reference.
private func checkText(_ path: String, _ text: String, _ limit: Int) throws(InvalidField) {
  // No more scalars than bytes, so the scalars need counting only near the limit.
  let fits = text.utf8.count <= limit || text.unicodeScalars.count <= limit
  try check(path, !text.isEmpty && fits, "must have 1 to \(limit) characters")
  try check(
    path, text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }, "must not have control characters")
}

private func checkSKU(_ path: @autoclosure () -> String, _ sku: String) throws(InvalidField) {
  try check(
    path(), (1...64).contains(sku.utf8.count) && sku.utf8.allSatisfy(isIdentifierByte),
    "must be 1 to 64 of the characters A-Z a-z 0-9 _ -")
}

private func checkQuantity(
  _ path: @autoclosure () -> String, _ quantity: Int
) throws(InvalidField) {
  try check(path(), (1...10_000).contains(quantity), "must be 1 to 10000, is \(quantity)")
}

private func checkAmount(_ path: String, _ amount: Int) throws(InvalidField) {
  try check(
    path, (0...1_000_000_000_000).contains(amount), "must be 0 to 1000000000000, is \(amount)")
}

private func checkCurrency(_ currency: String) throws(InvalidField) {
  // Three bytes, because Swift holds the Kelvin sign equal to the K of "KES".
  try check(
    "currency", currency.utf8.count == 3 && Currency.codes.contains(currency),
    "must be a currency of ISO 4217, is \"\(currency.prefix(16))\"")
}

private func checkCountry(_ path: String, _ country: String) throws(InvalidField) {
  try check(
    path, country.utf8.count == 2 && country.utf8.allSatisfy { (0x41...0x5a).contains($0) },
    "must be a country code of two capital letters")
}

private func checkStockLines(_ lines: [StockLine]) throws(InvalidField) {
  try check("lines", (1...100).contains(lines.count), "must have 1 to 100 items")
  for (index, line) in lines.enumerated() {
    try checkSKU("lines[\(index)].sku", line.sku)
    try checkQuantity("lines[\(index)].quantity", line.quantity)
  }
}

/// `A-Z a-z 0-9 _ -`
func isIdentifierByte(_ byte: UInt8) -> Bool {
  switch byte {
  case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x5f: true
  default: false
  }
}
