import Contracts
import Foundation
import Testing

@testable import OrderlyCLI

/// What an order waits for, and which steps are done, by its states in the services.
@Suite struct SagaStandingTests {
  struct Case: Sendable, CustomTestStringConvertible {
    /// In orders, inventory, payments and fulfilment; "-" for not heard of.
    let states: String
    let awaits: String?
    /// The steps that are left.
    let left: [String]

    var testDescription: String { states }
  }

  static let cases = [
    Case(
      states: "- - - -", awaits: "orders: order.placed",
      left: ["accept", "reserve stock", "capture payment", "ship", "complete"]),
    Case(
      states: "cancel-early - - -", awaits: "orders: order.placed",
      left: ["accept", "reserve stock", "capture payment", "ship", "complete"]),
    Case(
      states: "placed - - -", awaits: "inventory: order.placed",
      left: ["reserve stock", "capture payment", "ship", "complete"]),
    Case(
      states: "placed reserved - -", awaits: "payments: inventory.reserved",
      left: ["capture payment", "ship", "complete"]),
    Case(
      states: "placed reserved capturing -",
      awaits: "payments: the provider's answer to the capture",
      left: ["capture payment", "ship", "complete"]),
    Case(
      states: "placed reserved captured -", awaits: "fulfilment: payment.captured",
      left: ["ship", "complete"]),
    Case(
      states: "placed reserved captured booking",
      awaits: "fulfilment: the carrier's answer to the booking", left: ["ship", "complete"]),
    Case(
      states: "placed reserved captured shipped", awaits: "orders: fulfilment.shipped",
      left: ["complete"]),
    Case(states: "completed reserved captured shipped", awaits: nil, left: []),
    Case(
      states: "placed rejected - -", awaits: "orders: inventory.rejected", left: ["cancel"]),
    Case(
      states: "placed reserved declined -", awaits: "inventory: payment.declined",
      left: ["release stock", "cancel"]),
    Case(
      states: "placed reserved captured failed", awaits: "payments: fulfilment.failed",
      left: ["give the money back", "release stock", "cancel"]),
    Case(
      states: "placed reserved refunding failed",
      awaits: "payments: the provider's answer to the refund",
      left: ["give the money back", "release stock", "cancel"]),
    Case(
      states: "placed reserved refunded failed", awaits: "inventory: payment.refunded",
      left: ["release stock", "cancel"]),
    Case(
      states: "placed released refunded failed", awaits: "orders: inventory.released",
      left: ["cancel"]),
    Case(states: "cancelled released refunded failed", awaits: nil, left: []),
    Case(
      states: "cancelling reserved captured -", awaits: "fulfilment: order.cancelling",
      left: ["stop the parcel", "give the money back", "release stock", "cancel"]),
    Case(
      states: "cancelling reserved - cancelled", awaits: "payments: fulfilment.cancelled",
      left: ["give the money back", "release stock", "cancel"]),
    Case(
      states: "cancelling reserved capturing-unwanted cancelled",
      awaits: "payments: the provider's answer to the capture",
      left: ["capture payment", "give the money back", "release stock", "cancel"]),
    Case(
      states: "cancelling reserved voided cancelled", awaits: "inventory: payment.voided",
      left: ["release stock", "cancel"]),
    Case(
      states: "cancelling reserved captured booking-cancel",
      awaits: "fulfilment: the carrier's answer to the booking",
      left: ["ship", "stop the parcel", "give the money back", "release stock", "cancel"]),
    // The parcel had left: the cancellation is refused.
    Case(
      states: "cancelling reserved captured shipped", awaits: "orders: fulfilment.shipped",
      left: ["complete"]),
  ]

  @Test(arguments: cases) func whatIsAwaitedFollowsFromTheStates(_ example: Case) {
    var standing = SagaStanding(order: "o-1")
    for (service, status) in zip(ServiceName.allCases, example.states.split(separator: " "))
    where status != "-" {
      standing.parts[service] = SagaStanding.Part(
        status: String(status), reason: nil, since: Date())
    }
    standing.heard = ["inventory.reserved"]
    #expect(standing.awaited?.text == example.awaits)
    #expect(standing.steps.filter(\.isLeft).map(\.name) == example.left)
    // Whoever has to act has a step to do.
    if let awaited = standing.awaited, standing.status(in: .orders) != nil {
      #expect(standing.steps.contains { $0.isLeft && $0.service == awaited.service })
    }
  }
}
