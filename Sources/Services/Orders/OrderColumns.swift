import Contracts
import FleetPostgres
import Foundation
import Postgres

/// An order as its columns have it: NULL where its state has no such thing.
struct OrderColumns {
  enum Status: String, PostgresCodable {
    case cancelEarly = "cancel-early"
    case shippedEarly = "shipped-early"
    case unfulfilledEarly = "unfulfilled-early"
    case placed, cancelling, completed, cancelled
  }

  var status: Status
  var reason: CancellationReason?
  var terms: Order.Terms?

  init(_ order: Order) {
    switch order {
    case .endedEarly(.shipped): self.init(status: .shippedEarly)
    case .endedEarly(.unfulfilled(let reason)): self.init(status: .unfulfilledEarly, reason)
    case .cancelEarly: self.init(status: .cancelEarly)
    case .placed(let terms): self.init(status: .placed, nil, terms)
    case .cancelling(let terms, let reason): self.init(status: .cancelling, reason, terms)
    case .completed(let terms): self.init(status: .completed, nil, terms)
    case .cancelled(let terms, let reason): self.init(status: .cancelled, reason, terms)
    }
  }

  private init(
    status: Status, _ reason: CancellationReason? = nil, _ terms: Order.Terms? = nil
  ) {
    self.status = status
    self.reason = reason
    self.terms = terms
  }

  /// Reads the columns from `column` on, in the order of ``OrderStore``'s SELECT.
  init(_ row: Row, from column: Int) throws {
    status = try row.decode(column)
    reason = try row.decode(column + 1)
    guard let customerID = try row[column + 2, as: String?.self] else { return }
    terms = Order.Terms(
      customerID: customerID, currency: try row.decode(column + 3),
      total: try row.decode(column + 4), placedAt: try row.decode(column + 5),
      deadlineAt: try row.decode(column + 6))
  }

  /// The order, or nil when the columns contradict each other.
  var order: Order? {
    switch (status, terms, reason) {
    case (.shippedEarly, nil, nil): .endedEarly(.shipped)
    case (.unfulfilledEarly, nil, let reason?): .endedEarly(.unfulfilled(reason))
    case (.cancelEarly, nil, nil): .cancelEarly
    case (.placed, let terms?, nil): .placed(terms)
    case (.cancelling, let terms?, let reason?): .cancelling(terms, reason)
    case (.completed, let terms?, nil): .completed(terms)
    case (.cancelled, let terms?, let reason?): .cancelled(terms, reason)
    default: nil
    }
  }

  var isClosed: Bool { status == .completed || status == .cancelled }
}
