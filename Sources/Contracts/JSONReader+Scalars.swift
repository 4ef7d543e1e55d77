// Strings, numbers and values that are passed over.
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
  mutating func scanString() throws(UnreadableEvent) -> String? {
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
