import Contracts
import Fleet
import Foundation

/// How an order that can't go forward is brought back: a pure value, so that each case is tested as
/// a table.
///
/// The saga brings orders back by itself once it is told to, but its events must get through. What
/// is dead on the way forward is given up, since each service answers the way back without it; what
/// is dead on the way back must be handled, or stock and money would stay where they are.
struct Compensation: Equatable {
  /// A dead letter of the order that is still open.
  struct Letter: Equatable {
    let id: UUID
    let service: ServiceName
    let type: EventType?
    let verdict: ReplayVerdict
  }

  enum Step: Equatable {
    /// order.cancel-requested is published.
    case cancel
    case discard(UUID, ServiceName, EventType)
    /// The dead key goes on without what was discarded.
    case release(ServiceName)
    case replay(UUID, ServiceName, EventType)
  }

  let steps: [Step]

  /// - Parameter dead: the services in which the order's key is dead.
  /// - Throws: why it can't be done.
  init(
    _ state: SagaState, letters: [Letter], dead: Set<ServiceName>
  ) throws(Refusal) {
    try Self.check(state)
    var steps: [Step] = []
    // Before what is dead is given up: cut off here, the command can be run again.
    if state[.orders] == "placed" { steps.append(.cancel) }
    var goesOn: Set<ServiceName> = []
    for letter in letters {
      // A message of no known type has stopped nothing, and no service waits for it.
      guard let type = letter.type else { continue }
      let name = type.rawValue
      if letter.verdict == .replaying {
        throw Refusal("\(name) is being replayed in \(letter.service.rawValue): wait for its end")
      }
      if Self.isForward(letter) {
        steps.append(.discard(letter.id, letter.service, type))
      } else if letter.verdict == .handled {
        steps.append(.replay(letter.id, letter.service, type))
        goesOn.insert(letter.service)
      } else {
        throw Refusal(
          "\(name) is dead in \(letter.service.rawValue) and part of the way back; a replay would "
            + "not handle it now (\(letter.verdict.rawValue)). Mend it first: "
            + "'orderly dlq rehearse \(letter.id.uuidString.lowercased().prefix(8))'")
      }
    }
    for service in ServiceName.allCases where dead.contains(service) && !goesOn.contains(service) {
      steps.append(.release(service))
    }
    self.steps = steps
  }

  private static func check(_ state: SagaState) throws(Refusal) {
    if let reason = state.pointOfNoReturn { throw Refusal(reason) }
    switch state[.orders] {
    case "placed", "cancelling": return
    case nil:
      throw Refusal(
        "orders has not heard of it, so that nothing can be brought back. Is its order.placed dead? "
          + "'orderly dlq list --key \(state.order)'")
    case let status?:
      throw Refusal(
        "orders has it as \(status): its order.placed has not been handled, and only then it can be "
          + "brought back. See 'orderly dlq list --key \(state.order) --service orders'")
    }
  }

  /// Whether the service answers the way back as if the event had never come. Of what orders reads
  /// only the end of the way back counts: that it is asked for is published anew.
  private static func isForward(_ letter: Letter) -> Bool {
    switch (letter.service, letter.type) {
    case (.inventory, .orderPlaced), (.payments, .inventoryReserved),
      (.fulfilment, .paymentCaptured):
      true
    case (.orders, let type): type != .inventoryRejected && type != .inventoryReleased
    default: false
    }
  }
}
