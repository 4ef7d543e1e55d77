import Contracts
import FleetProcesses
import Foundation
import Kafka
import Postgres
import Testing

extension EndToEnd {
  /// What is forgotten, and what is noticed, when Kafka deletes records and offsets.
  @Suite(
    .enabled(if: Given.kafka != nil, "ORDERLY_TEST_KAFKA is not set"), .timeLimit(.minutes(10)))
  struct Retention {
    private static let options = ["--forget-after", "0"]

    @Test func theInboxForgetsWhatKafkaHasDeletedAndNothingElse() async throws {
      try await Fleet.onKafka { fleet in
        let orders = Orders(seed: 21, count: 200)
        _ = try await fleet.startEach(options: Self.options)
        try await orders.publish(on: fleet)
        try await fleet.quiet()
        try await fleet.restartLater(Self.options)
        let before = try await fleet.inboxRows()
        #expect(before > 1_000)
        // Marked, and nothing is gone: all is remembered.
        try await fleet.stopAndWait()
        for service in ServiceName.allCases {
          let outcome = try await fleet.seek(service, to: "start")
          #expect(outcome.status == 0, "\(outcome.description)")
        }
        _ = try await fleet.startEach(options: Self.options)
        try await fleet.quiet()
        #expect(try await fleet.inboxRows() == before)
        try await orders.check(on: fleet)

        let active = try await fleet.seek(.payments, to: "start")
        #expect(active.status == 4)
        #expect(active.messages.contains("The group payments has members"))

        try await fleet.deleteAllRecords()
        try await fleet.restartLater(Self.options)
        try await eventually("the ids are forgotten") { try await fleet.inboxRows() == 0 }
        let group = try await fleet.succeeding("describe", "group", "payments")
        #expect(group.output.contains("INBOX HORIZON"))
        // A new order finds everything in order.
        let more = Orders(seed: 22, count: 50)
        try await more.publish(on: fleet)
        try await fleet.quiet()
        #expect(try await fleet.inboxRows() > 0)
        await fleet.stopAll()
      }
    }

    /// Kafka deletes the offsets of a group that has had no members for long.
    @Test func lostOffsetsAreNoticedAndNothingIsSkippedInSilence() async throws {
      try await Fleet.onKafka { fleet in
        let workers = try await fleet.startEach()
        let orders = Orders(seed: 23, count: 100)
        try await orders.publish(on: fleet)
        try await fleet.quiet()
        let payments = try #require(workers.first { $0.services == [.payments] })
        await payments.stop()
        try await Orders(seed: 24, count: 100).publish(on: fleet)
        try await fleet.quiet([.inventory])
        let handled = try await fleet.inboxRows(of: .payments)
        try await Servers.withAdmin(fleet.bootstrapServers) { admin in
          try await eventually("the group's offsets are gone") {
            try await admin.deleteGroups(["payments"])["payments"]?.isSuccess == true
          }
        }

        // Nothing is lost as long as the log is whole: it is read from its beginning.
        let second = try fleet.start(.payments)
        try await second.ready()
        try await fleet.quiet()
        #expect(try await fleet.inboxRows(of: .payments) > handled)
        await second.stop()

        // The marks are those of the start, and so what was handled since counts as lost.
        try await Servers.withAdmin(fleet.bootstrapServers) { admin in
          try await eventually("the group's offsets are gone again") {
            try await admin.deleteGroups(["payments"])["payments"]?.isSuccess == true
          }
        }
        try await fleet.deleteAllRecords()
        let third = try fleet.start(.payments)
        try await third.notReady(saying: "has no committed offset any more, and records were")
        try await third.notReady(saying: "'orderly group seek payments --partition")
        await third.stop()
        try await eventually("the offsets may be set") {
          try await fleet.seek(.payments, to: "start").status == 0
        }
        let fourth = try fleet.start(.payments)
        try await fourth.ready()
        await fleet.stopAll()
      }
    }
  }
}

extension Fleet {
  fileprivate func inboxRows() async throws -> Int64 {
    var rows: Int64 = 0
    for service in ServiceName.allCases { rows += try await inboxRows(of: service) }
    return rows
  }

  fileprivate func seek(_ service: ServiceName, to place: String) async throws -> Program.Outcome {
    try await orderly([
      "group", "seek", service.rawValue, "--to", place, "--execute", "--yes", "--reason", "a test",
    ])
  }

  /// Stops all workers, and waits until the groups know it.
  fileprivate func stopAndWait() async throws {
    await stopAll()
    try await groupsAreEmpty()
  }

  /// Stops all workers, and starts others two hours later: what stands in the tables is older then.
  fileprivate func restartLater(_ options: [String]) async throws {
    try await stopAndWait()
    try await database.withConnection { connection in
      for service in ServiceName.allCases {
        try connection.executeScript(
          """
          UPDATE \(service.rawValue).inbox SET received_at = received_at - interval '2 hours';
          UPDATE \(service.rawValue).reading_mark SET at = at - interval '2 hours';
          UPDATE \(service.rawValue).lane SET inbox_horizon = inbox_horizon - interval '2 hours';
          """)
      }
    }
    _ = try await startEach(options: options)
  }

  fileprivate func deleteAllRecords() async throws {
    try await deleteRecords(of: Topic.allCases.map(\.rawValue))
  }
}

extension Result {
  fileprivate var isSuccess: Bool { if case .success = self { true } else { false } }
}
