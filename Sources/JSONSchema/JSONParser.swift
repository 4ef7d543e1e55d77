/// Why bytes are not a JSON document that this library takes; reads
/// `byte 17: key "total" occurs twice`.
public struct JSONParseError: Error, Equatable, CustomStringConvertible {
  /// The offset in the text, from 0.
  public let offset: Int
  /// What is wrong, for people.
  public let message: String

  public var description: String { "byte \(offset): \(message)" }
}

extension JSONValue {
  /// Reads a JSON text (RFC 8259), strictly.
  ///
  /// Written here rather than taken from Foundation, which keeps the last of two equal keys, has a
  /// fixed bound on depth of 512, and rounds integers on the way through NSNumber.
  /// - Parameters:
  ///   - bytes: the text in UTF-8, without a byte order mark.
  ///   - maximumDepth: how deep arrays and objects may be nested; also bounds the stack.
  /// - Throws: ``JSONParseError`` for anything but exactly one valid value; for duplicate keys,
  ///   invalid UTF-8, lone surrogates, numbers beyond a Double, and depth over the bound.
  public init(
    parsing bytes: some Sequence<UInt8>, maximumDepth: Int = 32
  ) throws(JSONParseError) {
    var parser = Parser(bytes: Array(bytes), maximumDepth: maximumDepth)
    self = try parser.document()
  }

  /// Reads a JSON text; as ``init(parsing:maximumDepth:)`` for bytes.
  public init(parsing text: String, maximumDepth: Int = 32) throws(JSONParseError) {
    try self.init(parsing: text.utf8, maximumDepth: maximumDepth)
  }
}

private struct Parser {
  let bytes: [UInt8]
  let maximumDepth: Int
  var position = 0

  init(bytes: [UInt8], maximumDepth: Int) {
    self.bytes = bytes
    self.maximumDepth = maximumDepth
  }

  var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  mutating func document() throws(JSONParseError) -> JSONValue {
    let value = try value(depth: 0)
    skipSpace()
    guard current == nil else { throw failure("unexpected text after the value") }
    return value
  }

  private mutating func value(depth: Int) throws(JSONParseError) -> JSONValue {
    skipSpace()
    switch current {
    case UInt8(ascii: "{"): return .object(try object(depth: depth + 1))
    case UInt8(ascii: "["): return .array(try array(depth: depth + 1))
    case UInt8(ascii: "\""): return .string(try string())
    case let byte? where byte == UInt8(ascii: "-") || isDigit(byte): return try number()
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case nil: throw failure("the text ends where a value should be")
    default: throw failure("expected a value")
    }
  }

  private mutating func object(depth: Int) throws(JSONParseError) -> [String: JSONValue] {
    try enter(depth)
    var members: [String: JSONValue] = [:]
    if try closes("}") { return members }
    repeat {
      skipSpace()
      let start = position
      guard current == UInt8(ascii: "\"") else { throw failure("expected a key in quotes") }
      let key = try string()
      skipSpace()
      guard skip(":") else { throw failure("expected a colon after the key") }
      let value = try value(depth: depth)
      guard members.updateValue(value, forKey: key) == nil else {
        throw failure("key \(JSONValue.string(key).shortened()) occurs twice", at: start)
      }
    } while try continues("}")
    return members
  }

  private mutating func array(depth: Int) throws(JSONParseError) -> [JSONValue] {
    try enter(depth)
    var items: [JSONValue] = []
    if try closes("]") { return items }
    repeat {
      items.append(try value(depth: depth))
    } while try continues("]")
    return items
  }

  private mutating func enter(_ depth: Int) throws(JSONParseError) {
    guard depth <= maximumDepth else { throw failure("nested deeper than \(maximumDepth) levels") }
    position += 1
  }

  private mutating func closes(_ end: Unicode.Scalar) throws(JSONParseError) -> Bool {
    skipSpace()
    return skip(end)
  }

  /// After a member or item: true after a comma, false after the end.
  private mutating func continues(_ end: Unicode.Scalar) throws(JSONParseError) -> Bool {
    skipSpace()
    if skip(",") { return true }
    if skip(end) { return false }
    throw failure("expected a comma or \(end)")
  }

  private mutating func word(
    _ word: StaticString, _ value: JSONValue
  ) throws(JSONParseError) -> JSONValue {
    guard bytes[position...].starts(with: word.description.utf8) else {
      throw failure("expected a value")
    }
    position += word.utf8CodeUnitCount
    return value
  }

  private mutating func number() throws(JSONParseError) -> JSONValue {
    let start = position
    var isInteger = true
    _ = skip("-")
    if skip("0") {
      if current.map(isDigit) == true { throw failure("a number must not start with 0") }
    } else {
      try digits()
    }
    if skip(".") {
      isInteger = false
      try digits()
    }
    if skip("e") || skip("E") {
      isInteger = false
      if !skip("+") { _ = skip("-") }
      try digits()
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isInteger, let number = Int64(text) { return .integer(number) }
    guard let number = Double(text), number.isFinite else {
      throw failure("the number is out of range", at: start)
    }
    return .number(number)
  }

  private mutating func digits() throws(JSONParseError) {
    guard current.map(isDigit) == true else { throw failure("expected a digit") }
    while current.map(isDigit) == true { position += 1 }
  }

  private mutating func string() throws(JSONParseError) -> String {
    let start = position
    position += 1
    var content: [UInt8] = []
    var chunk = position
    while let byte = current {
      switch byte {
      case UInt8(ascii: "\""):
        content.append(contentsOf: bytes[chunk..<position])
        position += 1
        guard let text = String(validating: content, as: UTF8.self) else {
          throw failure("the string is not valid UTF-8", at: start)
        }
        return text
      case UInt8(ascii: "\\"):
        content.append(contentsOf: bytes[chunk..<position])
        content.append(contentsOf: try escape())
        chunk = position
      case 0..<0x20:
        throw failure("a control character must be escaped")
      default:
        position += 1
      }
    }
    throw failure("the string is not closed", at: start)
  }

  private mutating func escape() throws(JSONParseError) -> [UInt8] {
    let start = position
    position += 1
    guard let kind = current else { throw failure("the string is not closed") }
    position += 1
    switch kind {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [kind]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"): break
    default: throw failure("unknown escape", at: start)
    }
    var units = [try hex4(start)]
    if UTF16.isLeadSurrogate(units[0]), skip("\\"), skip("u") { units.append(try hex4(start)) }
    guard let text = String(validating: units, as: UTF16.self) else {
      throw failure("the escape is half of a surrogate pair", at: start)
    }
    return Array(text.utf8)
  }

  private mutating func hex4(_ start: Int) throws(JSONParseError) -> UInt16 {
    let digits = bytes[position...].prefix(4)
    let isHex = digits.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
    guard digits.count == 4, isHex,
      let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw failure("\\u takes four hexadecimal digits", at: start) }
    position += 4
    return unit
  }

  private func isDigit(_ byte: UInt8) -> Bool {
    UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
  }

  private mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard current == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func skipSpace() {
    while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
  }

  private func failure(_ message: String, at offset: Int? = nil) -> JSONParseError {
    JSONParseError(offset: offset ?? position, message: message)
  }
}
