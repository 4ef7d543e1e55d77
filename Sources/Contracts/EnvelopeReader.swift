import FoundationEssentials

/// The CloudEvents attributes of a record, read from its headers.
struct Envelope {
  var id: UUID
  var source: String
  var type: EventType
  var time: Date
  var subject: String?
  var causationID: UUID?
  var traceparent: String?
}

/// Reads the headers in one pass. Those that the contracts know may each be there once; others are
/// passed over, however many there are: Kafka allows it, and they are nobody's business here.
struct EnvelopeReader {
  private var specVersion: [UInt8]?
  private var id: [UInt8]?
  private var source: [UInt8]?
  private var type: [UInt8]?
  private var time: [UInt8]?
  private var subject: [UInt8]?
  private var causationID: [UInt8]?
  private var traceparent: [UInt8]?

  /// Takes the headers apart.
  ///
  /// - Throws: ``UnreadableEvent`` if one that counts is there twice.
  init(_ headers: [EventHeader]) throws(UnreadableEvent) {
    for header in headers {
      switch header.name {
      case HeaderName.specVersion: try set(&specVersion, header)
      case HeaderName.id: try set(&id, header)
      case HeaderName.source: try set(&source, header)
      case HeaderName.type: try set(&type, header)
      case HeaderName.time: try set(&time, header)
      case HeaderName.subject: try set(&subject, header)
      case HeaderName.causationID: try set(&causationID, header)
      case HeaderName.traceparent: try set(&traceparent, header)
      default: break
      }
    }
  }

  private func set(_ slot: inout [UInt8]?, _ header: EventHeader) throws(UnreadableEvent) {
    if slot != nil {
      throw UnreadableEvent(.invalidHeader, "\(header.name): is there more than once")
    }
    slot = header.value
  }

  func read() throws(UnreadableEvent) -> Envelope {
    let version = try required(HeaderName.specVersion, specVersion)
    guard version == "1.0" else {
      throw invalid(HeaderName.specVersion, "must be 1.0", version)
    }
    let typeName = try required(HeaderName.type, type)
    guard let type = EventType(rawValue: typeName) else {
      throw UnreadableEvent(
        .unknownType, "\(HeaderName.type): no event is called \"\(typeName.prefix(64))\"")
    }
    guard let id = try uuid(HeaderName.id, id) else { throw missing(HeaderName.id) }
    let timeText = try required(HeaderName.time, time)
    guard let time = Timestamp.parse(timeText) else {
      throw invalid(HeaderName.time, "must be a time as in RFC 3339", timeText)
    }
    let source = try required(HeaderName.source, source)
    guard (1...256).contains(source.utf8.count) else {
      throw invalid(HeaderName.source, "must have 1 to 256 bytes", source)
    }
    return Envelope(
      id: id, source: source, type: type, time: time,
      subject: try text(HeaderName.subject, subject),
      causationID: try uuid(HeaderName.causationID, causationID), traceparent: trace)
  }

  private func required(_ name: String, _ value: [UInt8]?) throws(UnreadableEvent) -> String {
    guard let text = try text(name, value) else { throw missing(name) }
    return text
  }

  private func text(_ name: String, _ value: [UInt8]?) throws(UnreadableEvent) -> String? {
    guard let value else { return nil }
    guard let text = String(validating: value, as: UTF8.self) else {
      throw UnreadableEvent(.invalidHeader, "\(name): is not UTF-8")
    }
    guard value.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
      throw UnreadableEvent(.invalidHeader, "\(name): must not have control characters")
    }
    return text
  }

  private func uuid(_ name: String, _ value: [UInt8]?) throws(UnreadableEvent) -> UUID? {
    guard let value else { return nil }
    if let uuid = UUID(text: value) { return uuid }
    throw invalid(name, "must be a UUID", try text(name, value) ?? "")
  }

  /// A trace context that can't be one is dropped, not refused: the W3C recommendation has a
  /// receiver start anew, and an order must not fail for its trace.
  private var trace: String? {
    guard let traceparent, traceparent.count <= 55 else { return nil }
    return try? text(HeaderName.traceparent, traceparent)
  }

  private func missing(_ name: String) -> UnreadableEvent {
    UnreadableEvent(.missingHeader, "\(name): is missing")
  }

  private func invalid(_ name: String, _ rule: String, _ found: String) -> UnreadableEvent {
    UnreadableEvent(.invalidHeader, "\(name): \(rule), is \"\(found.prefix(64))\"")
  }
}
