import Arguments
import Contracts
import Foundation
import JSONSchema

/// A record as it is shown to an operator: on a terminal, or as one JSON object a line.
struct RecordText {
  /// What is shown of a record's value.
  enum Body: Equatable {
    case json(JSONValue)
    /// Bytes that are no JSON.
    case bytes([UInt8])
    /// A record without a value.
    case none
    /// Not shown, and why.
    case withheld(bytes: Int, reason: String)
  }

  var topic: String
  /// Nil for a record that has not been written.
  var partition: Int32?
  var offset: Int64?
  /// Milliseconds since 1970.
  var timestamp: Int64?
  var key: [UInt8]?
  var headers: [EventHeader]
  var body: Body

  /// Two lines: where and what, then the body; headers between them where asked for.
  func lines(headers showsHeaders: Bool, _ style: Style) -> String {
    var place = topic
    if let partition, let offset { place += "[\(partition)]@\(offset)" }
    var first = [style.bold(place)]
    if let timestamp { first.append(Self.time(timestamp)) }
    first.append(Self.text(header(HeaderName.type)) ?? "no type")
    first.append(Self.text(key) ?? "no key")
    var text = first.joined(separator: "  ") + "\n"
    if showsHeaders {
      for header in headers {
        text +=
          style.dim("  \(printable(header.name)): \(Self.text(header.value) ?? "null")") + "\n"
      }
    }
    switch body {
    case .json(let value): text += "  \(JSONText.oneLine(value))\n"
    case .bytes(let bytes): text += "  \(printable(String(decoding: bytes, as: UTF8.self)))\n"
    case .none: text += style.dim("  no value") + "\n"
    case .withheld(let count, let reason):
      text += style.dim("  \(counted(count, "byte")), \(reason)") + "\n"
    }
    return text
  }

  /// One line of JSON.
  var line: String { JSONText.oneLine(object) + "\n" }

  /// One object; the headers as a list, since a name may occur twice.
  private var object: JSONValue {
    var members: [String: JSONValue] = [
      "topic": .string(topic), "key": Self.json(key),
      "headers": .array(
        headers.map { .object(["name": .string($0.name), "value": Self.json($0.value)]) }),
    ]
    if let partition { members["partition"] = .integer(Int64(partition)) }
    if let offset { members["offset"] = .integer(offset) }
    if let timestamp { members["time"] = .string(Self.time(timestamp)) }
    switch body {
    case .json(let value): members["value"] = value
    case .bytes(let bytes): members["valueBase64"] = .string(Data(bytes).base64EncodedString())
    case .none: members["value"] = .null
    case .withheld(_, let reason): members["withheld"] = .string(reason)
    }
    return .object(members)
  }

  private func header(_ name: String) -> [UInt8]? { headers.first { $0.name == name }?.value }

  private static func time(_ milliseconds: Int64) -> String {
    Timestamp.format(Date(timeIntervalSince1970: Double(milliseconds) / 1000))
  }

  /// Bytes as text that may go to a terminal; nil for nil.
  static func text(_ bytes: [UInt8]?) -> String? {
    bytes.map { printable(String(decoding: $0, as: UTF8.self)) }
  }

  /// Text where it is UTF-8, else base64.
  private static func json(_ bytes: [UInt8]?) -> JSONValue {
    guard let bytes else { return .null }
    return .string(
      String(validating: bytes, as: UTF8.self) ?? "base64:" + Data(bytes).base64EncodedString())
  }
}
