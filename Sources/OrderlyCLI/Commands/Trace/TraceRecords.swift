import Contracts
import Foundation
import Kafka

/// The records of an order on the topics of events and dead letters.
struct TraceRecords: Sendable {
  /// How many are kept: an order has some twenty, unless somebody publishes it again and again.
  static let limit = 1000

  private(set) var messages: [Message] = []

  /// Reads the order's partition of each topic.
  static func read(of order: String, _ global: GlobalOptions) async throws -> TraceRecords {
    let key = Array(order.utf8)
    let ranges = try await global.withAdmin { admin, _ in
      let metadata = try await admin.metadata()
      let partitions = Topic.allNames.compactMap { topic -> TopicPartition? in
        let count = metadata.partitions(of: [topic]).count
        guard count > 0 else { return nil }
        return TopicPartition(
          topic: topic, partition: KeyHash.partition(of: key, count: Int32(count)))
      }
      return try await admin.watermarks(partitions)
    }
    return try await global.withReader { reader in
      var records = TraceRecords()
      try await readRecords(ranges, with: reader) { messages in
        for message in messages where message.key == key { records.keep(message) }
      }
      if records.messages.count == limit {
        printMessage("Only the first \(limit) records of the order are shown.")
      }
      return records
    }
  }

  private mutating func keep(_ message: Message) {
    if messages.count < Self.limit { messages.append(message) }
  }

  /// The ids of the events, and the types that they say they are.
  var types: [UUID: String] {
    Dictionary(messages.compactMap { message in message.eventID.map { ($0, message.typeText) } }) {
      first, _ in first
    }
  }

  /// - Parameter policy: what may be shown of the bodies; nil for nothing.
  func entries(_ policy: BodyPolicy?) -> [TraceEntry] {
    var seen: Set<UUID> = []
    let letters = ServiceName.allCases.map(\.deadLetterTopic)
    return messages.map { message in
      let isLetter = letters.contains(message.topic)
      let isAgain = message.eventID.map { !isLetter && !seen.insert($0).inserted } ?? false
      let body = policy?.body(message.value, type: EventType(rawValue: message.typeText))
      let place = Place(partition: message.topicPartition, offset: message.offset)
      let at = Date(timeIntervalSince1970: Double(message.timestamp ?? 0) / 1000)
      if isLetter {
        // It follows from the event that it carries.
        return TraceEntry(
          kind: .deadLetter, at: at, by: message.text(HeaderName.DeadLetter.service) ?? "-",
          what: "published as a dead letter", place: place.description, cause: message.eventID,
          detail: message.text(HeaderName.DeadLetter.reason), body: body)
      }
      return TraceEntry(
        kind: .record, at: at, by: message.sender, what: message.typeText,
        place: place.description, id: message.eventID,
        cause: message.text(HeaderName.causationID).flatMap { UUID(uuidString: $0) },
        detail: isAgain ? "again: a duplicate" : nil, body: body)
    }
  }
}

extension Message {
  /// The first header of the name, as far as it is text.
  fileprivate func text(_ name: String) -> String? {
    headers.first { $0.name == name }?.value.flatMap { String(validating: $0, as: UTF8.self) }
  }

  fileprivate var eventID: UUID? { text(HeaderName.id).flatMap { UUID(uuidString: $0) } }

  fileprivate var typeText: String { text(HeaderName.type) ?? "no type" }

  /// A service by its name, anybody else by the source.
  fileprivate var sender: String {
    let source = text(HeaderName.source)
    return ServiceName.allCases.first { $0.source == source }?.rawValue ?? source ?? "-"
  }
}
