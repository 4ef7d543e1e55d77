import Contracts
import Foundation

/// One thing for a step to handle.
enum LaneItem: Sendable {
  case event(Event, RawMessage)
  case unreadable(UnreadableEvent, RawMessage)
  /// An event that is given up on.
  case dead(DeadLetter)
  case deadline(OrderID)
  /// An event that has failed too often for its lane to wait; its key is parked.
  case parked(ParkedEvent)
  /// A parked key whose time has come. Never in one batch with other items.
  case retry(OrderID, Retry)
  /// An effect after a call: done, to be decided on; or to be called again; or given up on.
  case effect(StoredEffect)

  /// How much of a parked key's queue is tried.
  enum Retry: Sendable, Hashable {
    case queue
    /// The first event only, to find out which one the database refuses.
    case head
    /// None: the database refuses the first event, and why.
    case refused(String)
  }

  /// What the inbox knows it by.
  func id(in service: ServiceName) -> UUID {
    switch self {
    case .event(let event, _): event.id
    // Its own id may be missing or not its own, so its place in the log stands for it.
    case .unreadable(_, let message): DeadLetter.id(of: message, in: service)
    case .dead(let letter): letter.eventID ?? letter.id
    // A deadline fires once.
    case .deadline(let order):
      UUID(version5Of: "\(order.rawValue)/deadline", namespace: .orderlyEvents)
    case .parked(let event): event.id
    // It enters no inbox: the events of the queue have done so when they came.
    case .retry(let key, _):
      UUID(version5Of: "\(key.rawValue)/retry", namespace: .orderlyEvents)
    case .effect(let effect): effect.settlementID
    }
  }

  /// The order whose other items must keep their place behind this one.
  var order: OrderID? {
    switch self {
    case .event(let event, _): event.orderID
    case .deadline(let order): order
    case .dead(let letter): letter.order
    case .unreadable: nil
    case .parked(let event): event.order
    case .retry(let key, _): key
    case .effect(let effect): effect.order
    }
  }

  /// What it is, for counting.
  var kind: String {
    switch self {
    case .event(let event, _): event.type.rawValue
    case .deadline: "deadline"
    case .effect(let effect): effect.kind
    case .dead, .unreadable, .parked, .retry: "other"
    }
  }

  /// The key whose fence counts for it.
  var fencedKey: OrderID? {
    switch self {
    case .event, .dead, .parked: order
    case .unreadable, .deadline, .retry, .effect: nil
    }
  }

  /// Reads a message. nil: it is of a type that `service` does not act on.
  ///
  /// A message whose type is unknown, or cannot be read, is unreadable to every subscriber of its
  /// topic: no one can say that it was not meant for them.
  init?(_ message: RawMessage, for service: ServiceName) {
    if let type = EventCodec.type(in: message.headers) {
      guard service.consumes.contains(type) else { return nil }
      guard type.topic.rawValue == message.partition.topic else {
        let detail = "\(HeaderName.type): \(type.rawValue) belongs on \(type.topic.rawValue)"
        self = .unreadable(UnreadableEvent(.wrongTopic, detail), message)
        return
      }
    }
    do {
      let event = try EventCodec.decode(
        key: message.key, value: message.value, headers: message.headers)
      self = .event(event, message)
    } catch {
      self = .unreadable(error, message)
    }
  }
}
