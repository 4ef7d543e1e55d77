import Arguments

/// What a dead letter carries, as text for an operator.
enum PayloadText {
  /// How many bytes of text are shown unless all are asked for.
  static let limit = 2048

  /// Indented JSON; anything else as escaped text, or in hexadecimal if it is none.
  ///
  /// - Parameter isFull: whether all of it is shown, however long.
  static func text(of body: RecordText.Body, isFull: Bool) -> String {
    let limit = isFull ? Int.max : Self.limit
    switch body {
    case .json(let value):
      let (text, rest) = cut(Array(JSONText.pretty(value).utf8), limit: limit)
      return (text ?? "") + (rest > 0 ? "\n… (\(rest) more bytes; see all with --full)" : "")
    case .bytes(let bytes): return escaped(bytes, limit: limit)
    case .none: return "none"
    case .withheld(let count, let reason): return "\(counted(count, "byte")), \(reason)"
    }
  }

  /// Bytes as text in which nothing acts on a terminal, or in hexadecimal where they are not UTF-8.
  static func escaped(_ bytes: [UInt8], limit: Int) -> String {
    func more(_ rest: Int) -> String { rest > 0 ? "… (\(rest) more bytes)" : "" }
    let (text, rest) = cut(bytes, limit: limit)
    if let text { return printable(text) + more(rest) }
    let shown = bytes.prefix(limit)
    return "hex "
      + shown.map { byte in
        let digits = String(byte, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
      }.joined() + more(bytes.count - shown.count)
  }

  /// As much as fits into the limit, and how many bytes are left out. The text is nil for what is
  /// not UTF-8; that the limit lies inside of a character makes it no such thing.
  private static func cut(_ bytes: [UInt8], limit: Int) -> (text: String?, rest: Int) {
    let most = bytes.prefix(limit)
    for less in 0..<(most.count < bytes.count ? min(4, most.count + 1) : 1) {
      let shown = most.dropLast(less)
      if let text = String(validating: shown, as: UTF8.self) {
        return (text, bytes.count - shown.count)
      }
    }
    return (nil, bytes.count - most.count)
  }
}
