import Contracts
import FleetProcesses
import Foundation
import Kafka
import Postgres
import Testing

extension EndToEnd {
  /// What is no event: each is dead-lettered once by whoever would have to handle it, as it was,
  /// and the orders around it complete.
  @Suite(.timeLimit(.minutes(10))) struct BadInputs {
    @Test func eachIsDeadLetteredOnceOnAMock() async throws {
      try await Fleet.onMock { fleet, _ in try await deadLetters(fleet) }
    }

    @Test(.enabled(if: Given.kafka != nil, "ORDERLY_TEST_KAFKA is not set"))
    func eachIsDeadLetteredOnceOnKafka() async throws {
      try await Fleet.onKafka { fleet in try await deadLetters(fleet) }
    }

    private func deadLetters(_ fleet: Fleet) async throws {
      try await fleet.start().ready()
      var records: [Record] = []
      for (index, input) in BadInput.all.enumerated() {
        // All in one partition, so that each is behind another and before a good one.
        var bad = BadInput.valid(order: "bad-\(index)")
        input.spoil(&bad)
        var good = BadInput.valid(order: "good-\(index)")
        (bad.partition, good.partition) = (2, 2)
        records += [bad, good]
      }
      let places = try await fleet.produce(records)
      try await fleet.quiet()
      let letters = try await fleet.deadLetters()
      var expected = 0
      for (index, input) in BadInput.all.enumerated() {
        for service in input.services {
          try check(
            letters.filter { $0.service == service && $0.place == places[index * 2] }, input,
            records[index * 2])
          #expect(
            try await fleet.deadLetterRows(of: service, at: places[index * 2])
              == [input.reason.rawValue], "\(input.name), \(service)")
          expected += 1
        }
      }
      #expect(letters.count == expected)
      let completed: Int64 = try await fleet.scalar(
        "SELECT count(*) FROM orders.orders WHERE order_id LIKE 'good-%' AND status = 'completed'")
      #expect(completed == Int64(BadInput.all.count))
      let audit = try await fleet.orderly(["audit"])
      #expect(audit.status == 0, "\(audit)")
      await fleet.stopAll()
    }

    private func check(
      _ found: [FoundLetter], _ input: BadInput, _ original: Record
    ) throws {
      #expect(found.count == 1, "\(input.name)")
      let letter = try #require(found.first).message
      #expect(letter.key == original.key, "\(input.name)")
      #expect(letter.value == original.value, "\(input.name)")
      #expect(Array(letter.headers.prefix(original.headers.count)) == original.headers)
      let added = letter.headers.dropFirst(original.headers.count)
      #expect(added.allSatisfy { $0.name.hasPrefix("dlq-") })
      #expect(letter.text(HeaderName.DeadLetter.reason) == input.reason.rawValue, "\(input.name)")
      let detail = try #require(letter.text(HeaderName.DeadLetter.detail))
      #expect(detail.contains(input.field), "\(input.name): \(detail)")
    }

    @Test func nothingOfItIsPublishedFromAFile() async throws {
      try await Servers.withMock { mock in
        let environment = ["KAFKA_BOOTSTRAP_SERVERS": mock.bootstrapServers]
        let file = FileManager.default.temporaryDirectory
          .appending(path: "orderly-endtoend-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        for input in BadInput.all where input.isBody {
          var bad = BadInput.valid(order: "bad")
          input.spoil(&bad)
          try Data(bad.value ?? []).write(to: file)
          let outcome = try await Program.run(
            "orderly", ["publish", "order.placed", "-f", file.path], environment: environment)
          #expect(outcome.status == 1, "\(input.name): \(outcome)")
          #expect(outcome.messages.contains(input.field), "\(input.name): \(outcome.messages)")
          #expect(outcome.messages.utf8.count < 2_000, "\(input.name)")
        }
        let ends = try await Servers.withAdmin(mock.bootstrapServers) {
          try await $0.watermarks(Servers.partitions(of: [Topic.orders.rawValue]))
        }
        #expect(ends.values.allSatisfy { $0.upperBound == 0 })
      }
    }
  }
}

/// A record of a dead letter topic.
private struct FoundLetter {
  let service: ServiceName
  /// Of the original.
  let place: RecordPosition
  let message: Message
}

extension Message {
  fileprivate func text(_ header: String) -> String? {
    headers.last { $0.name == header }?.value.map { String(decoding: $0, as: UTF8.self) }
  }
}

extension Fleet {
  /// All that is on the dead letter topics.
  fileprivate func deadLetters() async throws -> [FoundLetter] {
    try await messages(on: ServiceName.allCases.map(\.deadLetterTopic)).map(Self.letter)
  }

  private static func letter(_ message: Message) throws -> FoundLetter {
    let service = try #require(ServiceName.allCases.first { $0.deadLetterTopic == message.topic })
    return FoundLetter(
      service: service,
      place: RecordPosition(
        topic: try #require(message.text(HeaderName.DeadLetter.topic)),
        partition: try #require(
          message.text(HeaderName.DeadLetter.partition).flatMap { Int32($0) }),
        offset: try #require(message.text(HeaderName.DeadLetter.offset).flatMap { Int64($0) })),
      message: message)
  }

  /// The reasons of the rows that a service has of a record.
  fileprivate func deadLetterRows(
    of service: ServiceName, at place: RecordPosition
  ) async throws -> [String] {
    try await database.withConnection { connection in
      try connection.execute(
        """
        SELECT reason FROM \(service.rawValue).dead_letter
        WHERE topic = $1 AND partition = $2 AND "offset" = $3
        """, place.topic, place.partition, place.offset
      ).map { try $0.decode(0, as: String.self) }
    }
  }
}
