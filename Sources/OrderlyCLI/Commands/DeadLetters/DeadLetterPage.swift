import Arguments
import Contracts
import Fleet
import FleetPostgres
import Foundation
import JSONSchema

extension WholeDeadLetter {
  /// All about a dead letter.
  ///
  /// - Parameters:
  ///   - payloads: what it carries, as far as it may be shown; nil where nobody asked for it.
  ///   - isFull: whether all of that is shown to people, however long; programs always get all.
  ///   - saga: where its order stands; nil for one that names no order.
  ///   - actions: what operators have done about it.
  func page(
    payloads: Payloads?, isFull: Bool, saga: SagaState?,
    actions: [OperatorAction] = [], at now: Date
  ) -> Page {
    var sections = [
      Page.Section(
        title: "",
        fields: [
          ("Dead letter", row.idText), ("Service", row.service.rawValue),
          ("State", "\(row.state.rawValue), since \(when(row.stateSince, now))"),
          ("Looked after by", row.owner ?? "nobody"), ("Note", row.note ?? "-"),
          (
            "Held behind it",
            row.held == 0 ? "nothing" : counted(Int(row.held), "later event") + " of its order"
          ),
          ("Reason", row.reason), ("Detail", row.detail), ("Attempts", "\(row.attempts)"),
          ("First failed", when(row.firstFailed, now)), ("Last failed", when(row.lastFailed, now)),
          ("Fingerprint", row.fingerprint), ("Was at", row.place), ("Key", keyText),
          ("Event", row.eventType ?? "-"),
          ("Event id", row.eventID?.lowercaseText ?? "-"),
          ("Payload", value.map { "\($0.count) bytes" } ?? "none"),
          ("Edited", edited(at: now)),
        ])
    ]
    if let saga {
      sections.append(
        Page.Section(title: "Order \(printable(saga.order))", fields: saga.states))
    }
    sections.append(
      Page.Section(
        title: "Headers",
        fields: headers.map { (name: printable($0.name), value: Self.text(of: $0)) }))
    if let edit {
      sections.append(
        Page.Section(
          title: "Headers, edited",
          fields: edit.headers.map { (name: printable($0.name), value: Self.text(of: $0)) }))
    }
    sections += payloads?.sections(isFull: isFull) ?? []
    if !actions.isEmpty {
      sections.append(
        Page.Section(
          title: "Done about it",
          fields: actions.map { (name: Timestamp.format($0.at), value: Self.text(of: $0)) }))
    }
    let commands = row.nextCommands(saga)
    if !commands.isEmpty {
      sections.append(Page.Section(title: "Next", text: commands.joined(separator: "\n")))
    }
    return Page(name: "dlq/\(row.idText)", sections: sections, object: object(payloads, saga))
  }

  private func object(
    _ payloads: Payloads?, _ saga: SagaState?
  ) -> [(key: String, value: JSONValue)] {
    var object = row.object
    func list(_ headers: [EventHeader]) -> JSONValue {
      .array(headers.map { ["name": .string($0.name), "value": .string(Self.text(of: $0))] })
    }
    object.append(("headers", list(headers)))
    object.append(("editedHeaders", edit.map { list($0.headers) } ?? .null))
    object.append(("payloadBytes", value.map { .integer(Int64($0.count)) } ?? .null))
    object.append(("editedPayloadBytes", edit.map { .integer(Int64($0.value.count)) } ?? .null))
    object += payloads?.members ?? []
    let states = saga?.states.map { (key: $0.name, value: JSONValue.string($0.value)) } ?? []
    object.append(("order", JSONValue(members: states)))
    object.append(("next", .array(row.nextCommands(saga).map { .string($0) })))
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

  private func edited(at now: Date) -> String {
    guard let date = row.editedAt else { return "no" }
    return "\(when(date, now)), event \(row.editedEventID?.lowercaseText ?? "-")"
  }

  private static func text(of action: OperatorAction) -> String {
    "\(action.who): \(action.command), \(action.outcome.rawValue)"
      + "\(action.detail.map { " (\($0))" } ?? "") — \(action.reason)"
  }

  private func when(_ date: Date, _ now: Date) -> String {
    "\(Timestamp.format(date)) (\(age(of: date, at: now)) ago)"
  }
}

extension DeadLetterRow {
  /// What an operator may do about the letter, as commands.
  ///
  /// - Parameter saga: where its order stands; nil for one that names no order.
  func nextCommands(_ saga: SagaState?) -> [String] {
    let isUnreadable = UnreadableEvent.Reason(rawValue: reason) != nil && editedAt == nil
    let discard = "orderly dlq discard \(shortID)\(held > 0 ? " --release" : "") --reason '…'"
    let type = eventType.flatMap { EventType(rawValue: $0) }
    let isNeeded = type.flatMap { saga?.need(for: $0, in: service) } != nil
    return switch state {
    case .open where saga?.ending != nil: [discard]
    case .open where isUnreadable:
      [
        "orderly dlq edit \(shortID) --patch '{…}' --reason '…'",
        "orderly dlq discard \(shortID) --reason '…'",
      ]
    case .open where isEffect:
      ["orderly dlq plan \(shortID)"]
        + (orderID.map { ["orderly saga compensate \($0) --dry-run"] } ?? [])
    case .open:
      ["orderly dlq rehearse \(shortID)", "orderly dlq plan \(shortID)"]
        + (isNeeded ? [] : [discard])
        + (orderID.map { ["orderly saga compensate \($0) --dry-run"] } ?? [])
    case .discarded where held > 0:
      orderID.map { ["orderly dlq release --key \($0) --reason '…'"] } ?? []
    case .replaying, .resolved, .discarded: []
    }
  }
}
