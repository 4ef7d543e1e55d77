import Contracts
import Foundation
import Kafka
import Postgres

/// Reads the topics, a batch at a time, and asks the inboxes for what they must have.
struct TopicReading {
  /// How many ids an inbox is asked for at once.
  static let batch = 10_000

  let reader: PartitionReader
  let positions: AuditPositions
  /// Reads inboxes. Rows are added to them, and go long after their records have: it does not matter
  /// that this is later than the snapshot.
  let inboxes: [ServiceName: Inbox]
  /// Older records are passed over, in milliseconds since 1970; nil for none.
  let since: Int64?

  /// - Parameter starts: where to begin in each partition.
  func read(
    from starts: [TopicPartition: Int64], into facts: inout TopicFacts
  ) async throws {
    var ranges: [TopicPartition: Range<Int64>] = [:]
    for (partition, start) in starts {
      let end = positions.after[partition]?.upperBound ?? 0
      if start < end { ranges[partition] = start..<end }
    }
    var needs: [InboxNeed] = []
    try await readRecords(ranges, with: reader) { messages in
      for message in messages {
        if let since, let time = message.timestamp, time < since { continue }
        facts.add(AuditRecord(message), positions, needs: &needs)
      }
      if needs.count >= Self.batch { try await ask(&needs, &facts) }
    }
    try await ask(&needs, &facts)
  }

  /// Asks the inboxes for ids, and tells the facts what they don't have.
  private func ask(_ needs: inout [InboxNeed], _ facts: inout TopicFacts) async throws {
    for (service, needs) in Dictionary(grouping: needs, by: \.service) {
      guard let missing = try await inboxes[service]?.missing(needs.map(\.id)) else { continue }
      for need in needs { facts.settle(need, isThere: !missing.contains(need.id)) }
    }
    needs.removeAll(keepingCapacity: true)
  }
}

/// A service's inbox, to be asked for ids.
struct Inbox: Sendable {
  private let pool: Pool
  private let address: String

  init(_ database: ConnectionConfiguration) {
    pool = Pool(database, maximum: 1)
    address = database.description
  }

  /// Those of the ids that the inbox does not have.
  func missing(_ ids: [UUID]) async throws -> Set<UUID> {
    let ids = Array(Set(ids))
    do {
      return try await pool.withConnection { connection in
        Set(
          try connection.execute(
            """
            SELECT id FROM unnest($1::uuid[]) AS wanted (id)
            WHERE NOT EXISTS (SELECT FROM inbox WHERE inbox.id = wanted.id)
            """, ids
          ).map { try $0.decode(0, as: UUID.self) })
      }
    } catch let error as PostgresError {
      throw CommandFailure(error.trouble(at: address).sentence)
    }
  }

  func close() async { await pool.close() }
}

extension AuditRecord {
  /// Takes from a message what its headers say.
  init(_ message: Message) {
    self.init(place: Place(partition: message.topicPartition, offset: message.offset))
    order = message.key.flatMap { String(validating: $0, as: UTF8.self) }
    time = message.timestamp
    var types = 0
    var letter: [String: String] = [:]
    for header in message.headers {
      guard let value = header.value.flatMap({ String(validating: $0, as: UTF8.self) }) else {
        continue
      }
      switch header.name {
      // Of a record that names more than one type nobody can say what it is; of the others the
      // first counts.
      case HeaderName.type:
        types += 1
        type = types == 1 ? EventType(rawValue: value) : nil
      case HeaderName.id where id == nil: id = UUID(uuidString: value)
      case HeaderName.source where source == nil: source = value
      case HeaderName.causationID where cause == nil: cause = UUID(uuidString: value)
      case HeaderName.DeadLetter.service, HeaderName.DeadLetter.topic,
        HeaderName.DeadLetter.partition, HeaderName.DeadLetter.offset:
        // The last of several: an original may have been a dead letter itself.
        letter[header.name] = value
      default: break
      }
    }
    if let service = letter[HeaderName.DeadLetter.service],
      let topic = letter[HeaderName.DeadLetter.topic],
      let partition = letter[HeaderName.DeadLetter.partition].flatMap({ Int32($0) }),
      let offset = letter[HeaderName.DeadLetter.offset].flatMap({ Int64($0) })
    {
      let source = TopicPartition(topic: topic, partition: partition)
      deadLetter = (service, Place(partition: source, offset: offset))
    }
  }
}
