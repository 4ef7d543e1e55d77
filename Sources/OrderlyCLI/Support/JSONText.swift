import Arguments
import Foundation
import JSONSchema
import YAML

enum JSONText {
  /// JSON in one line, with escapes for everything that may not go to a terminal. Nothing of the
  /// kind is outside of strings.
  static func oneLine(_ value: JSONValue) -> String {
    let text = value.serialized()
    guard text.unicodeScalars.contains(where: \.isUnprintable) else { return text }
    return text.unicodeScalars.map { scalar in
      guard scalar.isUnprintable else { return String(scalar) }
      return UTF16.encode(scalar)?.map { unit in
        let hex = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      }.joined() ?? ""
    }.joined()
  }

  /// JSON for people: indented, keys sorted.
  static func pretty(_ value: JSONValue, indent: String = "") -> String {
    switch value {
    case .array(let elements) where !elements.isEmpty:
      let inner = indent + "  "
      return "[\n"
        + elements.map { inner + pretty($0, indent: inner) }.joined(separator: ",\n")
        + "\n\(indent)]"
    case .object(let members) where !members.isEmpty:
      let inner = indent + "  "
      return "{\n"
        + members.sorted { $0.key < $1.key }.map { key, value in
          "\(inner)\(oneLine(.string(key))): \(pretty(value, indent: inner))"
        }.joined(separator: ",\n") + "\n\(indent)}"
    default: return oneLine(value)
    }
  }
}

extension JSONValue {
  /// An object; of several values of a name it has the last.
  init(members: [(key: String, value: JSONValue)]) {
    self = .object(Dictionary(members) { _, last in last })
  }
}

extension YAMLNode {
  init(json members: [(key: String, value: JSONValue)]) {
    self.init(
      .mapping(YAMLMapping(members.map { (key: $0.key, value: YAMLNode(json: $0.value)) })))
  }

  init(json value: JSONValue) {
    switch value {
    case .null: self.init(.null)
    case .bool(let flag): self.init(.bool(flag))
    case .integer(let number): self.init(.int(Int(number)))
    case .number(let number): self.init(.float(number))
    case .string(let text): self.init(.string(text))
    case .array(let elements): self.init(.sequence(elements.map { YAMLNode(json: $0) }))
    case .object(let members):
      self.init(json: members.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value) })
    }
  }
}
