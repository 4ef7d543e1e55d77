import Contracts
import Foundation

/// Where an order stands in the saga, told from the states that it has in the four services.
struct SagaStanding: Sendable {
  /// The state in one service.
  struct Part: Sendable {
    let status: String
    let reason: String?
    /// When it became that.
    let since: Date
  }

  /// What has to come next for the order to go on.
  struct Awaited: Sendable {
    /// Who has to act.
    let service: ServiceName
    /// An event that it has to handle, or an answer from outside.
    let what: String
    /// When the service before it was done.
    let since: Date?

    /// `payments: inventory.reserved`.
    var text: String { "\(service.rawValue): \(what)" }
  }

  let order: String
  /// nil in a service that has not heard of the order.
  var parts: [ServiceName: Part] = [:]
  var deadline: Date?
  /// The types of the events of which orders has heard.
  var heard: Set<String> = []

  func status(in service: ServiceName) -> String? { parts[service]?.status }

  var hasEnded: Bool { ["completed", "cancelled"].contains(status(in: .orders)) }
  /// The parcel has left: the order can only be completed.
  var isPastPivot: Bool { status(in: .fulfilment) == "shipped" }

  /// Whether what was done is being, or was, taken back.
  var isGoingBack: Bool {
    !isPastPivot
      && (["cancelling", "cancelled", "unfulfilled-early"].contains(status(in: .orders))
        || ["rejected", "released"].contains(status(in: .inventory))
        || ["declined", "capturing-unwanted", "refunding", "refunded", "voided"]
          .contains(status(in: .payments))
        || ["failed", "cancelled", "booking-cancel"].contains(status(in: .fulfilment)))
  }

  /// Whether the deadline passed so long ago that the order should have ended.
  func isOverdue(at now: Date) -> Bool {
    !hasEnded && deadline.map { now.timeIntervalSince($0) > FlowPromise.slack } ?? false
  }

  /// What the order waits for; nil when it has ended. Of several things the one that is furthest
  /// along the way.
  var awaited: Awaited? {
    if hasEnded { return nil }
    guard let order = parts[.orders], !order.status.hasSuffix("-early") else {
      return Awaited(service: .orders, what: "order.placed", since: parts[.orders]?.since)
    }
    return afterInventory ?? afterPayments ?? afterFulfilment ?? onTheWay(order)
  }

  private func awaits(
    _ service: ServiceName, _ what: String, after: ServiceName
  ) -> Awaited { Awaited(service: service, what: what, since: parts[after]?.since) }

  /// The stock was refused or given back: only the end is left.
  private var afterInventory: Awaited? {
    switch status(in: .inventory) {
    case "rejected": awaits(.orders, "inventory.rejected", after: .inventory)
    case "released": awaits(.orders, "inventory.released", after: .inventory)
    default: nil
    }
  }

  /// The money was refused or given back: the stock follows.
  private var afterPayments: Awaited? {
    switch status(in: .payments) {
    case "declined": awaits(.inventory, "payment.declined", after: .payments)
    case "refunded": awaits(.inventory, "payment.refunded", after: .payments)
    case "voided": awaits(.inventory, "payment.voided", after: .payments)
    case "refunding": awaits(.payments, "the provider's answer to the refund", after: .payments)
    default: nil
    }
  }

  private var afterFulfilment: Awaited? {
    switch status(in: .fulfilment) {
    case "shipped": awaits(.orders, "fulfilment.shipped", after: .fulfilment)
    case "booking", "booking-cancel":
      awaits(.fulfilment, "the carrier's answer to the booking", after: .fulfilment)
    case "failed", "cancelled":
      status(in: .payments) == "capturing-unwanted"
        ? capture
        : awaits(
          .payments,
          status(in: .fulfilment) == "failed" ? "fulfilment.failed" : "fulfilment.cancelled",
          after: .fulfilment)
    default: nil
    }
  }

  private var capture: Awaited {
    awaits(.payments, "the provider's answer to the capture", after: .payments)
  }

  /// Fulfilment has not heard of it.
  private func onTheWay(_ order: Part) -> Awaited {
    if order.status == "cancelling" {
      return awaits(.fulfilment, "order.cancelling", after: .orders)
    }
    switch status(in: .payments) {
    case "captured": return awaits(.fulfilment, "payment.captured", after: .payments)
    case nil: break
    default: return capture
    }
    return status(in: .inventory) == nil
      ? awaits(.inventory, "order.placed", after: .orders)
      : awaits(.payments, "inventory.reserved", after: .inventory)
  }
}
