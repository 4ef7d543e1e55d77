import Contracts

/// I9: lag and outboxes go back to zero. One look can't tell, so the numbers are reported; what
/// has waited too long is a breach of I4.
enum FlowPromise {
  static func check(_ facts: AuditFacts) -> Finding {
    var finding = Finding("I9", "flow: lag, outboxes, orders in flight")
    let open = facts.databases.orders.count { $0.isJudged && !$0.hasEnded }
    finding.checked = facts.topics.records
    finding.inFlight = open
    finding.notes = [
      "lag \(facts.positions.lag), outbox rows \(facts.databases.outbox.count), "
        + "orders in flight \(open)"
    ]
    return finding
  }
}
