/// Reads the JSON of an event's body straight into the contract types: RFC 8259, strictly.
///
/// Written here because Foundation's decoder takes six times as long, and is lenient where a contract
/// must not be: it accepts `{"total":1,}`, UTF-16 and the first of two equal names, and does not say
/// where a body stops being JSON. `VerdictTests` hold the two to the same verdicts and values.
///
/// The bytes must outlive the reader, so it is made by ``read(_:as:)`` only and does not escape it.
struct JSONReader {
  let bytes: UnsafeBufferPointer<UInt8>
  var position = 0
  private var depth = 0
  /// Where the reader is in the value, for messages.
  private var path: [Step] = []

  private enum Step {
    /// The name of an object's member, as a range of the bytes, which costs no allocation.
    case member(Range<Int>)
    case item(Int)
  }

  private init(_ bytes: UnsafeBufferPointer<UInt8>) {
    self.bytes = bytes
    path.reserveCapacity(8)
  }

  /// Reads a whole document.
  ///
  /// - Throws: ``UnreadableEvent``: `invalid-json` with the offset for text that is not JSON,
  ///   `too-deep`, and `invalid-body` with the field for JSON of another shape than `Value`.
  static func read<Value: JSONCoded>(
    _ bytes: [UInt8], as type: Value.Type = Value.self
  ) throws(UnreadableEvent) -> Value {
    try bytes.withUnsafeBufferPointer { (bytes) throws(UnreadableEvent) in
      var reader = JSONReader(bytes)
      do throws(UnreadableEvent) {
        let value = try Value(reading: &reader)
        try reader.end()
        return value
      } catch {
        // A field of the wrong type is the fault only if the rest is JSON.
        if error.reason == .invalidBody {
          var syntax = JSONReader(bytes)
          try syntax.skip()
          try syntax.end()
        }
        throw error
      }
    }
  }

  private mutating func end() throws(UnreadableEvent) {
    if peek() != nil { throw unexpected("the end") }
  }
}

// Objects and lists.
extension JSONReader {
  /// Reads an object; `member` is called at each value and reads or skips it.
  mutating func object(
    _ member: (JSONName, inout JSONReader) throws(UnreadableEvent) -> Void
  ) throws(UnreadableEvent) {
    try enter("{", "an object")
    guard try !leave("}", isFirst: true) else { return }
    repeat {
      guard peek() == UInt8(ascii: "\"") else { throw unexpected("a name in quotes") }
      let start = position + 1
      let escaped = try scanString()
      let range = start..<position - 1
      guard take(":") else { throw unexpected("a colon") }
      path.append(.member(range))
      try member(JSONName(raw: UnsafeBufferPointer(rebasing: bytes[range]), text: escaped), &self)
      path.removeLast()
    } while try !leave("}", isFirst: false)
  }

  /// Reads the value of a member into a variable that must still be nil: names are there once.
  mutating func read<Value: JSONCoded>(_ value: inout Value?) throws(UnreadableEvent) {
    if value != nil { throw invalid("is there twice") }
    value = try Value(reading: &self)
  }

  /// The value of a member of the object that has just been read.
  func required<Value>(_ value: Value?, _ name: StaticString) throws(UnreadableEvent) -> Value {
    guard let value else {
      let parent = pathText
      throw UnreadableEvent(
        .invalidBody, parent.isEmpty ? "\(name): is required" : "\(parent).\(name): is required")
    }
    return value
  }

  /// Reads a list of values.
  mutating func list<Value: JSONCoded>() throws(UnreadableEvent) -> [Value] {
    var values: [Value] = []
    try items { (reader) throws(UnreadableEvent) in values.append(try Value(reading: &reader)) }
    return values
  }

  mutating func items(
    _ item: (inout JSONReader) throws(UnreadableEvent) -> Void
  ) throws(UnreadableEvent) {
    try enter("[", "a list")
    guard try !leave("]", isFirst: true) else { return }
    var index = 0
    repeat {
      path.append(.item(index))
      try item(&self)
      path.removeLast()
      index += 1
    } while try !leave("]", isFirst: false)
  }

  private mutating func enter(
    _ bracket: Unicode.Scalar, _ expected: String
  ) throws(UnreadableEvent) {
    guard take(bracket) else { throw mismatch(expected) }
    depth += 1
    if depth > EventCodec.maximumDepth {
      throw UnreadableEvent(
        .tooDeep,
        "the body nests deeper than \(EventCodec.maximumDepth) levels at byte \(position - 1)")
    }
  }

  /// Takes a closing bracket, or the comma before the next item.
  private mutating func leave(
    _ bracket: Unicode.Scalar, isFirst: Bool
  ) throws(UnreadableEvent) -> Bool {
    if take(bracket) {
      depth -= 1
      return true
    }
    if !isFirst, !take(",") { throw unexpected("a comma or \(bracket)") }
    return false
  }
}

// The place, and what is wrong there.
extension JSONReader {
  /// A fault of the value at the place of the reader.
  func invalid(_ problem: String) -> UnreadableEvent {
    let path = pathText
    return UnreadableEvent(.invalidBody, "\(path.isEmpty ? "the body" : path): \(problem)")
  }

  var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  /// The next byte that is no white space.
  mutating func peek() -> UInt8? {
    while let byte = current {
      guard byte <= 0x20, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else {
        return byte
      }
      position += 1
    }
    return nil
  }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard peek() == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private var pathText: String {
    var text = ""
    for step in path {
      switch step {
      case .item(let index): text += "[\(index)]"
      case .member(let range):
        let name = String(decoding: bytes[range].prefix(64), as: UTF8.self)
        text += text.isEmpty ? name : ".\(name)"
      }
    }
    return text
  }

  func mismatch(_ expected: String) -> UnreadableEvent {
    let found =
      switch current {
      case UInt8(ascii: "{"): "an object"
      case UInt8(ascii: "["): "a list"
      case UInt8(ascii: "\""): "a string"
      case UInt8(ascii: "t"), UInt8(ascii: "f"): "a boolean"
      case UInt8(ascii: "n"): "null"
      default: "a number"
      }
    return invalid("must be \(expected), is \(found)")
  }

  func unexpected(_ expected: String) -> UnreadableEvent {
    let found =
      switch current {
      case nil: "the end"
      case let byte? where (0x21...0x7e).contains(byte): "'\(Character(Unicode.Scalar(byte)))'"
      case let byte?: "the byte 0x" + String(byte, radix: 16)
      }
    return syntax("expected \(expected), found \(found)")
  }

  func syntax(_ problem: String) -> UnreadableEvent {
    UnreadableEvent(.invalidJSON, "the body is not JSON: at byte \(position): \(problem)")
  }

  func notUTF8(from start: Int) -> UnreadableEvent {
    UnreadableEvent(
      .invalidJSON, "the body is not UTF-8: the string that starts at byte \(start) has other bytes"
    )
  }
}

/// The name of an object's member. It points into the bytes being read: not to be kept.
struct JSONName {
  let raw: UnsafeBufferPointer<UInt8>
  /// The name without escapes; nil when it has none.
  let text: String?

  static func == (name: JSONName, other: StaticString) -> Bool {
    if let text = name.text { return text.utf8.elementsEqual(other.description.utf8) }
    guard name.raw.count == other.utf8CodeUnitCount else { return false }
    let pointer = other.utf8Start
    for index in 0..<name.raw.count where name.raw[index] != pointer[index] { return false }
    return true
  }

  static func ~= (pattern: StaticString, name: JSONName) -> Bool { name == pattern }
}
