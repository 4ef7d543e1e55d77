public import FoundationEssentials

/// Events to and from the bytes of a Kafka record.
public enum EventCodec {
  /// The largest body that is read or written, in bytes.
  public static let maximumBodyBytes = 64 * 1024
  /// How deep arrays and objects of a body may be nested; it bounds the reader's stack.
  public static let maximumDepth = 32

  /// The CloudEvents headers of an event.
  public static func headers(of event: Event) -> [EventHeader] {
    headers(
      id: event.id, source: event.source, type: event.type.rawValue, time: event.time,
      subject: event.orderID.rawValue, causationID: event.causationID,
      traceparent: event.traceparent)
  }

  /// The headers of an event of which only the attributes are at hand, as in an outbox row.
  public static func headers(
    id: UUID, source: String, type: String, time: Date, subject: String, causationID: UUID?,
    traceparent: String?
  ) -> [EventHeader] {
    let id = id.lowercaseText
    var headers = [
      EventHeader(HeaderName.specVersion, "1.0"),
      EventHeader(HeaderName.id, id),
      EventHeader(HeaderName.source, source),
      EventHeader(HeaderName.type, type),
      EventHeader(HeaderName.time, Timestamp.format(time)),
      EventHeader(HeaderName.subject, subject),
      EventHeader(HeaderName.contentType, "application/json"),
      EventHeader(HeaderName.correlationID, subject),
      EventHeader(HeaderName.idempotencyKey, id),
    ]
    if let causationID {
      headers.append(EventHeader(HeaderName.causationID, causationID.lowercaseText))
    }
    if let traceparent {
      headers.append(EventHeader(HeaderName.traceparent, traceparent))
    }
    return headers
  }

  /// The JSON of an event's body, its keys sorted. That the body keeps the rules of its schema is
  /// the caller's part: see ``EventPayload/validate()``.
  ///
  /// - Throws: ``UnreadableEvent`` for a body that no reader would take because it is too big.
  public static func body(of payload: EventPayload) throws -> [UInt8] {
    let body = payload.json
    try checkSize(body)
    return body
  }

  /// The type that the headers name; nil when they name none that is known, or more than one: no
  /// one can say then whom the record is for. Cheap: for passing over what a service does not
  /// consume.
  public static func type(in headers: [EventHeader]) -> EventType? {
    guard let first = headers.firstIndex(where: { $0.name == HeaderName.type }),
      !headers[(first + 1)...].contains(where: { $0.name == HeaderName.type })
    else { return nil }
    return headers[first].text.flatMap(EventType.init)
  }

  /// The order that a body is about; nil where the body can't be read.
  public static func order(value: [UInt8], headers: [EventHeader]) -> OrderID? {
    guard value.count <= maximumBodyBytes, let type = type(in: headers) else { return nil }
    return try? EventPayload(type, json: value).orderID
  }

  /// Reads an event from a record, and holds it to every rule of its schema.
  ///
  /// - Throws: ``UnreadableEvent``, which names the header or the field. No retry mends it.
  public static func decode(
    key: [UInt8]?, value: [UInt8]?, headers: [EventHeader]
  ) throws(UnreadableEvent) -> Event {
    let envelope = try EnvelopeReader(headers).read()
    guard let value else {
      throw UnreadableEvent(.noValue, "the record has no value")
    }
    try checkSize(value)
    let payload = try EventPayload(envelope.type, json: value)
    do { try payload.validate() } catch {
      throw UnreadableEvent(.invalidBody, error.description)
    }
    let order = payload.orderID.rawValue
    guard key.map({ $0.elementsEqual(order.utf8) }) == true else {
      throw UnreadableEvent(.wrongKey, "the record key is not the body's orderId, \(order)")
    }
    guard envelope.subject == nil || envelope.subject == order else {
      throw UnreadableEvent(
        .invalidHeader, "\(HeaderName.subject): is not the body's orderId, \(order)")
    }
    return Event(
      id: envelope.id, source: envelope.source, time: envelope.time, payload: payload,
      causationID: envelope.causationID, traceparent: envelope.traceparent)
  }

  private static func checkSize(_ body: [UInt8]) throws(UnreadableEvent) {
    guard body.count <= maximumBodyBytes else {
      throw UnreadableEvent(
        .tooBig, "the body has \(body.count) bytes, the limit is \(maximumBodyBytes)")
    }
  }
}

/// A record that is not an event the contracts know. It is the same on every attempt.
public struct UnreadableEvent: Error, Hashable, Sendable, CustomStringConvertible {
  /// A stable word for the kind of fault: the `dlq-reason` header.
  public enum Reason: String, CaseIterable, Sendable {
    /// A header that every event has is not there: see Topics/schemas/headers.json.
    case missingHeader = "missing-header"
    /// A header is there twice, is no text, or says what it must not.
    case invalidHeader = "invalid-header"
    /// `ce_type` is not one of ``EventType``.
    case unknownType = "unknown-type"
    /// The record has no body.
    case noValue = "no-value"
    /// The body is larger than ``EventCodec/maximumBodyBytes``.
    case tooBig = "too-big"
    /// The body is nested deeper than ``EventCodec/maximumDepth``.
    case tooDeep = "too-deep"
    /// The body is no JSON.
    case invalidJSON = "invalid-json"
    /// The body is JSON, and breaks a rule of its schema.
    case invalidBody = "invalid-body"
    /// The record's key is not the body's order.
    case wrongKey = "wrong-key"
    /// The type does not belong on the topic.
    case wrongTopic = "wrong-topic"
  }

  public let reason: Reason
  /// Names the header or the field, the rule and what was found.
  public let detail: String

  public init(_ reason: Reason, _ detail: String) {
    self.reason = reason
    self.detail = detail
  }

  public var description: String { "\(reason.rawValue): \(detail)" }
}
