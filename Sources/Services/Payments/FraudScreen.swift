public import Contracts

/// Looks at an order before any money is captured. It knows no exchange rates: the limits are in
/// minor units of whatever the order's currency is.
public struct FraudScreen: Hashable, Sendable {
  /// An order of this amount or more is flagged; minor units.
  static let amount = 1_000_000
  /// An order of this amount or more is flagged when the card's country is not the parcel's; minor
  /// units.
  static let foreignAmount = 200_000
  /// A code that ISO 3166 leaves to its users, and so is no country. Test data ships there to
  /// fail at the carrier, which comes after this screen.
  static let noCountry = "ZZ"

  /// A customer's payment is flagged when it makes more than this many within an hour, in whatever
  /// way the others ended.
  public let paymentsPerHour: Int

  public init(paymentsPerHour: Int = 100) {
    self.paymentsPerHour = paymentsPerHour
  }

  /// - Parameter earlierPayments: the customer's payments of the last hour before this one.
  public func flags(_ order: InventoryReserved, earlierPayments: Int) -> Bool {
    let countries = [order.payment.cardCountry, order.shipTo.country]
    let isForeign = countries[0] != countries[1] && !countries.contains(Self.noCountry)
    return order.total >= Self.amount
      || isForeign && order.total >= Self.foreignAmount
      || earlierPayments >= paymentsPerHour
  }
}
