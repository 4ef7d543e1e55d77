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

/// Reads the headers in one pass; each may be there once.
struct EnvelopeReader {
  private var values: [String: EventHeader] = [:]
  private var doubled: String?

  init(_ headers: [EventHeader]) {
    values.reserveCapacity(headers.count)
    for header in headers where values.updateValue(header, forKey: header.name) != nil {
      doubled = header.name
    }
  }

  func read() throws(UnreadableEvent) -> Envelope {
    if let doubled {
      throw UnreadableEvent(.invalidHeader, "\(doubled.prefix(64)): is there more than once")
    }
    let version = try required(HeaderName.specVersion)
    guard version == "1.0" else {
      throw invalid(HeaderName.specVersion, "must be 1.0", version)
    }
    let typeName = try required(HeaderName.type)
    guard let type = EventType(rawValue: typeName) else {
      throw UnreadableEvent(
        .unknownType, "\(HeaderName.type): no event is called \"\(typeName.prefix(64))\"")
    }
    let idText = try required(HeaderName.id)
    guard let id = UUID(uuidString: idText) else {
      throw invalid(HeaderName.id, "must be a UUID", idText)
    }
    let timeText = try required(HeaderName.time)
    guard let time = Timestamp.parse(timeText) else {
      throw invalid(HeaderName.time, "must be a time as in RFC 3339", timeText)
    }
    let source = try required(HeaderName.source)
    guard (1...256).contains(source.utf8.count) else {
      throw invalid(HeaderName.source, "must have 1 to 256 bytes", source)
    }
    return Envelope(
      id: id, source: source, type: type, time: time, subject: try optional(HeaderName.subject),
      causationID: try uuid(HeaderName.causationID), traceparent: try traceparent())
  }

  private func required(_ name: String) throws(UnreadableEvent) -> String {
    guard let text = try optional(name) else {
      throw UnreadableEvent(.missingHeader, "\(name): is missing")
    }
    return text
  }

  private func optional(_ name: String) throws(UnreadableEvent) -> String? {
    guard let header = values[name], header.value != nil else { return nil }
    guard let text = header.text else {
      throw UnreadableEvent(.invalidHeader, "\(name): is not UTF-8")
    }
    guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
      throw UnreadableEvent(.invalidHeader, "\(name): must not have control characters")
    }
    return text
  }

  private func uuid(_ name: String) throws(UnreadableEvent) -> UUID? {
    guard let text = try optional(name) else { return nil }
    guard let uuid = UUID(uuidString: text) else {
      throw invalid(name, "must be a UUID", text)
    }
    return uuid
  }

  /// A trace context that is too long to be one is dropped, not refused: the W3C recommendation
  /// has a receiver start anew, and an order must not fail for its trace.
  private func traceparent() throws(UnreadableEvent) -> String? {
    try optional(HeaderName.traceparent).flatMap { $0.utf8.count <= 55 ? $0 : nil }
  }

  private func invalid(_ name: String, _ rule: String, _ found: String) -> UnreadableEvent {
    UnreadableEvent(.invalidHeader, "\(name): \(rule), is \"\(found.prefix(64))\"")
  }
}
