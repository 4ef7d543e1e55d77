public import Contracts
public import Foundation

// A dead letter is dead-lettered once, and lives on in its row:
//
//              replay                 its event is handled
//   (open) ─────────────▶ (replaying) ─────────────────────▶ (resolved)
//    │  ▲                      │
//    │  └──────────────────────┘ the last attempt fails
//    │ discard
//    └──────▶ (discarded)

extension DeadLetter {
  public enum State: String, Sendable, CaseIterable {
    /// Someone has to decide.
    case open
    /// Its event is in the queue of its order again.
    case replaying
    /// A replay of it was handled.
    case resolved
    /// Nothing more will be done about it.
    case discarded
  }

  /// What is replayed instead of the original.
  public struct Edit: Sendable, Hashable {
    /// The whole body, as JSON.
    public var value: [UInt8]
    /// With the id of the edited event in them, and that of the original as its cause.
    public var headers: [EventHeader]
    /// Not the original's: whoever has handled one of the two has not handled the other.
    public var eventID: UUID
    /// By the database's clock, unless whoever edits gives a time.
    public var at: Date

    public init(value: [UInt8], headers: [EventHeader], eventID: UUID, at: Date) {
      self.value = value
      self.headers = headers
      self.eventID = eventID
      self.at = at
    }
  }

  /// The message that a replay puts back: the original, or what it was edited to. It keeps the
  /// original's place in the log.
  public var replayed: RawMessage {
    guard let edit else { return message }
    var edited = message
    edited.value = edit.value
    edited.headers = edit.headers
    // Those that can be read have the order for a key, and only those are kept.
    edited.key =
      EventCodec.order(value: edit.value, headers: edit.headers).map { Array($0.rawValue.utf8) }
      ?? message.key
    return edited
  }

  /// The event of ``replayed``.
  ///
  /// - Throws: ``Refusal`` when it can't be read, or is not for this service, or it is no event but
  ///   an effect that is given up on.
  public func replayedEvent() throws(Refusal) -> Event {
    if effectID != nil {
      let kind = eventType ?? "a call"
      throw Refusal(
        "It is no event but \(kind), which a replay asks the provider for again, as it is and by the "
          + "same key.")
    }
    switch LaneItem(replayed, for: service) {
    case .event(let event, _):
      return event
    case .unreadable(let error, _):
      throw Refusal("The message can't be read (\(error)). Edit it first.")
    default:
      let type = EventCodec.type(in: replayed.headers)?.rawValue ?? "the event"
      throw Refusal("\(service.rawValue) does not act on \(type).")
    }
  }

  /// The lane that handles `event`, its ``replayedEvent()``.
  ///
  /// - Parameter named: the partition of the event's order, as whoever asks knows it.
  /// - Throws: ``Refusal`` when the original could not be read, so that nobody knows that it lies
  ///   where it belongs, and none is named.
  func lane(of event: Event, named: Int32?) throws(Refusal) -> Int32 {
    guard eventID == nil else { return message.partition.number }
    if let named { return named }
    throw Refusal(
      "The original could not be read, so that the partition of the order \(event.orderID) has to "
        + "be named.")
  }

  /// The letter with another message to replay. The edited event gets an id of its own, whatever
  /// `headers` say, and names the original as its cause where that one's id can be read.
  ///
  /// - Throws: ``Refusal`` when the letter is not open, the service could not read the message, or
  ///   it is about another order than the original.
  public func edited(
    value: [UInt8], headers: [EventHeader], at now: Date
  ) throws(Refusal) -> DeadLetter {
    try requireOpen("edited")
    let newID = UUID()
    let original =
      eventID
      ?? message.headers.first { $0.name == HeaderName.id }?.text.flatMap(UUID.init(uuidString:))
    var replaced: Set = [HeaderName.id, HeaderName.idempotencyKey]
    var added = [
      EventHeader(HeaderName.id, newID.lowercaseText),
      EventHeader(HeaderName.idempotencyKey, newID.lowercaseText),
    ]
    if let original {
      replaced.insert(HeaderName.causationID)
      added.append(EventHeader(HeaderName.causationID, original.lowercaseText))
    }
    var edited = self
    edited.edit = Edit(
      value: value, headers: headers.filter { !replaced.contains($0.name) } + added,
      eventID: newID, at: now)
    let newOrder = try edited.replayedEvent().orderID
    if let order, order != newOrder {
      throw Refusal(
        "The message is about the order \(order), and the edited one about \(newOrder). Publish a new "
          + "event for another order.")
    }
    return edited
  }

  /// - Parameter what: what was to be done with it, as a participle.
  func requireOpen(_ what: String) throws(Refusal) {
    switch state {
    case .open: break
    case .replaying: throw Refusal("The dead letter is being replayed.")
    case .resolved: throw Refusal("The dead letter was replayed and its event is handled.")
    case .discarded: throw Refusal("The dead letter was discarded: it can't be \(what).")
    }
  }

  /// The letter after its replay has failed for the last time, as `newer` says.
  public func reopened(as newer: DeadLetter) -> DeadLetter {
    var letter = self
    letter.state = .open
    letter.reason = newer.reason
    letter.detail = newer.detail
    letter.attempts = newer.attempts
    // Another worker's clock may be behind; the table holds the times in order.
    letter.lastFailed = max(firstFailed, newer.lastFailed)
    letter.stateSince = letter.lastFailed
    return letter
  }
}

/// Why an operator's wish is not granted: a sentence for people. Nothing was changed.
public struct Refusal: Error, Sendable, Hashable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) {
    self.description = description
  }
}
