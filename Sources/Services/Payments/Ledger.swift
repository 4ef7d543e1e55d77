public import Contracts

/// One side of a booking in double entry. A booking has two entries whose amounts sum to zero; there
/// is at most one entry for each order, kind and account, so that nothing is booked twice.
public struct LedgerEntry: Hashable, Sendable {
  public enum Kind: String, Sendable {
    /// The provider has taken the money from the customer.
    case capture
    /// The provider has given all of it back.
    case refund
  }

  public enum Account: String, Sendable {
    /// What the payment provider owes us.
    case providerReceivable = "provider-receivable"
    /// What we have earned from customers.
    case customerSales = "customer-sales"
  }

  public var orderID: OrderID
  public var kind: Kind
  public var account: Account
  /// ISO 4217.
  public var currency: String
  /// Minor units of the currency: a debit is positive, a credit is negative.
  public var amount: Int

  public init(orderID: OrderID, kind: Kind, account: Account, currency: String, amount: Int) {
    self.orderID = orderID
    self.kind = kind
    self.account = account
    self.currency = currency
    self.amount = amount
  }

  /// The two entries of a booking: a capture debits the provider and credits sales, a refund is
  /// the reverse.
  static func booking(_ kind: Kind, _ charge: Payment.Charge, of id: OrderID) -> [LedgerEntry] {
    let amount =
      switch kind {
      case .capture: charge.amount
      case .refund: -charge.amount
      }
    return [(.providerReceivable, amount), (.customerSales, -amount)].map { account, amount in
      LedgerEntry(
        orderID: id, kind: kind, account: account, currency: charge.currency, amount: amount)
    }
  }
}
