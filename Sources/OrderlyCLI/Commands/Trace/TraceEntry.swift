import Contracts
import FleetPostgres
import Foundation
import JSONSchema

/// One thing that has happened to an order.
struct TraceEntry: Sendable {
  enum Kind: String, Sendable {
    /// A record on a topic.
    case record
    /// A service has taken an event in.
    case takenIn = "taken-in"
    /// The first event of a type that orders has heard of.
    case step
    /// A deadline that has passed.
    case deadline
    /// A row that waits to be published.
    case outbox
    /// An event in the queue of a parked order.
    case parked
    /// The fence that keeps the order's events in the queue.
    case fence
    case deadLetter = "dead-letter"
    /// A call to the outside world.
    case effect
    /// What an operator has done.
    case action
  }

  let kind: Kind
  var at: Date
  /// Who did it: a service, or a source outside of the platform.
  let by: String
  let what: String
  /// `orders.v1[3]@17`.
  var place: String?
  /// Of the event, or of the dead letter.
  var id: UUID?
  /// The event from which it follows.
  var cause: UUID?
  var detail: String?
  var body: RecordText.Body?
  /// How many causes are before it; found by ``Trace``.
  var depth = 0

  /// Whether others can follow from it.
  var isEvent: Bool {
    switch kind {
    case .record, .outbox, .deadline: true
    case .takenIn, .step, .parked, .fence, .deadLetter, .effect, .action: false
    }
  }

  var object: [(key: String, value: JSONValue)] {
    var members: [(key: String, value: JSONValue)] = [
      ("at", .time(at)), ("kind", .string(kind.rawValue)), ("by", .string(by)),
      ("what", .string(what)), ("place", .text(place)),
      ("id", .text(id?.lowercaseText)),
      ("cause", .text(cause?.lowercaseText)), ("depth", .integer(Int64(depth))),
      ("detail", .text(detail)),
    ]
    switch body {
    case .json(let value): members.append(("payload", value))
    case .some(let body):
      members.append(("payload", .string(PayloadText.text(of: body, isFull: false))))
    case nil: break
    }
    return members
  }
}

extension TraceEntry {
  /// What an operator has done.
  init(_ action: OperatorAction) {
    let detail = action.detail.map { ": \($0)" } ?? ""
    self.init(
      kind: .action, at: action.at, by: action.who,
      what: "orderly \(action.command) (\(action.target))",
      detail: "\(action.outcome.rawValue)\(detail); reason: \(action.reason)")
  }
}

/// The timeline of an order: in the order of time, but nothing before what has caused it, whatever
/// the clocks of the machines say.
struct Trace: Sendable {
  let order: String
  let entries: [TraceEntry]

  init(order: String, _ found: [TraceEntry]) {
    self.order = order
    // The first record of an id is the event; later ones are its duplicates.
    var events: [UUID: TraceEntry] = [:]
    for entry in found where entry.isEvent {
      guard let id = entry.id else { continue }
      if let other = events[id], other.at <= entry.at { continue }
      events[id] = entry
    }
    var chains: [UUID: (depth: Int, at: Date)] = [:]
    for id in events.keys { _ = Self.chain(id, events, &chains) }
    let ordered = found.map { entry -> (entry: TraceEntry, at: Date) in
      var entry = entry
      let cause = entry.cause.flatMap { chains[$0] }
      entry.depth = cause.map { $0.depth + 1 } ?? 0
      return (entry, max(entry.at, cause?.at ?? entry.at))
    }
    entries = ordered.enumerated().sorted { left, right in
      let (first, second) = (left.element, right.element)
      return (first.at, first.entry.depth, left.offset)
        < (second.at, second.entry.depth, right.offset)
    }.map(\.element.entry)
  }

  /// How deep an event is, and when it was at the earliest. An event that is its own cause, which
  /// only a forged header can say, has none.
  private static func chain(
    _ start: UUID, _ events: [UUID: TraceEntry],
    _ chains: inout [UUID: (depth: Int, at: Date)]
  ) -> (depth: Int, at: Date)? {
    var path: [UUID] = []
    var next: UUID? = start
    while let id = next, chains[id] == nil, let event = events[id], !path.contains(id) {
      path.append(id)
      next = event.cause
    }
    var above = next.flatMap { chains[$0] }
    for id in path.reversed() {
      guard let event = events[id] else { continue }
      above = (above.map { $0.depth + 1 } ?? 0, max(event.at, above?.at ?? event.at))
      chains[id] = above
    }
    return chains[start]
  }

  /// - Parameter payloads: whether there is a column for what the records carry.
  func table(payloads: Bool) -> ResultTable {
    var columns: [ResultTable.Column] = [
      .init("time"), .init("what"), .init("by"), .init("place"), .init("id"), .init("cause"),
      .init("detail"),
    ]
    if payloads { columns.append(.init("payload")) }
    return ResultTable(
      columns,
      rows: entries.map { entry in
        let indent = String(repeating: "  ", count: min(entry.depth, 20))
        let arrow = entry.isEvent || entry.depth == 0 ? "" : "→ "
        return ResultTable.Row(
          name: "\(entry.kind.rawValue)/\(entry.id?.lowercaseText ?? order)",
          cells: [
            Timestamp.format(entry.at), indent + arrow + entry.what, entry.by,
            entry.place ?? "-", Self.short(entry.id), Self.short(entry.cause),
            entry.detail ?? "-",
          ] + (payloads ? [Self.payload(entry.body)] : []),
          object: entry.object)
      })
  }

  private static func short(_ id: UUID?) -> String {
    id?.shortText ?? "-"
  }

  private static func payload(_ body: RecordText.Body?) -> String {
    switch body {
    case .json(let value): JSONText.oneLine(value)
    case .some(let body): PayloadText.text(of: body, isFull: false)
    case nil: "-"
    }
  }
}
