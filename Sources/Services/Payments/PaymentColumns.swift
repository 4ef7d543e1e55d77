import Contracts
import FleetPostgres
import Foundation
import Postgres

/// A payment as its columns have it: NULL where its state has no such thing.
struct PaymentColumns {
  enum Status: String, PostgresCodable {
    case capturing
    case capturingUnwanted = "capturing-unwanted"
    case captured, declined, refunding, refunded, voided
  }

  var status: Status
  var reason: CancellationReason?
  var charge: Payment.Charge?
  var paymentID: String?
  var parcel: Payment.Parcel?

  init(_ payment: Payment) {
    switch payment {
    case .capturing(let charge, let parcel): self.init(status: .capturing, charge, nil, nil, parcel)
    case .capturingUnwanted(let charge, let reason):
      self.init(status: .capturingUnwanted, charge, nil, reason)
    case .captured(let charge, let paymentID): self.init(status: .captured, charge, paymentID)
    case .declined(let charge, let reason): self.init(status: .declined, charge, nil, reason)
    case .refunding(let charge, let paymentID, let reason):
      self.init(status: .refunding, charge, paymentID, reason)
    case .refunded(let charge, let paymentID, let reason):
      self.init(status: .refunded, charge, paymentID, reason)
    case .voided(let reason): self.init(status: .voided, nil, nil, reason)
    }
  }

  private init(
    status: Status, _ charge: Payment.Charge?, _ paymentID: String? = nil,
    _ reason: CancellationReason? = nil, _ parcel: Payment.Parcel? = nil
  ) {
    self.status = status
    self.reason = reason
    self.charge = charge
    self.paymentID = paymentID
    self.parcel = parcel
  }

  /// Reads the columns from `column` on, in the order of ``PaymentStore``'s SELECT.
  init(_ row: Row, from column: Int) throws {
    status = try row.decode(column)
    reason = try row.decode(column + 1)
    if let customerID = try row[column + 2, as: String?.self] {
      charge = Payment.Charge(
        customerID: customerID, currency: try row.decode(column + 3),
        amount: try row.decode(column + 4))
    }
    paymentID = try row.decode(column + 5)
    parcel = try row[column + 6, as: String?.self].map { json in
      try JSONDecoder().decode(Payment.Parcel.self, from: Data(json.utf8))
    }
  }

  /// The payment, or nil when the columns contradict each other.
  var payment: Payment? {
    switch (status, charge, paymentID, reason, parcel) {
    case (.capturing, let charge?, nil, nil, let parcel?): .capturing(charge, parcel)
    case (.capturingUnwanted, let charge?, nil, let reason?, nil):
      .capturingUnwanted(charge, reason)
    case (.captured, let charge?, let id?, nil, nil): .captured(charge, paymentID: id)
    case (.declined, let charge?, nil, let reason?, nil): .declined(charge, reason)
    case (.refunding, let charge?, let id?, let reason?, nil):
      .refunding(charge, paymentID: id, reason)
    case (.refunded, let charge?, let id?, let reason?, nil):
      .refunded(charge, paymentID: id, reason)
    case (.voided, nil, nil, let reason?, nil): .voided(reason)
    default: nil
    }
  }

  func parcelJSON() throws -> String? {
    try parcel.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
  }
}
