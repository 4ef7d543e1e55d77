extension YAMLNode {
  /// The node as a YAML document in block style, ending with a line break. Reading it again gives
  /// an equal node, except that NaN, as always, does not equal itself.
  ///
  /// Text is left plain only where no reader, also of YAML 1.1, could take it for something else;
  /// otherwise it is put in double quotes, and so is text of several lines. Keys must be shorter than
  /// 1,000 characters, since YAML readers look no further for the colon.
  public func dump() -> String {
    var writer = Writer()
    writer.write(self, indent: 0, position: .lineStart)
    return writer.text
  }
}

private struct Writer {
  /// Where the writer stands when it comes to a value.
  enum Position {
    /// At the start of a line, or after the dash of an item: a collection starts right here.
    case lineStart
    /// After the colon of a key: a collection starts on the next line.
    case afterKey
  }

  var text = ""

  mutating func write(_ node: YAMLNode, indent: Int, position: Position) {
    switch node.value {
    case .sequence(let items) where !items.isEmpty:
      if position == .afterKey { text += "\n" }
      for (index, item) in items.enumerated() {
        if index > 0 || position == .afterKey { pad(indent) }
        text += "- "
        write(item, indent: indent + 2, position: .lineStart)
      }
    case .mapping(let mapping) where !mapping.entries.isEmpty:
      if position == .afterKey { text += "\n" }
      for (index, entry) in mapping.entries.enumerated() {
        if index > 0 || position == .afterKey { pad(indent) }
        text += Self.scalar(entry.key) + ":"
        // A list under a key stands at the key's own indentation, as kubectl writes it.
        let isList = entry.value.array != nil
        write(entry.value, indent: isList ? indent : indent + 2, position: .afterKey)
      }
    default:
      if position == .afterKey { text += " " }
      text += Self.flow(node.value) + "\n"
    }
  }

  private mutating func pad(_ indent: Int) {
    text += String(repeating: " ", count: indent)
  }

  private static func flow(_ value: YAMLValue) -> String {
    switch value {
    case .null: "null"
    case .bool(let flag): flag ? "true" : "false"
    case .int(let number): String(number)
    case .float(let number) where number.isNaN: ".nan"
    case .float(let number) where number.isInfinite: number < 0 ? "-.inf" : ".inf"
    case .float(let number): String(describing: number)
    case .string(let text): scalar(text)
    case .sequence: "[]"
    case .mapping: "{}"
    }
  }

  private static func scalar(_ text: String) -> String {
    isSafePlain(text) ? text : quoted(text)
  }

  /// What YAML 1.1 readers take for a boolean or null, beyond the core schema of 1.2.
  private static let reserved: Set<String> = [
    "y", "n", "yes", "no", "on", "off", "true", "false", "null",
  ]

  /// Starts with a letter, underscore or slash (so it is no number, date or indicator), goes on
  /// with characters that mean nothing in YAML, and is no reserved word.
  private static func isSafePlain(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    guard let first = bytes.first, let last = bytes.last else { return false }
    func isLetter(_ byte: UInt8) -> Bool {
      UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20
    }
    guard isLetter(first) || "_/".utf8.contains(first), !" :".utf8.contains(last) else {
      return false
    }
    for (index, byte) in bytes.enumerated() {
      if isLetter(byte) || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte { continue }
      guard " _-./@+=:,()$".utf8.contains(byte) else { return false }
      if byte == UInt8(ascii: ":"), bytes[index + 1] == UInt8(ascii: " ") { return false }
    }
    return !reserved.contains(text.lowercased())
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case "\u{2028}", "\u{2029}", "\u{FEFF}", "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}",
        "\u{FFFE}"..."\u{FFFF}":
        result += escaped(scalar)
      // Formats are not seen or reorder what is, on a terminal too.
      case _ where scalar.properties.generalCategory == .format: result += escaped(scalar)
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  private static func escaped(_ scalar: Unicode.Scalar) -> String {
    let hex = String(scalar.value, radix: 16, uppercase: true)
    let isLong = hex.count > 4
    return (isLong ? "\\U" : "\\u")
      + String(repeating: "0", count: (isLong ? 8 : 4) - hex.count) + hex
  }
}
