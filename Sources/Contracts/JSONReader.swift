/// Reads the JSON of an event's body straight into the contract types: RFC 8259, strictly.
///
/// Written here because Foundation's decoder takes ten times as long, and is lenient where a
/// contract must not be: it accepts `{"total":1,}`, UTF-16 and the first of two equal names, and
/// does not say where a body stops being JSON. `JSONReaderTests` hold the two to the same verdicts
/// and values.
///
/// The bytes must outlive the reader, so it is made by ``read(_:as:)`` only and does not escape it.
struct JSONReader {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var position = 0
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

  private mutating func items(
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

// Strings and numbers.
extension JSONReader {
  /// Reads a string.
  mutating func string() throws(UnreadableEvent) -> String {
    guard peek() == UInt8(ascii: "\"") else { throw mismatch("a string") }
    let start = position + 1
    if let unescaped = try scanString() { return unescaped }
    return String(
      decoding: UnsafeBufferPointer(rebasing: bytes[start..<position - 1]), as: UTF8.self)
  }

  /// Reads an integer. As in JSON Schema, `1.0` and `1e2` are integers too.
  mutating func integer() throws(UnreadableEvent) -> Int {
    guard let first = peek(), first == UInt8(ascii: "-") || isDigit(first) else {
      throw mismatch("an integer")
    }
    let start = position
    let isWhole = try scanNumber()
    let text = String(
      decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
    if let number = isWhole ? Int(text) : Double(text).flatMap(Int.init(exactly:)) { return number }
    throw invalid("must be an integer within 64 bits, is \(text.prefix(32))")
  }

  /// Passes over a value of any type.
  mutating func skip() throws(UnreadableEvent) {
    switch peek() {
    case UInt8(ascii: "{"): try object { (_, reader) throws(UnreadableEvent) in try reader.skip() }
    case UInt8(ascii: "["): try items { (reader) throws(UnreadableEvent) in try reader.skip() }
    case UInt8(ascii: "\""): _ = try scanString()
    case UInt8(ascii: "t"): try skip("true")
    case UInt8(ascii: "f"): try skip("false")
    case UInt8(ascii: "n"): try skip("null")
    default: _ = try scanNumber()
    }
  }

  private mutating func skip(_ word: StaticString) throws(UnreadableEvent) {
    let rest = bytes[position...].prefix(word.utf8CodeUnitCount)
    guard JSONName(raw: UnsafeBufferPointer(rebasing: rest), text: nil) == word else {
      throw unexpected("a value")
    }
    position += word.utf8CodeUnitCount
  }

  /// Passes over a number; true if it has no fraction and no exponent.
  private mutating func scanNumber() throws(UnreadableEvent) -> Bool {
    func digits(_ reader: inout JSONReader) throws(UnreadableEvent) {
      guard let byte = reader.current, isDigit(byte) else { throw reader.unexpected("a digit") }
      while let byte = reader.current, isDigit(byte) { reader.position += 1 }
    }
    guard let first = current, first == UInt8(ascii: "-") || isDigit(first) else {
      throw unexpected("a value")
    }
    if first == UInt8(ascii: "-") { position += 1 }
    if current == UInt8(ascii: "0") { position += 1 } else { try digits(&self) }
    var isWhole = true
    if current == UInt8(ascii: ".") {
      position += 1
      isWhole = false
      try digits(&self)
    }
    if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
      position += 1
      isWhole = false
      if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
      try digits(&self)
    }
    return isWhole
  }

  /// Passes over a string; its text if it has escapes, nil if its bytes are the text.
  private mutating func scanString() throws(UnreadableEvent) -> String? {
    position += 1
    let start = position
    var all: UInt8 = 0
    while let byte = current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
      if byte < 0x20 { throw syntax("a control character in a string must be escaped") }
      all |= byte
      position += 1
    }
    if current == UInt8(ascii: "\\") { return try scanEscapedString(from: start) }
    try close(from: start)
    // Bytes outside strings are checked one by one, so a body whose strings are UTF-8 is UTF-8.
    if all >= 0x80, String(validating: bytes[start..<position - 1], as: UTF8.self) == nil {
      throw notUTF8(from: start)
    }
    return nil
  }

  private mutating func scanEscapedString(from start: Int) throws(UnreadableEvent) -> String {
    var text = Array(bytes[start..<position])
    while let byte = current, byte != UInt8(ascii: "\"") {
      if byte < 0x20 { throw syntax("a control character in a string must be escaped") }
      position += 1
      if byte != UInt8(ascii: "\\") {
        text.append(byte)
      } else {
        text.append(contentsOf: try escape())
      }
    }
    try close(from: start)
    guard let text = String(validating: text, as: UTF8.self) else { throw notUTF8(from: start) }
    return text
  }

  private mutating func close(from start: Int) throws(UnreadableEvent) {
    guard current != nil else {
      position = start - 1
      throw syntax("a string is not closed")
    }
    position += 1
  }

  private mutating func escape() throws(UnreadableEvent) -> String.UTF8View {
    let byte = current
    position += 1
    switch byte {
    case UInt8(ascii: "\""): return "\"".utf8
    case UInt8(ascii: "\\"): return "\\".utf8
    case UInt8(ascii: "/"): return "/".utf8
    case UInt8(ascii: "b"): return "\u{8}".utf8
    case UInt8(ascii: "f"): return "\u{c}".utf8
    case UInt8(ascii: "n"): return "\n".utf8
    case UInt8(ascii: "r"): return "\r".utf8
    case UInt8(ascii: "t"): return "\t".utf8
    case UInt8(ascii: "u"): break
    default:
      position -= 1
      throw unexpected("one of \"\\/bfnrtu after the backslash")
    }
    var units = [try codeUnit()]
    if UTF16.isLeadSurrogate(units[0]), current == UInt8(ascii: "\\"),
      position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "u")
    {
      position += 2
      units.append(try codeUnit())
    }
    guard let text = String(validating: units, as: UTF16.self) else {
      throw syntax("an escape is half of a surrogate pair")
    }
    return text.utf8
  }

  private mutating func codeUnit() throws(UnreadableEvent) -> UInt16 {
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let digit = current.flatMap(hexadecimalDigit) else {
        throw unexpected("four hexadecimal digits after \\u")
      }
      unit = unit << 4 | UInt16(digit)
      position += 1
    }
    return unit
  }
}

// The place, and what is wrong there.
extension JSONReader {
  /// A fault of the value at the place of the reader.
  func invalid(_ problem: String) -> UnreadableEvent {
    let path = pathText
    return UnreadableEvent(.invalidBody, "\(path.isEmpty ? "the body" : path): \(problem)")
  }

  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  /// The next byte that is no white space.
  private mutating func peek() -> UInt8? {
    while let byte = current {
      guard byte <= 0x20, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else {
        return byte
      }
      position += 1
    }
    return nil
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
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

  private func mismatch(_ expected: String) -> UnreadableEvent {
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

  private func unexpected(_ expected: String) -> UnreadableEvent {
    let found =
      switch current {
      case nil: "the end"
      case let byte? where (0x21...0x7e).contains(byte): "'\(Character(Unicode.Scalar(byte)))'"
      case let byte?: "the byte 0x" + String(byte, radix: 16)
      }
    return syntax("expected \(expected), found \(found)")
  }

  private func syntax(_ problem: String) -> UnreadableEvent {
    UnreadableEvent(.invalidJSON, "the body is not JSON: at byte \(position): \(problem)")
  }

  private func notUTF8(from start: Int) -> UnreadableEvent {
    UnreadableEvent(
      .invalidJSON, "the body is not UTF-8: the string that starts at byte \(start) has other bytes"
    )
  }
}

/// The name of an object's member. It points into the bytes being read: not to be kept.
struct JSONName {
  fileprivate let raw: UnsafeBufferPointer<UInt8>
  /// The name without escapes; nil when it has none.
  fileprivate let text: String?

  static func == (name: JSONName, other: StaticString) -> Bool {
    if let text = name.text { return text.utf8.elementsEqual(other.description.utf8) }
    guard name.raw.count == other.utf8CodeUnitCount else { return false }
    let pointer = other.utf8Start
    for index in 0..<name.raw.count where name.raw[index] != pointer[index] { return false }
    return true
  }

  static func ~= (pattern: StaticString, name: JSONName) -> Bool { name == pattern }
}

@inline(__always)
private func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

/// The value of a hexadecimal digit in ASCII; nil for any other byte.
@inline(__always)
func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
  switch byte {
  case 0x30...0x39: byte - 0x30
  case 0x41...0x46: byte - 0x37
  case 0x61...0x66: byte - 0x57
  default: nil
  }
}
