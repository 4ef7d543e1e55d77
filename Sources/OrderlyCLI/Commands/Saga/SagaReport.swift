import Contracts
import Fleet
import Foundation
import JSONSchema

/// All that `orderly saga show` tells.
struct SagaReport: Sendable {
  let details: OrderDetails
  let standing: SagaStanding
  /// The order's events that are not published yet.
  let outbox: [OutboxRow]
  /// Services that have a worker.
  let served: Set<ServiceName>
  let now: Date

  init(details: OrderDetails, outbox: [OutboxRow], served: Set<ServiceName>, now: Date) {
    self.details = details
    standing = SagaStanding(details)
    self.outbox = outbox
    self.served = served
    self.now = now
  }

  /// What keeps the order, the nearest cause first; empty when it is on its way, or has ended.
  var blocks: [String] {
    var blocks = details.parkedKeys.filter { !$0.needsRelease }.map { key in
      let held = details.parkedEvents.count { $0.service == key.service }
      return key.state == .dead
        ? "a dead letter in \(key.service.rawValue) since \(age(of: key.lastFailed, at: now)): "
          + "\(key.reason) (\(key.detail)); \(counted(held, "event")) held behind it"
        : "\(key.service.rawValue) can't handle its event for now, since "
          + "\(age(of: key.firstFailed, at: now)): \(key.reason) (\(key.detail)), tried again "
          + "\(key.next(at: now)); \(counted(held, "event")) held"
    }
    for key in unreleased {
      let held = details.parkedEvents.count { $0.service == key.service }
      blocks.append(
        "stopped behind a discarded letter in \(key.service.rawValue) since "
          + "\(age(of: key.lastFailed, at: now)): \(counted(held, "event")) held until it is "
          + "released")
    }
    for letter in unread {
      blocks.append(
        "\(letter.service.rawValue) could not read its \(letter.eventType ?? "event") "
          + "\(age(of: letter.lastFailed, at: now)) ago: \(letter.reason) (\(letter.detail))")
    }
    for letter in deadEffects {
      blocks.append(
        "\(letter.service.rawValue) has given up on \(letter.eventType ?? "a call") "
          + "\(age(of: letter.lastFailed, at: now)) ago: \(letter.reason) (\(letter.detail))")
    }
    blocks += details.effects.compactMap { $0.block(at: now) }
    for row in outbox where now.timeIntervalSince(row.createdAt) > OutboxLane.patience {
      blocks.append(
        "\(row.type) waits in the outbox of \(row.service.rawValue) since "
          + "\(age(of: row.createdAt, at: now))")
    }
    if let awaited = standing.awaited, !served.contains(awaited.service) {
      blocks.append("no worker works for \(awaited.service.rawValue)")
    }
    if standing.isOverdue(at: now), blocks.isEmpty {
      blocks.append("nothing that can be seen, but its deadline has long passed")
    }
    return blocks
  }

  /// Where the order stays until it is released.
  private var unreleased: [ParkedKeyRow] { details.parkedKeys.filter(\.needsRelease) }

  /// Whether the order has stopped behind something that a retry tries again.
  private var hasWhatToRetry: Bool {
    details.parkedKeys.contains { !$0.needsRelease } || !deadEffects.isEmpty
      || details.effects.contains(where: \.isFailing)
  }

  /// Calls to a provider that are given up on, and without whose answer the order can't end.
  private var deadEffects: [DeadLetterRow] {
    details.deadLetters.filter { $0.isEffect && $0.state == .open }
  }

  /// Messages of the order that could not be read, in services that have never heard of it.
  private var unread: [DeadLetterRow] {
    details.deadLetters.filter { letter in
      let isUnheard =
        switch letter.service {
        case .orders: details.order == nil
        case .inventory: details.reservation == nil
        case .payments: details.payment == nil
        case .fulfilment: details.shipment == nil
        }
      return isUnheard && letter.orderID == nil && letter.state == .open
    }
  }

  /// What would be given back if the order were turned back now.
  var undoable: [String] {
    if details.order == nil { return ["nothing: orders has not heard of it"] }
    if standing.hasEnded { return ["nothing: it has ended"] }
    if standing.isPastPivot { return ["nothing: the parcel has left"] }
    var parts: [String] = []
    if let reservation = details.reservation, reservation.status == "reserved" {
      parts.append("stock: \(reservation.lines.joined(separator: ", ")) would be released")
    }
    if let payment = details.payment, let amount = payment.amount {
      switch payment.status {
      case "capturing", "captured": parts.append("money: \(amount) would be refunded")
      case "capturing-unwanted":
        parts.append("money: \(amount) will be refunded once it is captured")
      case "refunding": parts.append("money: \(amount) is being refunded")
      default: break
      }
    }
    if details.shipment?.status == "booking" {
      parts.append("parcel: it is being booked, and fulfilment refuses if it has left by then")
    }
    return parts.isEmpty ? ["nothing is held: it can be cancelled as it is"] : parts
  }

  /// What an operator would type next, with what it does.
  var next: [(command: String, does: String)] {
    var commands: [(command: String, does: String)] = []
    let dead = details.parkedKeys.filter { $0.state == .dead }
    let behind = details.deadLetters.filter { letter in
      letter.state == .open && !letter.isEffect
        && dead.contains { $0.service == letter.service }
    }
    for letter in behind + unread {
      let id = letter.shortID
      commands += [
        ("orderly dlq show \(id) --payload", "what failed, and why"),
        ("orderly dlq rehearse \(id)", "what a replay would do"),
        ("orderly dlq edit \(id) --editor --reason '…'", "mend the message first"),
      ]
    }
    if !behind.isEmpty || !unread.isEmpty {
      commands.append(
        ("orderly dlq plan --key \(standing.order)", "plan the replay of all of them"))
    }
    for letter in deadEffects {
      // No schema says what of a request is sensitive: it is shown as it is, or not at all.
      commands += [
        ("orderly dlq show \(letter.shortID)", "which call has failed, and why"),
        (
          "orderly dlq show \(letter.shortID) --show-sensitive",
          "its request too, with names and payment tokens"
        ),
      ]
    }
    if hasWhatToRetry {
      commands.append(
        (
          "orderly saga retry \(standing.order) --reason '…'",
          "try again now what it has stopped behind"
        ))
    }
    for key in unreleased {
      commands.append((key.releaseCommand, "go on without what was discarded"))
    }
    if let awaited = standing.awaited, !served.contains(awaited.service) {
      commands.append(("orderly-worker \(awaited.service.rawValue)", "start a worker"))
    }
    let isStuck = hasWhatToRetry || !unreleased.isEmpty || standing.isOverdue(at: now)
    if isStuck, !standing.hasEnded, !standing.isPastPivot, !standing.isGoingBack {
      commands.append(
        (
          "orderly saga compensate \(standing.order) --reason '…'",
          "turn the order back: give back what it holds"
        ))
    }
    commands.append(("orderly trace \(standing.order)", "all that has happened to it"))
    return commands
  }
}

extension SagaReport {
  var page: Page {
    Page(
      name: "saga/\(standing.order)",
      sections: [
        Page.Section(title: "", fields: summary),
        Page.Section(title: "Steps", table: stepTable),
        details.parkedEvents.isEmpty
          ? nil
          : Page.Section(
            title: "Held events", table: ParkedEventRow.table(details.parkedEvents, at: now)),
        Page.Section(title: "What can still be undone", text: undoable.joined(separator: "\n")),
        Page.Section(
          title: "Next",
          table: ResultTable(
            [.init("command"), .init("does")],
            rows: next.map {
              ResultTable.Row(name: $0.command, cells: [$0.command, $0.does], object: [])
            })),
      ].compactMap { $0 }, object: object)
  }

  private var summary: [(name: String, value: String)] {
    let left = standing.steps.count(where: \.isLeft)
    let way =
      standing.hasEnded
      ? "ended"
      : "\(standing.isGoingBack ? "on the way back" : "on the way"), \(counted(left, "step")) left"
    var fields = [
      ("Order", standing.order),
      (
        "Status",
        standing.parts[.orders].map { OrderStates.word($0.status, $0.reason) }
          ?? OrderStates.unheardOf
      ),
      ("Saga", way),
    ]
    if let awaited = standing.awaited {
      let since = awaited.since.map { ", since \(Timestamp.format($0)) (\(age(of: $0, at: now)))" }
      fields.append(("Awaits", awaited.text + (since ?? "")))
      fields += blocks.map { ("Kept by", $0) }
    }
    return fields.map { (name: $0.0, value: $0.1) }
  }

  private var stepTable: ResultTable {
    let awaited = standing.awaited?.service
    // Of the steps that are left the first one of the service that has to act.
    let current = standing.steps.first { $0.isLeft && $0.service == awaited }
    return ResultTable(
      [.init("step"), .init("service"), .init("state"), .init("")],
      rows: standing.steps.map { step in
        ResultTable.Row(
          name: step.name,
          cells: [
            step.name, step.service.rawValue, step.state.rawValue,
            step == current ? "← now" : "",
          ], object: [])
      })
  }

  private var object: [(key: String, value: JSONValue)] {
    [
      ("order", .string(standing.order)),
      ("status", .text(standing.status(in: .orders))),
      ("hasEnded", .bool(standing.hasEnded)), ("isGoingBack", .bool(standing.isGoingBack)),
      ("deadline", .time(standing.deadline)),
      (
        "awaits",
        standing.awaited.map {
          [
            "service": .string($0.service.rawValue), "what": .string($0.what),
            "since": .time($0.since),
          ]
        } ?? .null
      ),
      ("keptBy", .array(standing.hasEnded ? [] : blocks.map { .string($0) })),
      (
        "steps",
        .array(
          standing.steps.map {
            [
              "step": .string($0.name), "service": .string($0.service.rawValue),
              "state": .string($0.state.rawValue),
            ]
          })
      ),
      ("heldEvents", .array(details.parkedEvents.map { JSONValue(members: $0.object) })),
      ("undoable", .array(undoable.map { .string($0) })),
      ("next", .array(next.map { .string($0.command) })),
    ]
  }
}

extension SagaStanding {
  init(_ details: OrderDetails) {
    order = details.id
    if let row = details.order {
      parts[.orders] = Part(status: row.status, reason: row.reason, since: row.updatedAt)
      deadline = row.deadlineAt
    }
    parts[.inventory] = details.reservation.map {
      Part(status: $0.status, reason: $0.reason, since: $0.updatedAt)
    }
    parts[.payments] = details.payment.map {
      Part(status: $0.status, reason: $0.reason, since: $0.updatedAt)
    }
    parts[.fulfilment] = details.shipment.map {
      Part(status: $0.status, reason: $0.reason, since: $0.updatedAt)
    }
    heard = Set(details.steps.map(\.type))
  }
}
