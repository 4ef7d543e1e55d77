public import Contracts

/// Looks at an order before any money is captured. It knows no exchange rates: the limits are in
/// minor units of whatever the order's currency is.
public struct FraudScreen: Hashable, Sendable {
  public struct Limits: Hashable, Sendable {
    /// An order of this amount or more is flagged; minor units.
    public var amount: Int
    /// An order of this amount or more is flagged when the card's country is not the parcel's;
    /// minor units.
    public var foreignAmount: Int
    /// A customer's payment is flagged when it makes more than this many within an hour, in
    /// whatever way the others ended.
    public var paymentsPerHour: Int

    public init(
      amount: Int = 1_000_000, foreignAmount: Int = 200_000, paymentsPerHour: Int = 100
    ) {
      self.amount = amount
      self.foreignAmount = foreignAmount
      self.paymentsPerHour = paymentsPerHour
    }
  }

  /// A code that ISO 3166 leaves to its users, and so is no country. Test data ships there to
  /// fail at the carrier, which comes after this screen.
  static let noCountry = "ZZ"

  public let limits: Limits

  public init(limits: Limits = Limits()) {
    self.limits = limits
  }

  /// - Parameter earlierPayments: the customer's payments of the last hour before this one.
  public func flags(_ order: InventoryReserved, earlierPayments: Int) -> Bool {
    let countries = [order.payment.cardCountry, order.shipTo.country]
    let isForeign = countries[0] != countries[1] && !countries.contains(Self.noCountry)
    return order.total >= limits.amount
      || isForeign && order.total >= limits.foreignAmount
      || earlierPayments >= limits.paymentsPerHour
  }
}
