/// The identifier of an order: the record key of every event about it.
///
/// 1 to 64 of the characters `A-Z a-z 0-9 _ -`, so that it can stand in a file name, a URL and a
/// terminal as it is.
public struct OrderID: RawRepresentable, Hashable, Sendable, Codable, Comparable,
  CustomStringConvertible
{
  public let rawValue: String

  /// Takes any text; `isValid` tells whether it may be an order's id.
  public init(rawValue: String) {
    self.rawValue = rawValue
  }

  public var isValid: Bool {
    (1...64).contains(rawValue.utf8.count) && rawValue.utf8.allSatisfy(isIdentifierByte)
  }

  public var description: String { rawValue }

  public static func < (a: OrderID, b: OrderID) -> Bool { a.rawValue < b.rawValue }
}

/// One line of an order.
public struct OrderLine: Hashable, Sendable, Codable {
  public var sku: String
  /// 1 to 10,000 pieces.
  public var quantity: Int
  /// The price of one piece in minor units of the order's currency, 0 to 10^10.
  public var unitPrice: Int

  public init(sku: String, quantity: Int, unitPrice: Int) {
    self.sku = sku
    self.quantity = quantity
    self.unitPrice = unitPrice
  }
}

/// How many pieces of an article, where the price does not matter.
public struct StockLine: Hashable, Sendable, Codable {
  public var sku: String
  /// 1 to 10,000 pieces.
  public var quantity: Int

  public init(sku: String, quantity: Int) {
    self.sku = sku
    self.quantity = quantity
  }
}

/// How the customer pays.
public struct PaymentMethod: Hashable, Sendable, Codable {
  /// The payment provider's token for the card; never a card number.
  public var token: String
  /// The country of the card's issuer, ISO 3166 alpha-2.
  public var cardCountry: String

  public init(token: String, cardCountry: String) {
    self.token = token
    self.cardCountry = cardCountry
  }
}

/// Where the parcel goes.
public struct Address: Hashable, Sendable, Codable {
  public var name: String
  public var line1: String
  public var city: String
  public var postcode: String
  /// ISO 3166 alpha-2.
  public var country: String

  public init(name: String, line1: String, city: String, postcode: String, country: String) {
    self.name = name
    self.line1 = line1
    self.city = city
    self.postcode = postcode
    self.country = country
  }
}

/// Why an order ended without being fulfilled. It travels backward with the compensations, so that
/// the last of them can tell the customer.
public enum CancellationReason: String, CaseIterable, Sendable, Codable {
  case outOfStock = "out-of-stock"
  case declined
  case fraudSuspected = "fraud-suspected"
  case undeliverable
  case cancelRequested = "cancel-requested"
  case timedOut = "timed-out"
}
