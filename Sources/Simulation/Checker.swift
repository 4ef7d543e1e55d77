/// The promises I1 to I9 of the README, judged from what a run has left behind. It knows nothing
/// of the runtime, the deciders and their states: the saga's rules stand here a second time.
struct Checker {
  let evidence: Evidence
  private(set) var violations: [String] = []

  /// The types of events that each service acts on.
  private static let consumed: [String: Set<String>] = [
    "orders": [
      "order.placed", "order.cancel-requested", "inventory.reserved", "inventory.rejected",
      "inventory.released", "payment.captured", "payment.declined", "payment.refunded",
      "payment.voided", "fulfilment.shipped", "fulfilment.failed", "fulfilment.cancelled",
      "fulfilment.cancel-refused",
    ],
    "inventory": ["order.placed", "payment.declined", "payment.refunded", "payment.voided"],
    "payments": ["inventory.reserved", "fulfilment.failed", "fulfilment.cancelled"],
    "fulfilment": ["payment.captured", "order.cancelling"],
  ]
  private static let read: [String: [String]] = [
    "orders": ["orders.v1", "inventory.v1", "payments.v1", "fulfilment.v1"],
    "inventory": ["orders.v1", "payments.v1"],
    "payments": ["inventory.v1", "fulfilment.v1"],
    "fulfilment": ["orders.v1", "payments.v1"],
  ]
  private static let types = consumed.values.reduce(
    Set(["order.accepted", "order.completed", "order.cancelled"])
  ) { $0.union($1) }
  /// What each service asks the outside world for to answer.
  private static let callingOut: [String: Set<String>] = [
    "payments": ["inventory.reserved", "fulfilment.failed", "fulfilment.cancelled"],
    "fulfilment": ["payment.captured"],
  ]
  static let services = ["orders", "inventory", "payments", "fulfilment"]
  static let topics = ["orders.v1", "inventory.v1", "payments.v1", "fulfilment.v1"]

  init(_ evidence: Evidence) {
    self.evidence = evidence
  }

  /// How each order has ended: `completed`, `cancelled`, or the sign of a breach.
  private(set) var endings: [String: String] = [:]
  /// What has happened to parked keys, dead letters and effects, by words for it.
  private(set) var happenings: [String: Int] = [:]

  mutating func check() {
    let events = eventsByOrder()
    for promise in evidence.promises { check(promise, events[promise.order] ?? [:]) }
    checkStock()
    for service in Self.services {
      checkOutbox(of: service)
      checkOffsets(of: service)
      checkDeadLetters(of: service)
    }
    checkHandling(events)
    checkBank()
  }

  private mutating func fail(_ promise: String, _ text: String) {
    violations.append("\(promise): \(text)")
  }

  /// The ids of the events of each order by type.
  private func eventsByOrder() -> [String: [String: Set<String>]] {
    var events: [String: [String: Set<String>]] = [:]
    for topic in Self.topics {
      for record in evidence.log[topic, default: []].joined() {
        guard let order = record.key, let type = record.headers["ce_type"],
          let id = record.headers["ce_id"]
        else { continue }
        events[order, default: [:]][type, default: []].insert(id)
      }
    }
    return events
  }

  // MARK: - I1, I2, I3: money, stock, endings

  private mutating func check(_ promise: Evidence.Promise, _ events: [String: Set<String>]) {
    let order = promise.order
    let completed = events["order.completed", default: []].count
    let cancelled = events["order.cancelled", default: []].count
    guard completed + cancelled == 1 else {
      fail("I3", "\(order) has \(completed) order.completed and \(cancelled) order.cancelled")
      return
    }
    endings[order] = completed == 1 ? "completed" : "cancelled"
    if completed == 1, !promise.endings.contains("completed") {
      fail("I3", "\(order) is completed, and can only be \(promise.endings.sorted())")
    }
    let reason = evidence.reasons[order] ?? "no reason"
    if cancelled == 1, !promise.endings.contains(reason) {
      fail("I3", "\(order) is cancelled for \(reason), not \(promise.endings.sorted())")
    }
    let held = evidence.reserved[order, default: [:]]
    let expectedHeld = completed == 1 ? promise.lines : [:]
    if held != expectedHeld {
      fail(completed == 1 ? "I2" : "I3", "\(order) holds \(held), expected \(expectedHeld)")
    }
    let isShipped = evidence.shipped.contains(order)
    if isShipped != (completed == 1) {
      fail("I3", "\(order) is \(isShipped ? "shipped" : "not shipped") and \(endings[order]!)")
    }
    let kept = completed == 1 ? promise.total : 0
    for (account, sign) in [("provider-receivable", 1), ("customer-sales", -1)] {
      let booked = evidence.ledger.filter { $0.order == order && $0.account == account }
      let sum = booked.reduce(0) { $0 + $1.amount }
      if sum != sign * kept {
        fail("I1", "\(order) has \(sum) on \(account), expected \(sign * kept)")
      }
      for kind in ["capture", "refund"] where booked.count(where: { $0.kind == kind }) > 1 {
        fail("I5", "\(order) has more than one \(kind) on \(account)")
      }
    }
  }

  private mutating func checkStock() {
    var reserved: [String: Int] = [:]
    for lines in evidence.reserved.values { reserved.merge(lines, uniquingKeysWith: +) }
    for (sku, stock) in evidence.stock.sorted(by: { $0.key < $1.key }) {
      if stock.onHand < 0 || stock.reserved < 0 { fail("I2", "\(sku) is below zero: \(stock)") }
      if stock.onHand + stock.reserved != stock.initial {
        fail("I2", "\(sku) has \(stock.onHand) + \(stock.reserved), began with \(stock.initial)")
      }
      if stock.reserved != reserved[sku, default: 0] {
        fail("I2", "\(sku) has \(stock.reserved) reserved, the orders \(reserved[sku] ?? 0)")
      }
    }
    let sum = evidence.ledger.reduce(0) { $0 + $1.amount }
    if sum != 0 { fail("I1", "the ledger sums to \(sum)") }
  }

  // MARK: - I4, I6: outbox and topics

  private mutating func checkOutbox(of service: String) {
    for (partition, rows) in evidence.outboxHistory[service, default: [:]] {
      var published: [String: Int] = [:]
      for topic in [Self.ownTopic(service), "\(service).dlq"] {
        let logs = evidence.log[topic, default: []]
        guard logs.indices.contains(partition) else { continue }
        for record in logs[partition] {
          guard let id = record.identity, published["\(topic) \(id)"] == nil else { continue }
          guard
            record.headers["dlq-service"] != nil
              || record.headers["ce_source"] == "/orderly/\(service)"
          else { continue }
          published["\(topic) \(id)"] = record.offset
        }
      }
      let ids = rows.map { "\($0.topic) \($0.identity)" }
      for id in Set(ids).subtracting(published.keys).sorted() {
        fail("I4", "\(service)[\(partition)] has committed \(id), and it is not in the log")
      }
      for id in Set(published.keys).subtracting(ids).sorted() {
        fail("I4", "\(service)[\(partition)] has published \(id), and never committed it")
      }
      if Set(ids).count != ids.count {
        let twice = Dictionary(grouping: ids) { $0 }.filter { $0.value.count > 1 }.keys.sorted()
        fail("I5", "\(service)[\(partition)] has emitted twice: \(twice)")
      }
      checkOrder(rows, published, "\(service)[\(partition)]")
    }
    let left = evidence.outboxRows[service, default: 0]
    if left > 0 { fail("I9", "the outbox of \(service) has \(left) rows left") }
  }

  private mutating func checkOrder(
    _ rows: [Evidence.Row], _ published: [String: Int], _ lane: String
  ) {
    var last: [String: (offset: Int, identity: String)] = [:]
    for row in rows.sorted(by: { $0.sequence < $1.sequence }) {
      // Dead letters are on a topic of their own.
      guard !row.topic.hasSuffix(".dlq"), let order = row.order,
        let offset = published["\(row.topic) \(row.identity)"]
      else { continue }
      if let before = last[order], before.offset > offset {
        fail("I6", "\(lane) has \(before.identity) of \(order) after \(row.identity)")
      }
      last[order] = (offset, row.identity)
    }
  }

  // MARK: - I5, I7, I8, I9: offsets, inbox, dead letters

  private mutating func checkOffsets(of service: String) {
    let inbox = evidence.inbox[service, default: []]
    let dead = Set(evidence.deadLetters[service, default: []])
    for topic in Self.read[service]! {
      for (partition, log) in evidence.log[topic, default: []].enumerated() {
        let committed = evidence.committed[service]?["\(topic)/\(partition)"] ?? 0
        if committed != log.count {
          fail("I9", "\(service) has read \(committed) of \(log.count) of \(topic)/\(partition)")
        }
        // What is deleted comes to nobody again, and its ids may be forgotten.
        let start = min(committed, evidence.starts["\(topic)/\(partition)", default: 0])
        for record in log[start..<committed] {
          let place = Evidence.place(topic, partition, record.offset)
          if let type = record.headers["ce_type"], Self.types.contains(type),
            !Self.consumed[service]!.contains(type)
          {
            continue
          }
          let id = record.headers["ce_id"]
          guard dead.contains(place) || id.map(inbox.contains) == true else {
            fail("I7", "\(service) has passed \(place), and neither kept nor refused it")
            continue
          }
        }
      }
    }
  }

  private mutating func checkDeadLetters(of service: String) {
    let expected = evidence.poison.filter { $0.value.contains(service) }.map(\.key).sorted()
    let kept = evidence.deadLetters[service, default: []].sorted()
    if Set(kept).count != kept.count { fail("I8", "\(service) has two letters of one: \(kept)") }
    let missing = Set(expected).subtracting(kept).sorted()
    if !missing.isEmpty { fail("I8", "\(service) has not refused \(missing)") }
    // Only what asks the outside world may fail for so long that it is given up.
    for place in Set(kept).subtracting(expected).sorted() where !mayFail(place, service) {
      fail("I8", "\(service) has refused \(place), and nothing is wrong with it")
    }
    let published = Set(
      evidence.log["\(service).dlq", default: []].joined().compactMap(\.identity))
    if published != Set(kept.map { "\(service) \($0)" }) {
      fail("I8", "\(service).dlq has \(published.sorted()), expected \(kept)")
    }
  }

  private func mayFail(_ place: String, _ service: String) -> Bool {
    let parts = place.split(separator: "/")
    guard parts.count == 3, let partition = Int(parts[1]), let offset = Int(parts[2]),
      let type = evidence.log[String(parts[0])]?[partition][offset].headers["ce_type"]
    else { return false }
    return Self.callingOut[service, default: []].contains(type)
  }

  // MARK: - I5: each event takes effect once, whatever came twice or was replayed

  private mutating func checkHandling(_ events: [String: [String: Set<String>]]) {
    for service in Self.services {
      let history = HistoryChecker(service, evidence.history[service, default: []])
      violations += history.violations
      happenings.merge(history.counts, uniquingKeysWith: +)
      for promise in evidence.promises {
        let types = events[promise.order, default: [:]].sorted { $0.key < $1.key }
        for (type, ids) in types where Self.consumed[service]!.contains(type) {
          let event = "\(promise.order) \(type)"
          let handled = history.handled[event, default: 0]
          let expected = ids.count - history.discarded[event, default: 0]
          if handled != expected {
            fail("I5", "\(service) has handled \(event) \(handled) times, not \(expected)")
          }
        }
      }
    }
  }

  /// The bank has done what the ledger says, and each thing once.
  private mutating func checkBank() {
    guard let bank = evidence.bank else { return }
    happenings["bookings of the bank"] = bank.count
    for misuse in evidence.misuses { fail("I5", "an idempotency key was used twice: \(misuse)") }
    for effect in evidence.openEffects { fail("I9", "\(effect) is not done") }
    for promise in evidence.promises {
      for (kind, sign) in [("capture", 1), ("refund", -1)] {
        let done = bank.filter { $0.order == promise.order && $0.kind == kind }
        if done.count > 1 { fail("I5", "the bank has \(done.count) \(kind)s of \(promise.order)") }
        let booked = evidence.ledger.filter {
          $0.order == promise.order && $0.kind == kind && $0.account == "provider-receivable"
        }
        let (sum, expected) = (
          done.reduce(0) { $0 + $1.amount }, booked.reduce(0) { $0 + $1.amount }
        )
        if sum * sign != expected {
          fail("I1", "the bank has a \(kind) of \(sum) of \(promise.order), the ledger \(expected)")
        }
      }
    }
  }

  private static func ownTopic(_ service: String) -> String { "\(service).v1" }
}
