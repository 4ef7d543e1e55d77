import Contracts
import Foundation
import Kafka

/// I8: a message that can't be handled is dead-lettered once: one row, and one record in the
/// service's dead-letter topic.
enum DeadLetterPromise {
  static func check(_ facts: AuditFacts) -> Finding {
    var finding = Finding("I8", "dead letters: one row and one record for each")
    for place in facts.topics.unnamedDeadLetters {
      finding.breach("in a dead-letter topic, but does not say what it is", place.description)
    }
    for service in ServiceName.allCases { check(service, facts, &finding) }
    return finding
  }

  private static func check(
    _ service: ServiceName, _ facts: AuditFacts, _ finding: inout Finding
  ) {
    let published = facts.topics.deadLetters[service] ?? [:]
    let waiting = Set(
      facts.databases.outbox.lazy.filter { $0.topic == service.deadLetterTopic }.map(\.id))
    var known: Set<Place> = []
    for letter in facts.databases.deadLetters where letter.service == service {
      finding.checked += 1
      if !known.insert(letter.place).inserted {
        finding.breach("dead-lettered twice by \(service.rawValue)", letter.place.description)
      }
      if published[letter.place] != nil { continue }
      // The lane of a letter is the partition of its original.
      let partition = TopicPartition(
        topic: service.deadLetterTopic, partition: letter.place.partition.partition)
      if waiting.contains(letter.id) {
        finding.inFlight += 1
      } else if facts.positions.isWhole(partition), facts.topics.isComplete {
        finding.breach(
          "a dead letter of \(service.rawValue) that is not in \(service.deadLetterTopic)",
          letter.id.lowercaseText)
      }
    }
    guard facts.topics.isComplete else { return }
    for (place, wasBefore) in published where wasBefore && !known.contains(place) {
      finding.breach(
        "in \(service.deadLetterTopic), but no dead letter of \(service.rawValue)",
        place.description)
    }
  }
}
