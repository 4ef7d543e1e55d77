import Contracts
import Foundation
import Kafka
import Postgres
import Settings

extension GlobalOptions {
  /// Gathers the facts, in the order that ``AuditFacts`` explains.
  func auditFacts(since: Date?) async throws -> AuditFacts {
    try await withAdmin { admin, kafka in
      var positions = AuditPositions()
      let metadata = try await admin.metadata()
      let missing = Topic.allNames.filter { metadata.partitions(of: [$0]).isEmpty }
      guard missing.isEmpty else {
        throw CommandFailure(
          "Kafka at \(kafka.bootstrapServers.joined(separator: ",")) does not have "
            + "\(missing.joined(separator: ", ")): there is nothing to hold the tables against. "
            + "Check KAFKA_BOOTSTRAP_SERVERS or --context, or run 'orderly topics apply'.")
      }
      let events = metadata.partitions(of: Topic.allCases.map(\.rawValue))
      let letters = metadata.partitions(of: ServiceName.allCases.map(\.deadLetterTopic))
      positions.committed = try await committed(events, admin)
      positions.before = try await admin.watermarks(events + letters)

      let databases = try await databaseFacts(since: since)
      positions.after = try await admin.watermarks(events + letters)

      var starts = positions.after.mapValues(\.lowerBound)
      let time = since.map { Int64($0.timeIntervalSince1970 * 1000) }
      // librdkafka's mock answers the question for the offset of any time with the end: all of its
      // records are read, and the older ones passed over.
      if let time, !metadata.isMock {
        let found = try await admin.offsets(forTimes: starts.mapValues { _ in time })
        for (partition, offset) in found {
          // -1: none is that new.
          starts[partition] = offset < 0 ? positions.after[partition]?.upperBound : offset
        }
      }
      let topics = try await topicFacts(
        from: starts, positions, databases, kafka, since: time)
      positions.committedLast = try await committed(events, admin)
      // After the inboxes: they forget nothing before their lane has a horizon that says so.
      var horizons: [ServiceName: [Int32: Date]] = [:]
      for service in ServiceName.allCases {
        let lanes = try await read(service) { try LaneRow.all(on: $0) }
        for lane in lanes { horizons[service, default: [:]][lane.lane] = lane.horizon }
      }
      return AuditFacts(
        positions: positions, databases: databases, topics: topics,
        workers: try? await workersByService(), horizons: horizons)
    }
  }

  private func committed(
    _ events: [TopicPartition], _ admin: Admin
  ) async throws -> [ServiceName: [TopicPartition: Int64]] {
    var committed: [ServiceName: [TopicPartition: Int64]] = [:]
    for service in ServiceName.allCases {
      let topics = service.subscriptions.map(\.rawValue)
      committed[service] = try await admin.listOffsets(
        group: service.rawValue, partitions: events.filter { topics.contains($0.topic) })
    }
    return committed
  }

  /// Orders first: what the others hold for an order that has ended there is final.
  private func databaseFacts(since: Date?) async throws -> DatabaseFacts {
    var facts = DatabaseFacts()
    for service in ServiceName.allCases {
      facts = try await read(service, takesLong: true) { [facts] connection in
        var facts = facts
        try DatabaseReading(connection: connection, since: since).read(service, into: &facts)
        return facts
      }
    }
    return facts
  }

  private func topicFacts(
    from starts: [TopicPartition: Int64], _ positions: AuditPositions, _ databases: DatabaseFacts,
    _ kafka: KafkaConfiguration, since: Int64?
  ) async throws -> TopicFacts {
    var inboxes: [ServiceName: Inbox] = [:]
    for service in ServiceName.allCases {
      var database = try settings().database(of: service, applicationName: "orderly-cli")
      database.allowLongStatements()
      inboxes[service] = Inbox(database)
    }
    let reader = try PartitionReader(kafka)
    let reading = TopicReading(
      reader: reader, positions: positions, inboxes: inboxes, since: since)
    return try await running {
      var facts = TopicFacts(isComplete: since == nil, fates: KnownFates(databases))
      try await reading.read(from: starts, into: &facts)
      return facts
    } closing: {
      await reader.close()
      for inbox in inboxes.values { await inbox.close() }
    }
  }
}
