import Contracts
import Foundation

/// I9: lag and outboxes go back to zero, and orders come to their ends. One look can't tell that
/// they will, but it sees what keeps them from it: what waits for a service without a worker, and
/// orders that should have ended long ago. What waits too long in an outbox is a breach of I4.
enum FlowPromise {
  /// How long after its deadline an order may still be under way, in seconds: it takes that long at
  /// most to bring it back when the fleet is at work.
  static let slack: Double = 5 * 60
  /// How long a record may wait before its group is looked at for whether it moves, in seconds.
  static let patience: Double = 60

  static func check(_ facts: AuditFacts) -> Finding {
    var finding = Finding("I9", "flow: lag, outboxes, orders in flight")
    let open = facts.databases.orders.filter { !$0.hasEnded }
    finding.checked = facts.topics.records
    finding.inFlight = open.count
    finding.notes = [
      "lag \(facts.positions.lag), outbox rows \(facts.databases.outbox.count), "
        + "orders in flight \(open.count)"
    ]
    for order in open {
      // What is held is told by itself, with what to do about it.
      guard let lateness = order.lateness, lateness > slack,
        !facts.databases.isHeld(order.id)
      else { continue }
      finding.breach(
        "still \(order.order ?? "open") more than \(Int(slack / 60)) min after its deadline; "
          + "see 'orderly saga show'", order.id)
    }
    let unplaced = open.count { $0.order != nil && !$0.isPlaced }
    if unplaced > 0 {
      finding.warnings.append(
        "\(counted(unplaced, "order")) wait\(unplaced == 1 ? "s" : "") for order.placed, which has "
          + "not come: see 'orderly get orders --status cancel-early --status shipped-early "
          + "--status unfulfilled-early'")
    }
    if facts.workers == nil {
      finding.warnings.append(
        "which workers live can't be found out, nor whether what waits has one: see "
          + "'orderly get workers'")
    }
    for service in ServiceName.allCases { checkLag(of: service, facts, &finding) }
    for call in facts.databases.calls where !call.isDead && facts.workers?[call.service] == 0 {
      finding.breach(
        "calls wait, and no worker works for \(call.service.rawValue): start "
          + "'orderly-worker \(call.service.rawValue)'", call.order)
    }
    return finding
  }

  private static func checkLag(
    of service: ServiceName, _ facts: AuditFacts, _ finding: inout Finding
  ) {
    let unread = facts.positions.unread(by: service)
    guard !unread.isEmpty else { return }
    if facts.workers?[service] == 0 {
      for (partition, offsets) in unread {
        finding.breach(
          "records wait, and no worker works for \(service.rawValue): start "
            + "'orderly-worker \(service.rawValue)'", "\(partition)@\(offsets)")
      }
      return
    }
    let now = Date().timeIntervalSince1970
    let stuck = facts.topics.waiting.filter { record in
      guard record.service == service, let time = record.time else { return false }
      let partition = record.place.partition
      let last = facts.positions.committedLast[service]?[partition] ?? 0
      return now - Double(time) / 1000 > patience && last <= record.place.offset
    }
    guard !stuck.isEmpty else { return }
    finding.warnings.append(
      "\(service.rawValue) has a worker, but its oldest record on "
        + "\(stuck.map(\.place.description).joined(separator: ", ")) has waited for more than "
        + "\(Int(patience)) s: see 'orderly describe group \(service.rawValue)'")
  }
}
