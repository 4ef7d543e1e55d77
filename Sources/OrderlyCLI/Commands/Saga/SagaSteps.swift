import Contracts
import Foundation

/// A step of an order's way, forward or back.
struct SagaStep: Sendable, Equatable {
  enum State: String, Sendable {
    case done, failed, undone
    case underWay = "under way"
    case toDo = "to do"
    case notNeeded = "not needed"
  }

  let name: String
  let service: ServiceName
  let state: State

  var isLeft: Bool { state == .toDo || state == .underWay }
}

extension SagaStanding {
  /// The way there, and the way back where the order is on it.
  var steps: [SagaStep] { forward + (isGoingBack ? backward : []) }

  private var forward: [SagaStep] {
    // What has not begun is not needed any more once the order is on its way back.
    let open: SagaStep.State = isGoingBack || hasEnded ? .notNeeded : .toDo
    return [
      SagaStep(name: "accept", service: .orders, state: isPlaced ? .done : .toDo),
      SagaStep(name: "reserve stock", service: .inventory, state: reserve ?? open),
      SagaStep(name: "capture payment", service: .payments, state: capturePayment ?? open),
      SagaStep(name: "ship", service: .fulfilment, state: ship ?? open),
      SagaStep(
        name: "complete", service: .orders,
        state: status(in: .orders) == "completed" ? .done : open),
    ]
  }

  private var isPlaced: Bool { status(in: .orders).map { !$0.hasSuffix("-early") } ?? false }

  private var reserve: SagaStep.State? {
    switch status(in: .inventory) {
    case "reserved": .done
    case "rejected": .failed
    // Released before it was ever reserved: a tombstone.
    case "released": heard.contains(EventType.inventoryReserved.rawValue) ? .undone : .notNeeded
    default: nil
    }
  }

  private var capturePayment: SagaStep.State? {
    switch status(in: .payments) {
    case "capturing", "capturing-unwanted": .underWay
    case "captured", "refunding": .done
    case "declined": .failed
    case "refunded": .undone
    case "voided": .notNeeded
    default: nil
    }
  }

  private var ship: SagaStep.State? {
    switch status(in: .fulfilment) {
    case "booking", "booking-cancel": .underWay
    case "shipped": .done
    case "failed": .failed
    case "cancelled": .notNeeded
    default: nil
    }
  }

  private var backward: [SagaStep] {
    [
      SagaStep(name: "stop the parcel", service: .fulfilment, state: stopParcel),
      SagaStep(name: "give the money back", service: .payments, state: giveBack),
      SagaStep(name: "release stock", service: .inventory, state: release),
      SagaStep(
        name: "cancel", service: .orders,
        state: status(in: .orders) == "cancelled" ? .done : .toDo),
    ]
  }

  private var stopParcel: SagaStep.State {
    switch status(in: .fulfilment) {
    case "cancelled": .done
    case "booking-cancel": .underWay
    case "failed": .notNeeded
    // Fulfilment is asked only when the way back begins at its far end.
    case nil: status(in: .orders) == "cancelling" ? .toDo : .notNeeded
    default: .toDo
    }
  }

  private var giveBack: SagaStep.State {
    switch status(in: .payments) {
    case "refunded": .done
    case "voided", "declined": .notNeeded
    case "refunding": .underWay
    case nil where ["rejected", "released"].contains(status(in: .inventory)): .notNeeded
    default: .toDo
    }
  }

  private var release: SagaStep.State {
    switch status(in: .inventory) {
    case "released": .done
    case "rejected": .notNeeded
    default: .toDo
    }
  }
}
