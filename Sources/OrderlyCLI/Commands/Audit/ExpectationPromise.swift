import Contracts
import Foundation
import JSONSchema
import Kafka

/// What a run of 'orderly publish --expect' has foretold.
struct Expectations: Sendable {
  struct End: Hashable, Sendable, CustomStringConvertible {
    let state: String
    let reason: String?
    var description: String { OrderStates.word(state, reason) }
  }

  struct Poison: Sendable {
    let reason: String
    let services: Set<String>
  }

  /// The ends that each order may come to.
  var orders: [String: Set<End>] = [:]
  var poison: [Place: Poison] = [:]

  /// How many dead letters the poison makes, in all services.
  var deadLetters: Int { poison.values.reduce(0) { $0 + $1.services.count } }

  init() {}

  /// Reads lines of JSON.
  ///
  /// - Throws: ``CommandFailure``, which names the line.
  init(file: String) throws(CommandFailure) {
    guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
      throw CommandFailure(
        "\(file) can't be read. Give the file that 'orderly publish --expect' has written.")
    }
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    where !line.isEmpty {
      guard let value = try? JSONValue(parsing: String(line)), add(value) else {
        throw CommandFailure(
          "\(file), line \(number + 1), is no expectation. Was the file written by "
            + "'orderly publish --expect', and whole?")
      }
    }
  }

  private mutating func add(_ line: JSONValue) -> Bool {
    if let order = line["order"]?.string, let ends = line["terminal"]?.array {
      let known = ends.compactMap { end in
        end["state"]?.string.map { End(state: $0, reason: end["reason"]?.string) }
      }
      guard known.count == ends.count else { return false }
      orders[order] = Set(known)
      return true
    }
    guard let topic = line["topic"]?.string, let reason = line["reason"]?.string,
      let partition = line["partition"]?.int.flatMap(Int32.init(exactly:)),
      let offset = line["offset"]?.int, let services = line["services"]?.array
    else { return false }
    let place = Place(
      partition: TopicPartition(topic: topic, partition: partition), offset: offset)
    poison[place] = Poison(reason: reason, services: Set(services.compactMap(\.string)))
    return true
  }
}

/// Every order that was acknowledged has come to one of its ends, unless it is held, and every
/// poison record is dead-lettered by whom and for the reason that was foretold.
enum ExpectationPromise {
  static func check(_ facts: AuditFacts, _ expected: Expectations) -> Finding {
    var finding = Finding("--expect", "what was published: its orders' ends, its dead letters")
    checkOrders(facts, expected, &finding)
    checkPoison(facts, expected, &finding)
    for letter in facts.databases.deadLetters {
      guard let order = letter.order, expected.orders[order] != nil,
        expected.poison[letter.place] == nil
      else { continue }
      finding.breach(
        "dead-lettered by \(letter.service.rawValue) (\(letter.reason)), which was not expected",
        letter.id.lowercaseText)
    }
    return finding
  }

  private static func checkOrders(
    _ facts: AuditFacts, _ expected: Expectations, _ finding: inout Finding
  ) {
    for (id, ends) in expected.orders.sorted(by: { $0.key < $1.key }) {
      guard let order = facts.databases[id], order.hasEnded else {
        guard facts.isSettled, !facts.databases.isHeld(id) else {
          finding.inFlight += 1
          continue
        }
        let state = facts.databases[id]?.order
        finding.breach(state.map { "still \($0)" } ?? "missing", id)
        continue
      }
      finding.checked += 1
      let end = Expectations.End(state: order.order ?? "", reason: order.reason)
      if !ends.contains(end) {
        let wanted = ends.map(\.description).sorted().joined(separator: " or ")
        finding.breach("\(end), expected \(wanted)", id)
      }
    }
  }

  private static func checkPoison(
    _ facts: AuditFacts, _ expected: Expectations, _ finding: inout Finding
  ) {
    var letters: [Place: [DeadLetterFacts]] = [:]
    for letter in facts.databases.deadLetters where expected.poison[letter.place] != nil {
      letters[letter.place, default: []].append(letter)
    }
    for (place, poison) in expected.poison.sorted(by: { $0.key.description < $1.key.description }) {
      let found = letters[place] ?? []
      for service in poison.services.compactMap(ServiceName.init(rawValue:)) {
        guard let letter = found.first(where: { $0.service == service }) else {
          if place.offset < facts.positions.committed[service]?[place.partition] ?? 0 {
            finding.breach("poison, not dead-lettered by \(service.rawValue)", place.description)
          } else {
            finding.inFlight += 1
          }
          continue
        }
        finding.checked += 1
        if letter.reason != poison.reason {
          finding.breach(
            "dead-lettered by \(service.rawValue) for \(letter.reason), expected \(poison.reason)",
            place.description)
        }
      }
      for letter in found where !poison.services.contains(letter.service.rawValue) {
        finding.breach(
          "dead-lettered by \(letter.service.rawValue), which was not expected", place.description)
      }
    }
  }
}
