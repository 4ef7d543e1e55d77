import CYAML

/// One event of libyaml's parser, copied out of C memory.
struct Event {
  enum Kind {
    case streamStart, streamEnd, documentStart, documentEnd
    case scalar(text: String, isPlain: Bool)
    case sequenceStart, sequenceEnd
    case mappingStart, mappingEnd
    case alias(String)
  }

  var kind: Kind
  var anchor: String?
  var tag: String?
  var location: YAMLLocation
}

/// Pulls events from a parser that the caller has initialised and will delete.
struct EventReader {
  let parser: UnsafeMutablePointer<yaml_parser_t>
  let file: String

  /// The next event.
  func next() throws(YAMLError) -> Event {
    var raw = yaml_event_t()
    guard yaml_parser_parse(parser, &raw) == 1 else { throw failure() }
    defer { yaml_event_delete(&raw) }
    var event = Event(kind: .streamStart, location: location(raw.start_mark))
    switch raw.type {
    case YAML_STREAM_END_EVENT:
      event.kind = .streamEnd
    case YAML_DOCUMENT_START_EVENT:
      event.kind = .documentStart
    case YAML_DOCUMENT_END_EVENT:
      event.kind = .documentEnd
    case YAML_SCALAR_EVENT:
      let scalar = raw.data.scalar
      // By length: a scalar may contain U+0000 ("\0").
      let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
      event.kind = .scalar(
        text: String(decoding: bytes, as: UTF8.self),
        isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE)
      event.anchor = Self.text(scalar.anchor)
      event.tag = Self.text(scalar.tag)
    case YAML_SEQUENCE_START_EVENT:
      event.kind = .sequenceStart
      event.anchor = Self.text(raw.data.sequence_start.anchor)
      event.tag = Self.text(raw.data.sequence_start.tag)
    case YAML_SEQUENCE_END_EVENT:
      event.kind = .sequenceEnd
    case YAML_MAPPING_START_EVENT:
      event.kind = .mappingStart
      event.anchor = Self.text(raw.data.mapping_start.anchor)
      event.tag = Self.text(raw.data.mapping_start.tag)
    case YAML_MAPPING_END_EVENT:
      event.kind = .mappingEnd
    case YAML_ALIAS_EVENT:
      event.kind = .alias(Self.text(raw.data.alias.anchor) ?? "")
    default:
      break
    }
    return event
  }

  private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    pointer.map { String(cString: $0) }
  }

  private func location(_ mark: yaml_mark_t) -> YAMLLocation {
    YAMLLocation(file: file, line: mark.line + 1, column: mark.column + 1)
  }

  /// The parser's error. `problem` and `context` are static strings inside libyaml.
  private func failure() -> YAMLError {
    let raw = parser.pointee
    var message = raw.problem.map { String(cString: $0) } ?? "out of memory"
    if raw.error == YAML_READER_ERROR {
      // The reader stops at a character that YAML does not allow, before the scanner got there:
      // its own mark lags behind, so the offset is all there is to name.
      message += " (byte \(raw.problem_offset), character \(raw.problem_value))"
      return YAMLError(location(raw.mark), message)
    }
    if let context = raw.context {
      message += ", " + String(cString: context)
      // What was left open is often far above the place where the parser noticed.
      if raw.context_mark.line != raw.problem_mark.line {
        message += " that starts in line \(raw.context_mark.line + 1)"
      }
    }
    return YAMLError(location(raw.problem_mark), message)
  }
}
