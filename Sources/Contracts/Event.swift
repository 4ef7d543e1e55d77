public import FoundationEssentials

/// An event as the services know it: the CloudEvents attributes and the typed body.
public struct Event: Hashable, Sendable {
  /// Unique to the event; a redelivery has the same.
  public var id: UUID
  /// The CloudEvents `source`, for instance `/orderly/payments`.
  public var source: String
  public var time: Date
  public var payload: EventPayload
  /// The event that caused this one; nil for one that came from outside.
  public var causationID: UUID?
  /// The W3C trace context, passed on to what this event causes.
  public var traceparent: String?

  public var type: EventType { payload.type }
  /// The order that the event is about: its record key, subject and correlation id.
  public var orderID: OrderID { payload.orderID }

  public init(
    id: UUID, source: String, time: Date, payload: EventPayload, causationID: UUID? = nil,
    traceparent: String? = nil
  ) {
    self.id = id
    self.source = source
    self.time = time
    self.payload = payload
    self.causationID = causationID
    self.traceparent = traceparent
  }
}

extension Event {
  /// The event that `service` emits as the `index`-th of its type when it handles `cause`.
  ///
  /// The id depends on nothing but these, so deciding again, after a crash or by another worker,
  /// gives the same id and the readers' inboxes drop the second copy.
  ///
  /// - Parameter causationID: the event that `cause` goes back to. It is `cause` itself, except where
  ///   that is the answer to an effect.
  public static func emitted(
    _ payload: EventPayload, by service: ServiceName, because cause: UUID, causationID: UUID,
    traceparent: String?, index: Int, at time: Date
  ) -> Event {
    let name =
      "\(cause.lowercaseText)/\(service.rawValue)/\(payload.type.rawValue)/\(index)"
    return Event(
      id: UUID(version5Of: name, namespace: .orderlyEvents), source: service.source, time: time,
      payload: payload, causationID: causationID, traceparent: traceparent)
  }
}
