import Contracts
import Kafka

/// I7: every record below a committed offset, of a type that the service consumes, is in its inbox
/// or dead-lettered. What is parked is in the inbox since it came, and counts as in flight.
enum HandlingPromise {
  static func check(_ facts: AuditFacts) -> Finding {
    var finding = Finding("I7", "records below the committed offsets: taken in or dead-lettered")
    finding.checked = facts.topics.handled
    finding.inFlight = Int(facts.positions.lag) + facts.databases.parkedEvents.count
    if facts.databases.waitingKeys + facts.databases.deadKeys > 0 {
      finding.notes.append(
        "parked events \(facts.databases.parkedEvents.count); orders tried again "
          + "\(facts.databases.waitingKeys), stopped behind a dead letter "
          + "\(facts.databases.deadKeys); see 'orderly get parked'")
    }
    for record in facts.topics.unhandled {
      finding.breach(
        "committed by \(record.service.rawValue), neither taken in nor dead-lettered",
        record.place.description)
    }
    checkAdditions(facts, &finding)
    checkGaps(facts, &finding)
    checkPlaces(facts, &finding)
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
  /// Each record is counted once, as one thing.
  private static func checkAdditions(_ facts: AuditFacts, _ finding: inout Finding) {
    for (service, ledger) in facts.topics.ledgers where ledger.sum != ledger.records {
      finding.breach(
        "the outcomes do not add up to the records: \(ledger.sum) of \(ledger.records)",
        service.rawValue)
    }
  }

  /// Kafka gives offsets without gaps; compaction and the marks of foreign transactions make some.
  private static func checkGaps(_ facts: AuditFacts, _ finding: inout Finding) {
    guard facts.topics.isComplete else { return }
    for service in ServiceName.allCases {
      let offsets = facts.positions.subscribed(by: service).reduce(Int64(0)) { sum, partition in
        let before = facts.positions.before[partition] ?? 0..<0
        let first = max(before.lowerBound, facts.positions.after[partition]?.lowerBound ?? 0)
        return sum + max(0, before.upperBound - first)
      }
      let records = Int64(facts.topics.ledgers[service]?.records ?? 0)
      guard offsets != records else { continue }
      finding.warnings.append(
        "\(offsets - records) of \(offsets) offsets on the topics of \(service.rawValue) have no "
          + "record: is a topic compacted, or written to by transactions?")
    }
  }

  /// What is parked or dead has come from a record; one beyond the end of its topic was never
  /// there. Letters that are about no record name a topic that does not exist.
  private static func checkPlaces(_ facts: AuditFacts, _ finding: inout Finding) {
    func isBeyond(_ place: Place) -> Bool {
      facts.positions.after[place.partition].map { place.offset >= $0.upperBound } ?? false
    }
    for event in facts.databases.parkedEvents where isBeyond(event.place) {
      finding.breach(
        "parked by \(event.service.rawValue), but its topic has no such record",
        event.place.description)
    }
    for letter in facts.databases.deadLetters where isBeyond(letter.place) {
      finding.breach(
        "dead-lettered by \(letter.service.rawValue), but its topic has no such record",
        letter.place.description)
    }
  }
}
