import Contracts
import JSONSchema
import TopicCatalog

/// The value of a record as it may be shown to an operator.
struct PayloadText {
  /// How many bytes are shown of what is not JSON.
  static let limit = 2048

  /// The schema for each type of event.
  let schema: (EventType) -> Schema?
  /// Names of members that hold what is sensitive in any schema. They are hidden wherever they are:
  /// a dead letter need not have the shape that its schema wants.
  let sensitiveNames: Set<String>

  init(_ catalog: TopicCatalog) {
    self.init(
      schemas: Dictionary(
        uniqueKeysWithValues: EventType.allCases.map { ($0, catalog.schema(for: $0)) }))
  }

  init(schemas: [EventType: Schema]) {
    schema = { schemas[$0] }
    sensitiveNames = Set(
      schemas.values.flatMap(\.sensitivePaths).compactMap { path in
        path.split(separator: ".").last.map { String($0.prefix { $0 != "[" }) }
      })
  }

  /// JSON with the sensitive members redacted; anything else as escaped text, or in hexadecimal if
  /// it is none.
  ///
  /// - Parameter isFull: whether all of it is shown, however long.
  func text(of value: [UInt8], type: String?, isFull: Bool) -> String {
    guard let json = try? JSONValue(parsing: value, maximumDepth: 512) else {
      return Self.escaped(value, limit: isFull ? .max : Self.limit)
    }
    let bySchema = type.flatMap(EventType.init(rawValue:)).flatMap(schema)?.redacted(json) ?? json
    let text = JSONText.printable(redacted(bySchema))
    return isFull ? text : Self.shortened(text)
  }

  private func redacted(_ value: JSONValue) -> JSONValue {
    switch value {
    case .object(let members):
      .object(
        Dictionary(
          members.map { name, value in
            (name, sensitiveNames.contains(name) ? "[redacted]" : redacted(value))
          }, uniquingKeysWith: { first, _ in first }))
    case .array(let items): .array(items.map(redacted))
    default: value
    }
  }

  /// Bytes as text in which nothing acts on a terminal, or in hexadecimal where they are not UTF-8.
  static func escaped(_ bytes: [UInt8], limit: Int) -> String {
    let shown = bytes.prefix(limit)
    let rest = bytes.count - shown.count
    let more = rest > 0 ? "… (\(rest) more bytes)" : ""
    // Whole characters only: a cut in the middle of one does not make it bytes.
    for cut in 0..<min(4, shown.count + 1) {
      guard rest > 0 || cut == 0 else { break }
      if let text = String(validating: shown.dropLast(cut), as: UTF8.self) {
        return printable(text) + more
      }
    }
    return "hex "
      + shown.map { byte in
        let digits = String(byte, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
      }.joined() + more
  }

  private static func shortened(_ text: String) -> String {
    guard text.utf8.count > limit else { return text }
    return text.prefix(limit) + "\n… (\(text.utf8.count - limit) more bytes; see all with --full)"
  }
}
