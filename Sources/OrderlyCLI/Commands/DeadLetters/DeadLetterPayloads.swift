import Contracts
import Foundation
import JSONSchema

extension WholeDeadLetter {
  /// What a letter carries, as far as it may be shown.
  struct Payloads {
    let original: RecordText.Body
    /// What is replayed instead; nil for a letter that was not edited.
    let edited: RecordText.Body?
  }

  func payloads(_ policy: BodyPolicy) -> Payloads {
    Payloads(
      original: policy.body(value, type: row.eventType.flatMap { EventType(rawValue: $0) }),
      edited: edit.map { policy.body($0.value, type: EventCodec.type(in: $0.headers)) })
  }
}

extension WholeDeadLetter.Payloads {
  /// - Parameter isFull: whether all of each is shown, however long.
  func sections(isFull: Bool) -> [Page.Section] {
    func section(_ title: String, _ body: RecordText.Body) -> Page.Section {
      Page.Section(title: title, text: PayloadText.text(of: body, isFull: isFull))
    }
    var sections = [section("Payload", original)]
    if let edited { sections.append(section("Payload, edited", edited)) }
    return sections
  }

  /// As members of the letter: `payload`, and `editedPayload` where it was edited. Bytes that are no
  /// JSON are in `payloadBase64`; `withheld` says why a payload is not shown.
  var members: [(key: String, value: JSONValue)] {
    var members = [Self.member(original)]
    if let edited {
      let (key, value) = Self.member(edited)
      let name = "edited" + key.prefix(1).uppercased() + String(key.dropFirst())
      members.append((key: name, value: value))
    }
    return members
  }

  private static func member(_ body: RecordText.Body) -> (key: String, value: JSONValue) {
    switch body {
    case .json(let value): ("payload", value)
    case .bytes(let bytes): ("payloadBase64", .string(Data(bytes).base64EncodedString()))
    case .none: ("payload", .null)
    case .withheld(_, let reason): ("withheld", .string(reason))
    }
  }
}
