import Contracts
import Foundation
import Kafka
import Postgres

/// Reads the topics, a batch at a time, and asks the inboxes for what they must have.
struct TopicReading {
  /// How many ids an inbox is asked for at once.
  static let batch = 10_000
  /// How long nothing may be read before the broker is taken for gone.
  static let patience = Duration.seconds(30)

  let reader: PartitionReader
  let positions: AuditPositions
  /// Reads inboxes. Rows are added to them, and go long after their records have: it does not matter
  /// that this is later than the snapshot.
  let inboxes: [ServiceName: Inbox]
  let given: [ServiceName: Set<Place>]
  /// Older records are passed over, in milliseconds since 1970; nil for none.
  let since: Int64?

  /// - Parameter starts: where to begin in each partition.
  func read(
    from starts: [TopicPartition: Int64], into facts: inout TopicFacts
  ) async throws {
    var open = starts.filter { partition, start in start < end(of: partition) }
    guard !open.isEmpty else { return }
    let total = open.reduce(0) { $0 + Int(end(of: $1.key) - $1.value) }
    let progress = ProgressBar("reading records", total: total)
    defer { progress.finish() }
    try await reader.assign(open)
    var needs: [InboxNeed] = []
    // Errors and log lines may come all the time: they are no sign that anything can be read.
    var lastRead = ContinuousClock.now
    var lastError: KafkaError?
    while !open.isEmpty {
      let events = try await reader.poll(maxMessages: 5000, timeout: .seconds(1))
      for event in events {
        switch event {
        case .messages, .endOfPartition: lastRead = .now
        case .error(let error): lastError = error
        default: break
        }
        try take(event, &open, &facts, &needs)
      }
      guard ContinuousClock.now - lastRead < Self.patience else {
        throw CommandFailure(
          "Kafka has stopped answering with \(counted(open.count, "partition")) still to be read"
            + (lastError.map { ": \($0)" } ?? "")
            + ". Look at the brokers with 'orderly doctor', then audit again.")
      }
      if needs.count >= Self.batch { try await ask(&needs, &facts) }
      progress.show(min(total, facts.records))
    }
    try await ask(&needs, &facts)
  }

  private func end(of partition: TopicPartition) -> Int64 {
    positions.after[partition]?.upperBound ?? 0
  }

  private func take(
    _ event: ConsumerEvent, _ open: inout [TopicPartition: Int64], _ facts: inout TopicFacts,
    _ needs: inout [InboxNeed]
  ) throws {
    switch event {
    case .messages(let messages):
      for message in messages {
        let partition = message.topicPartition
        guard open[partition] != nil else { continue }
        let isOld = since.map { since in message.timestamp.map { $0 < since } ?? false } ?? false
        if message.offset < end(of: partition), !isOld {
          facts.add(AuditRecord(message), positions, given: given, needs: &needs)
        }
        if message.offset + 1 >= end(of: partition) { open[partition] = nil }
      }
    case .endOfPartition(let partition, let offset):
      // A broker that lags behind the leader may end before what was there.
      if offset >= end(of: partition) { open[partition] = nil }
    case .offsetOutOfRange(let partition, let offset, _):
      throw CommandFailure(
        "\(partition) has lost the records from \(offset) on to retention while they were read. "
          + "Audit again.")
    case .error(let error) where error.isFatal: throw error
    case .error, .assigned, .revoked, .committed, .statistics, .log: break
    }
  }

  /// Asks the inboxes for ids, and tells the facts what they don't have.
  private func ask(_ needs: inout [InboxNeed], _ facts: inout TopicFacts) async throws {
    for (service, needs) in Dictionary(grouping: needs, by: \.service) {
      guard let missing = try await inboxes[service]?.missing(needs.map(\.id)) else { continue }
      for need in needs where missing.contains(need.id) { facts.miss(need) }
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
    var letter: [String: String] = [:]
    for header in message.headers {
      guard let value = header.value.flatMap({ String(validating: $0, as: UTF8.self) }) else {
        continue
      }
      // The first of several counts, as for the services when they look for the type.
      switch header.name {
      case HeaderName.type where type == nil: type = EventType(rawValue: value)
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
