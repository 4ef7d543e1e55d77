import Arguments
import Contracts
import Foundation
import JSONSchema

extension WholeDeadLetter {
  /// All about a dead letter.
  ///
  /// - Parameters:
  ///   - payload: what it carries, as far as it may be shown; nil where nobody asked for it.
  ///   - isFull: whether all of that is shown to people, however long; programs always get all.
  ///   - states: where its order stands in each service; empty for one that names no order.
  func page(
    payload: RecordText.Body?, isFull: Bool, states: [(service: ServiceName, state: String)],
    at now: Date
  ) -> Page {
    var sections = [
      Page.Section(
        title: "",
        fields: [
          ("Dead letter", row.idText), ("Service", row.service.rawValue), ("State", row.state),
          ("Reason", row.reason), ("Detail", row.detail), ("Attempts", "\(row.attempts)"),
          ("First failed", when(row.firstFailed, now)), ("Last failed", when(row.lastFailed, now)),
          ("Fingerprint", row.fingerprint), ("Was at", row.place), ("Key", keyText),
          ("Event", row.eventType ?? "-"),
          ("Event id", row.eventID?.uuidString.lowercased() ?? "-"),
          ("Payload", value.map { "\($0.count) bytes" } ?? "none"),
        ])
    ]
    if let order = row.orderID {
      sections.append(
        Page.Section(
          title: "Order \(printable(order))",
          fields: states.map { (name: $0.service.rawValue, value: $0.state) }))
    }
    sections.append(
      Page.Section(
        title: "Headers",
        fields: headers.map { (name: printable($0.name), value: Self.text(of: $0)) }))
    if let payload {
      sections.append(
        Page.Section(title: "Payload", text: PayloadText.text(of: payload, isFull: isFull)))
    }
    return Page(name: "dlq/\(row.idText)", sections: sections, object: object(payload, states))
  }

  private func object(
    _ payload: RecordText.Body?, _ states: [(service: ServiceName, state: String)]
  ) -> [(key: String, value: JSONValue)] {
    var object = row.object
    object.append(
      (
        "headers",
        .array(
          headers.map { ["name": .string($0.name), "value": .string(Self.text(of: $0))] })
      ))
    object.append(("payloadBytes", value.map { .integer(Int64($0.count)) } ?? .null))
    switch payload {
    case .json(let value): object.append(("payload", value))
    case .bytes(let bytes):
      object.append(("payloadBase64", .string(Data(bytes).base64EncodedString())))
    case .some(.none): object.append(("payload", .null))
    case .withheld(_, let reason): object.append(("withheld", .string(reason)))
    case nil: break
    }
    let pairs = states.map { ($0.service.rawValue, JSONValue.string($0.state)) }
    object.append(("order", .object(Dictionary(pairs) { _, last in last })))
    return object
  }

  private var keyText: String {
    guard let key = row.key else { return "none" }
    return PayloadText.escaped(key, limit: 256)
  }

  /// A header's value; bytes that are not text in hexadecimal.
  private static func text(of header: EventHeader) -> String {
    guard let value = header.value else { return "none" }
    return PayloadText.escaped(value, limit: 1024)
  }

  private func when(_ date: Date, _ now: Date) -> String {
    "\(Timestamp.format(date)) (\(age(of: date, at: now)) ago)"
  }
}
