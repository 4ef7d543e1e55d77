import Contracts
import Fleet
import Foundation
import Testing

@testable import OrderlyCLI

/// What is done to bring an order back, or why it can't be, for each place in which it may be
/// stuck.
@Suite struct CompensationTests {
  private static let id = UUID()

  private func state(_ statuses: [ServiceName: String]) -> SagaState {
    SagaState(order: "o-1", standings: statuses.mapValues { .init(status: $0, reason: nil) })
  }

  private func letter(
    _ service: ServiceName, _ type: EventType?, _ verdict: ReplayVerdict = .failsAgain
  ) -> Compensation.Letter {
    .init(
      id: Self.id, service: service, subject: type.map { .event($0) } ?? .unknown,
      verdict: verdict)
  }

  @Test(arguments: [
    (ServiceName.inventory, EventType.orderPlaced), (.payments, .inventoryReserved),
    (.fulfilment, .paymentCaptured), (.orders, .orderPlaced), (.orders, .inventoryReserved),
    (.orders, .paymentCaptured), (.orders, .orderCancelRequested),
  ])
  func whatIsDeadOnTheWayForwardIsGivenUp(_ service: ServiceName, _ type: EventType) throws {
    let steps = try Compensation(
      state([.orders: "placed"]), letters: [letter(service, type)], dead: [service]
    ).steps
    #expect(steps == [.cancel, .discard(Self.id, service, type), .release(service)])
  }

  @Test(arguments: [
    (ServiceName.inventory, EventType.paymentRefunded), (.payments, .fulfilmentFailed),
    (.fulfilment, .orderCancelling), (.orders, .inventoryReleased), (.orders, .inventoryRejected),
  ])
  func whatIsDeadOnTheWayBackMustBeHandled(_ service: ServiceName, _ type: EventType) throws {
    let order = state([.orders: "cancelling", .payments: "captured"])
    let steps = try Compensation(
      order, letters: [letter(service, type, .handled)], dead: [service]
    ).steps
    // The replay lets the key go on.
    #expect(steps == [.replay(Self.id, service, type)])
    for verdict in [ReplayVerdict.failsAgain, .unreadable, .orderEnded] {
      let refusal = #expect(throws: Refusal.self) {
        try Compensation(order, letters: [letter(service, type, verdict)], dead: [service])
      }
      #expect(refusal?.description.contains(verdict.rawValue) == true)
    }
  }

  @Test func aMessageOfNoKnownTypeIsPassedOver() throws {
    let steps = try Compensation(
      state([.orders: "placed"]), letters: [letter(.inventory, nil, .unreadable)], dead: []
    ).steps
    #expect(steps == [.cancel])
  }

  /// The shop has sent an order.placed that can't be read, and then a good one.
  @Test func anUnreadableCopyOfWhatWasHandledIsGivenUp() throws {
    let steps = try Compensation(
      state([.orders: "placed", .inventory: "reserved"]),
      letters: [
        letter(.orders, .orderPlaced, .unreadable), letter(.inventory, .orderPlaced, .unreadable),
      ], dead: []
    ).steps
    #expect(
      steps == [
        .cancel, .discard(Self.id, .orders, .orderPlaced),
        .discard(Self.id, .inventory, .orderPlaced),
      ])
  }

  /// Whatever else is dead stands between the cancellation and the service that is asked.
  @Test func aCallThatIsGivenUpOnIsMadeAgainLast() throws {
    func capture(_ verdict: ReplayVerdict) -> Compensation.Letter {
      .init(
        id: Self.id, service: .payments, subject: .effect("payments.capture"), verdict: verdict)
    }
    let order = state([.orders: "placed", .payments: "capturing"])
    let steps = try Compensation(
      order, letters: [capture(.handled), letter(.inventory, .orderPlaced)], dead: [.fulfilment]
    ).steps
    #expect(
      steps == [
        .cancel, .discard(Self.id, .inventory, .orderPlaced), .release(.fulfilment),
        .ask(Self.id, .payments, "payments.capture"),
      ])
    for verdict in ReplayVerdict.allCases where verdict != .handled {
      #expect(throws: Refusal.self) {
        try Compensation(order, letters: [capture(verdict)], dead: [])
      }
    }
  }

  @Test func aReplayUnderWayIsWaitedFor() {
    #expect(throws: Refusal.self) {
      try Compensation(
        state([.orders: "placed"]), letters: [letter(.payments, .inventoryReserved, .replaying)],
        dead: [])
    }
  }

  @Test func anOrderOnItsWayBackIsOnlyLetThrough() throws {
    let order = state([.orders: "cancelling", .fulfilment: "cancelled"])
    #expect(try Compensation(order, letters: [], dead: [.payments]).steps == [.release(.payments)])
    #expect(try Compensation(order, letters: [], dead: []).steps.isEmpty)
  }

  @Test(
    arguments: [
      ([.orders: "completed", .fulfilment: "shipped"], "completed"),
      ([.orders: "cancelled"], "compensated"),
      ([.orders: "placed", .fulfilment: "shipped"], "parcel has left"),
      ([.orders: "cancelling", .fulfilment: "shipped"], "parcel has left"),
      ([:], "orders has not heard of it"),
      ([.inventory: "reserved"], "orders has not heard of it"),
      ([.orders: "cancel-early"], "cancel-early"),
      ([.orders: "unfulfilled-early"], "unfulfilled-early"),
    ] as [([ServiceName: String], String)])
  func whatCannotBeBroughtBack(_ statuses: [ServiceName: String], _ reason: String) {
    let refusal = #expect(throws: Refusal.self) {
      try Compensation(state(statuses), letters: [], dead: [])
    }
    #expect(refusal?.description.contains(reason) == true)
  }

  @Test func actionsFitTheVerdictAndTheOrder() {
    let open = state([.orders: "placed"])
    let shipped = state([.orders: "placed", .fulfilment: "shipped"])
    #expect(ReplayVerdict.handled.actions(open) == [.retry, .skip, .compensate])
    #expect(ReplayVerdict.handled.actions(shipped) == [.retry, .skip])
    #expect(ReplayVerdict.handled.actions(open, isEffect: true) == [.retry, .compensate])
    #expect(ReplayVerdict.failsAgain.actions(open) == [.edit, .skip, .compensate])
    #expect(ReplayVerdict.unreadable.actions(nil) == [.edit, .skip])
    #expect(ReplayVerdict.orderEnded.actions(state([.orders: "cancelled"])) == [.skip])
    #expect(ReplayVerdict.replaying.actions(open).isEmpty)
    #expect(ReplayVerdict.closed.actions(open).isEmpty)
  }
}
