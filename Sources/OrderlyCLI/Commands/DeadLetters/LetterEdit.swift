import Contracts
import Fleet
import Foundation
import JSONSchema
import TopicCatalog

/// A message under the hands of an operator.
struct LetterEdit {
  var value: [UInt8]
  var headers: [EventHeader]

  /// As the letter is replayed now: as it came, or as it was edited before.
  init(of letter: DeadLetter) {
    value = letter.replayed.value ?? []
    headers = letter.replayed.headers
  }

  var type: EventType? { EventCodec.type(in: headers) }

  /// The body, as somebody edits it.
  var text: String {
    json.map { JSONText.pretty($0) } ?? String(decoding: value, as: UTF8.self)
  }

  /// The body; nil where it is no JSON.
  var json: JSONValue? {
    try? JSONValue(parsing: value, maximumDepth: EventCodec.maximumDepth)
  }

  /// Puts a header in the place of all of its name.
  mutating func set(_ header: HeaderArgument) {
    let place = headers.firstIndex { $0.name == header.name } ?? headers.endIndex
    headers.removeAll { $0.name == header.name }
    headers.insert(EventHeader(header.name, header.value), at: min(place, headers.endIndex))
  }

  /// Merges a patch into the body.
  ///
  /// - Throws: ``CommandFailure`` when one of the two is no JSON.
  mutating func patch(_ text: String) throws {
    let patch: JSONValue
    do throws(JSONParseError) {
      patch = try JSONValue(parsing: text.utf8, maximumDepth: EventCodec.maximumDepth)
    } catch {
      throw CommandFailure("The patch is not JSON: \(error.description).")
    }
    guard let json else {
      throw CommandFailure(
        "The body is not JSON, so that it can't be patched. Give a whole one with -f FILE; see it "
          + "with 'orderly dlq show --show-sensitive'.")
    }
    value = Array(json.merging(patch).serialized().utf8)
  }

  /// What differs from the letter, the sensitive fields redacted.
  func differences(of letter: DeadLetter) throws -> ResultTable {
    let former = LetterEdit(of: letter)
    let schema = try type.map { try TopicCatalog.find().schema(for: $0) }
    // The former body may have what is sensitive anywhere, since it need not fit the schema.
    let shown = json.map { value in schema?.redacted(value) ?? JSONValue.string("[redacted]") }
    let changes = JSONDifference.between(former.json, json).map { change -> [String] in
      let after = change.after.map { _ -> JSONValue in shown?.at(change.place) ?? "[redacted]" }
      let isRedacted = after != nil && after != change.after
      return [
        "body \(change.place)",
        change.before.map { isRedacted ? "[redacted]" : Self.harmless($0) } ?? "-",
        after.map(JSONText.oneLine) ?? "-",
      ]
    }
    let names = Set((former.headers + headers).map(\.name)).sorted()
    let headerChanges = names.compactMap { name -> [String]? in
      let (old, new) = (former.texts(of: name), texts(of: name))
      return old == new ? nil : ["header \(name)", old, new]
    }
    return ResultTable(
      [.init("change"), .init("before"), .init("after")],
      rows: (changes + headerChanges).map {
        ResultTable.Row(name: $0[0], cells: $0, object: [])
      })
  }

  private func texts(of name: String) -> String {
    let values = headers.filter { $0.name == name }.map { header in
      header.value.map { PayloadText.escaped($0, limit: 256) } ?? "none"
    }
    return values.isEmpty ? "-" : values.joined(separator: ", ")
  }

  /// Numbers and the like can be shown wherever they stand.
  private static func harmless(_ value: JSONValue) -> String {
    switch value {
    case .null, .bool, .integer, .number: JSONText.oneLine(value)
    case .string, .array, .object: "[redacted]"
    }
  }
}
