import Contracts
import Kafka

/// I7: every record below a committed offset, of a type that the service consumes, is in its inbox
/// or dead-lettered. What is parked is in the inbox since it came, and counts as in flight.
enum HandlingPromise {
  static func check(_ facts: AuditFacts) -> Finding {
    var finding = Finding("I7", "records below the committed offsets: taken in or dead-lettered")
    finding.checked = facts.topics.handled
    finding.inFlight = Int(facts.positions.lag) + facts.databases.parkedEvents
    if facts.databases.waitingKeys + facts.databases.deadKeys > 0 {
      finding.notes.append(
        "parked events \(facts.databases.parkedEvents); orders tried again "
          + "\(facts.databases.waitingKeys), stopped behind a dead letter "
          + "\(facts.databases.deadKeys); see 'orderly get parked'")
    }
    for (service, place) in facts.topics.unhandled {
      finding.breach(
        "committed by \(service.rawValue), neither taken in nor dead-lettered", place.description)
    }
    for service in ServiceName.allCases {
      for partition in facts.positions.subscribed(by: service).sorted() {
        let committed = facts.positions.committed[service]?[partition]
        guard let first = facts.positions.before[partition]?.lowerBound, committed ?? 0 < first
        else { continue }
        finding.breach(
          committed == nil
            ? "\(service.rawValue) has no committed offset, and records were deleted"
            : "deleted by retention before \(service.rawValue) had read them",
          "\(partition)@\(committed ?? 0)..<\(first)")
      }
    }
    return finding
  }
}
