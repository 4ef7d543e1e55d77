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
    let unheardOf = state([.orders: "cancel-early"])
    func actions(
      _ verdict: ReplayVerdict, _ order: SagaState?, _ event: EventType = .inventoryReserved
    ) -> [ReplayVerdict.Action] {
      verdict.actions(order, in: .payments, event: event)
    }
    #expect(actions(.handled, open) == [.retry, .skip, .compensate])
    #expect(actions(.handled, shipped) == [.retry, .skip])
    #expect(actions(.handled, unheardOf) == [.retry, .skip])
    #expect(
      ReplayVerdict.handled.actions(open, in: .payments, isEffect: true) == [.retry, .compensate])
    #expect(actions(.failsAgain, open) == [.edit, .skip, .compensate])
    #expect(actions(.unreadable, nil) == [.edit, .skip])
    #expect(actions(.orderEnded, state([.orders: "cancelled"])) == [.skip])
    #expect(actions(.replaying, open).isEmpty)
    #expect(actions(.closed, open).isEmpty)
    // Nobody but this event tells payments to give the money back.
    #expect(actions(.handled, open, .fulfilmentFailed) == [.retry, .compensate])
    #expect(actions(.failsAgain, open, .fulfilmentFailed) == [.edit])
    #expect(actions(.orderEnded, state([.orders: "cancelled"]), .fulfilmentFailed) == [.skip])
  }
}

/// Which events an order can't end without.
@Suite struct NeededEventTests {
  struct Consumed: Hashable, CustomTestStringConvertible {
    let service: ServiceName
    let type: EventType
    var testDescription: String { "\(service.rawValue) \(type.rawValue)" }
  }

  static let all = ServiceName.allCases.flatMap { service in
    service.consumes.map { Consumed(service: service, type: $0) }
  }

  static let needed: Set<Consumed> = [
    Consumed(service: .orders, type: .orderPlaced),
    Consumed(service: .orders, type: .inventoryRejected),
    Consumed(service: .orders, type: .inventoryReleased),
    Consumed(service: .orders, type: .fulfilmentShipped),
    Consumed(service: .inventory, type: .paymentDeclined),
    Consumed(service: .inventory, type: .paymentRefunded),
    Consumed(service: .inventory, type: .paymentVoided),
    Consumed(service: .payments, type: .fulfilmentFailed),
    Consumed(service: .payments, type: .fulfilmentCancelled),
    Consumed(service: .fulfilment, type: .orderCancelling),
  ]

  private func state(_ orders: String?) -> SagaState {
    var state = SagaState(order: "o-1")
    state.standings[.orders] = orders.map { SagaState.Standing(status: $0, reason: nil) }
    return state
  }

  @Test(arguments: all) func anOrderEndsWithoutTheOthers(_ event: Consumed) {
    let isNeeded = Self.needed.contains(event)
    #expect((event.service.need(for: event.type) != nil) == isNeeded)
    for orders in ["cancel-early", "shipped-early"] {
      #expect((state(orders).need(for: event.type, in: event.service) != nil) == isNeeded)
    }
    for ended in ["completed", "cancelled"] {
      #expect(state(ended).need(for: event.type, in: event.service) == nil)
    }
  }

  @Test func whatNobodyHoldsAnythingForIsNotNeeded() {
    #expect(state(nil).need(for: .orderPlaced, in: .orders) == nil)
    var held = state(nil)
    held.standings[.inventory] = SagaState.Standing(status: "reserved", reason: nil)
    #expect(held.need(for: .orderPlaced, in: .orders) != nil)
  }

  @Test func anOrderThatHasComeToFulfilmentTurnsBackByItself() {
    var order = state("cancelling")
    #expect(order.need(for: .orderCancelling, in: .fulfilment) != nil)
    for status in ["booking", "failed", "shipped"] {
      order.standings[.fulfilment] = SagaState.Standing(status: status, reason: nil)
      #expect(order.need(for: .orderCancelling, in: .fulfilment) == nil)
    }
  }

  @Test(arguments: ["placed", "cancelling"])
  func onlyTheFirstOrderPlacedIsNeeded(_ orders: String) {
    #expect(state(orders).need(for: .orderPlaced, in: .orders) == nil)
    #expect(state(orders).need(for: .fulfilmentShipped, in: .orders) != nil)
  }
}
