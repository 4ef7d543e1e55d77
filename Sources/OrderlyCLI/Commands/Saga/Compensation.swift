import Contracts
import Fleet
import Foundation

/// How an order that can't go forward is brought back: a pure value, so that each case is tested as
/// a table.
///
/// The saga brings orders back by itself once it is told to, but its events must get through. What
/// is dead on the way forward is given up, since each service answers the way back without it; what
/// is dead on the way back must be handled, or stock and money would stay where they are. So must a
/// call to a provider, whichever way: what there is to bring back, only its answer tells.
struct Compensation: Equatable {
  /// A dead letter of the order that is still open.
  struct Letter: Equatable {
    let id: UUID
    let service: ServiceName
    let subject: Subject
    let verdict: ReplayVerdict
  }

  /// What a letter is about.
  enum Subject: Equatable {
    case event(EventType)
    /// A call, as `payments.capture`.
    case effect(String)
    case unknown

    var name: String {
      switch self {
      case .event(let type): type.rawValue
      case .effect(let kind): kind
      case .unknown: "-"
      }
    }
  }

  enum Step: Equatable {
    /// order.cancel-requested is published.
    case cancel
    case discard(UUID, ServiceName, EventType)
    /// The dead key goes on without what was discarded.
    case release(ServiceName)
    case replay(UUID, ServiceName, EventType)
    /// The provider is asked again, once the service has heard that the order turns back.
    case ask(UUID, ServiceName, String)
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
    // Last, when nothing keeps the events from the service that has to hear of them first.
    var asked: [Step] = []
    var goesOn: Set<ServiceName> = []
    // A message of no known type has stopped nothing, and no service waits for it.
    for letter in letters where letter.subject != .unknown {
      if letter.verdict == .replaying {
        throw Refusal(
          "\(letter.subject.name) is being replayed in \(letter.service.rawValue): wait for its end"
        )
      }
      switch letter.subject {
      case .event(let type) where state.need(for: type, in: letter.service) == nil:
        steps.append(.discard(letter.id, letter.service, type))
      case .event(let type) where letter.verdict == .handled:
        steps.append(.replay(letter.id, letter.service, type))
        goesOn.insert(letter.service)
      case .effect(let kind) where letter.verdict == .handled:
        asked.append(.ask(letter.id, letter.service, kind))
      case .event, .effect, .unknown:
        throw Self.refusal(letter)
      }
    }
    for service in ServiceName.allCases where dead.contains(service) && !goesOn.contains(service) {
      steps.append(.release(service))
    }
    self.steps = steps + asked
  }

  /// For a letter that the way back needs, and that a replay would not handle.
  private static func refusal(_ letter: Letter) -> Refusal {
    let id = letter.id.shortText
    let advice =
      if case .effect = letter.subject {
        "See 'orderly dlq show \(id)'"
      } else {
        "Mend it first: 'orderly dlq rehearse \(id)'"
      }
    return Refusal(
      "\(letter.subject.name) is dead in \(letter.service.rawValue) and part of the way back; a "
        + "replay would not handle it now (\(letter.verdict.rawValue)). \(advice)")
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
}
