/// The bytes of one record, built without Foundation because every step of a worker logs.
struct LogLine {
  private(set) var bytes: [UInt8] = []

  private static let reserved: Set<String> = ["time", "level", "logger", "message"]

  init() { bytes.reserveCapacity(256) }

  mutating func appendJSON(
    time: Timestamp, level: Logger.Level, label: String, message: String,
    metadata: Logger.Metadata
  ) {
    append("{\"time\":\"\(time)\",\"level\":\"\(level.rawValue)\",\"logger\":")
    appendQuoted(label)
    append(",\"message\":")
    appendQuoted(message)
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      append(",")
      appendQuoted(Self.reserved.contains(key) ? "_\(key)" : key)
      append(":")
      appendJSON(value)
    }
    append("}\n")
  }

  mutating func appendText(
    time: Timestamp, level: Logger.Level, label: String, message: String,
    metadata: Logger.Metadata
  ) {
    let name = level.rawValue
    append("\(time) \(name)\(String(repeating: " ", count: 8 - name.utf8.count)) ")
    appendEscaped(label, quote: false)
    append(": ")
    appendEscaped(message, quote: false)
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      append(" ")
      appendWord(key)
      append("=")
      appendWord(value.description)
    }
    append("\n")
  }

  private mutating func appendJSON(_ value: Logger.MetadataValue) {
    switch value {
    case .string(let text): appendQuoted(text)
    case .stringConvertible(let value): appendQuoted(value.description)
    case .array(let values):
      append("[")
      for (index, value) in values.enumerated() {
        if index > 0 { append(",") }
        appendJSON(value)
      }
      append("]")
    case .dictionary(let values):
      append("{")
      for (index, pair) in values.sorted(by: { $0.key < $1.key }).enumerated() {
        if index > 0 { append(",") }
        appendQuoted(pair.key)
        append(":")
        appendJSON(pair.value)
      }
      append("}")
    }
  }

  /// The text as it is when it reads as one word, and quoted otherwise.
  private mutating func appendWord(_ text: String) {
    let needsQuotes = text.isEmpty || text.utf8.contains { $0 <= 0x20 || $0 == 0x22 || $0 == 0x3D }
    if needsQuotes { appendQuoted(text) } else { appendEscaped(text, quote: false) }
  }

  private mutating func appendQuoted(_ text: String) {
    append("\"")
    appendEscaped(text, quote: true)
    append("\"")
  }

  private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  /// Escapes as JSON does. Besides what JSON demands, it escapes what a terminal or a reader of
  /// lines acts on: DEL, the C1 controls (U+009B begins a sequence as ESC [ does), the line and
  /// paragraph separators, and the marks that reorder text.
  ///
  /// - Parameter quote: whether the text stands between quotation marks, so that these and
  ///   backslashes are escaped as well.
  private mutating func appendEscaped(_ text: String, quote: Bool) {
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x0A: append("\\n")
      case 0x0D: append("\\r")
      case 0x09: append("\\t")
      case 0x22 where quote, 0x5C where quote:
        bytes.append(0x5C)
        bytes.append(UInt8(scalar.value))
      case 0x00..<0x20, 0x7F...0x9F, 0x2028...0x202E, 0x2066...0x2069, 0x200E, 0x200F, 0x061C:
        let digits = String(scalar.value, radix: 16)
        append("\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits)
      default: bytes.append(contentsOf: String(scalar).utf8)
      }
    }
  }
}
