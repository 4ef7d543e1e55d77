import Contracts
import Foundation

/// What the provider has done, by idempotency key: what a test holds against the platform's own
/// books.
struct Books: Encodable, Sendable {
  struct Capture: Codable, Hashable, Sendable {
    var key: UUID
    var orderId: OrderID
    var paymentId: String
    var amount: Int
    var currency: String
  }

  struct Refund: Codable, Hashable, Sendable {
    var key: UUID
    var orderId: OrderID
    var paymentId: String
    var amount: Int
    var currency: String
  }

  struct Shipment: Codable, Hashable, Sendable {
    var key: UUID
    var orderId: OrderID
    var trackingId: String
  }

  /// In the order in which they were made.
  var captures: [Capture] = []
  var refunds: [Refund] = []
  var shipments: [Shipment] = []
  /// All requests that had a key, and those of them that got the answer of an earlier one.
  var requests = 0
  var repeats = 0
}
