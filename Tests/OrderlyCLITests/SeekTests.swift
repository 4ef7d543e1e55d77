import Contracts
import Foundation
import JSONSchema
import Kafka
import Testing

@testable import OrderlyCLI

/// What setting a group's offsets comes to.
@Suite struct SeekPlanTests {
  private static let day = Date(timeIntervalSince1970: 1_800_000_000)

  private func move(
    from committed: Int64?, to target: Int64, log: Range<Int64> = 10..<50,
    time: Date? = day, horizon: Date? = nil
  ) -> SeekPlan.Move {
    SeekPlan.Move(
      partition: TopicPartition(topic: "inventory.v1", partition: 3), committed: committed,
      log: log, target: target, time: time, horizon: horizon)
  }

  @Test(
    arguments: [
      // committed, target, read again, skipped, lost
      (30, 30, 0, 0, 0), (30, 10, 20, 0, 0), (30, 50, 0, 20, 0), (4, 10, 0, 0, 6),
      (4, 20, 0, 10, 6), (nil, 10, 0, 0, 0), (nil, 50, 0, 40, 0), (60, 10, 40, 0, 0),
      (60, 50, 0, 40, 0), (60, 30, 20, 20, 0),
    ] as [(Int64?, Int64, Int64, Int64, Int64)])
  func recordsAreCounted(
    _ committed: Int64?, _ target: Int64, _ again: Int64, _ skipped: Int64, _ lost: Int64
  ) {
    let move = move(from: committed, to: target)
    #expect(move.again == again)
    #expect(move.skipped == skipped)
    #expect(move.lost == lost)
    #expect(move.obstacle == nil)
  }

  @Test func targetsAreInTheLog() {
    #expect(
      move(from: 30, to: 9).obstacle
        == "inventory.v1[3] has no offset 9: its log is from 10 to 50")
    #expect(move(from: 30, to: 51).obstacle != nil)
  }

  @Test func whatTheInboxHasForgottenIsNotReadAgain() {
    let horizon = Self.day + 60
    #expect(
      move(from: 30, to: 20, horizon: horizon).obstacle
        == "inventory.v1[3]@20 is of 2027-01-15T08:00:00.000Z, and the inbox has forgotten what it "
        + "took in before 2027-01-15T08:01:00.000Z: it would be handled again")
    #expect(move(from: nil, to: 20, horizon: horizon).obstacle != nil)
    #expect(move(from: 30, to: 20, time: horizon, horizon: horizon).obstacle == nil)
    // Not handled yet, or not there.
    #expect(move(from: 20, to: 30, horizon: horizon).obstacle == nil)
    #expect(move(from: 30, to: 50, time: nil, horizon: horizon).obstacle == nil)
  }

  @Test func whatIsSkippedIsNamed() {
    let plan = SeekPlan(
      service: .payments, moves: [move(from: 30, to: 50), move(from: 30, to: 20)])
    #expect(
      plan.skippedText
        == "20 records would NEVER be handled by payments: inventory.v1[3] 30 to 49. "
        + "Their orders stay as they are, with what they hold.")
    #expect(plan.summary == "2 partitions: 10 records to be read again, 20 skipped")
    #expect(SeekPlan(service: .payments, moves: []).skippedText == nil)
  }

  @Test func placesAreParsed() throws {
    #expect(SeekTarget(argument: "start") == .start)
    #expect(SeekTarget(argument: "end") == .end)
    #expect(SeekTarget(argument: "17") == .offset(17))
    #expect(
      SeekTarget(argument: "@2027-01-15T08:00:00Z") == .time(Self.day))
    for text in ["", "-1", "@", "@soon", "begin", "1.5"] {
      #expect(SeekTarget(argument: text) == nil)
    }
    #expect(SeekTarget.time(Self.day).offset(in: 10..<50, atTime: -1) == 50)
    #expect(SeekTarget.time(Self.day).offset(in: 10..<50, atTime: 12) == 12)
  }
}

/// `orderly group seek` as a process, on a mock cluster; the end-to-end tests have it on a real one.
@Suite(.serialized, .timeLimit(.minutes(10))) struct SeekCommandTests {
  private func committed(_ system: SmallSystem) async throws -> [Int64] {
    let group = try await system.orderly.run("describe", "group", "payments", "-o", "json")
    let partitions = try #require(JSONValue(parsing: group.output)["partitions"]?.array)
    return partitions.compactMap { $0["committed"]?.int }
  }

  private func isAtTheStart(_ system: SmallSystem) async throws -> Bool {
    let offsets = try await committed(system)
    return !offsets.isEmpty && offsets.allSatisfy { $0 == 0 }
  }

  @Test func nothingIsChangedWithoutExecute() async throws {
    try await SmallSystem.with { system in
      let before = try await committed(system)
      let preview = try await system.orderly.run("group", "seek", "payments", "--to", "start")
      #expect(preview.status == 0, "\(preview.messages)")
      #expect(preview.lines.first?.hasPrefix("TOPIC") == true)
      #expect(preview.messages.contains("Nothing was changed; --execute does it."))
      #expect(try await committed(system) == before)
    }
  }

  @Test func offsetsAreSetAndTheActionIsRecorded() async throws {
    try await SmallSystem.with { system in
      let back = try await system.orderly.run(
        "group", "seek", "payments", "--to", "start", "--execute", "--yes", "--reason", "rehearsal")
      #expect(back.status == 0, "\(back.messages)")
      #expect(try await isAtTheStart(system))
      try system.sql(
        """
        DO $$ BEGIN
          ASSERT (SELECT count(*) FROM fleet.operator_action WHERE command = 'group seek'
            AND target = 'group payments' AND reason = 'rehearsal' AND outcome = 'done') = 1;
        END $$
        """)

      // Skipping says what it skips, and is asked for.
      let arguments = ["group", "seek", "payments", "--to", "end", "--execute", "--reason", "x"]
      let refused = try await system.orderly.run(arguments)
      #expect(refused.status == 4)
      #expect(refused.messages.contains("records would NEVER be handled by payments: "))
      #expect(refused.messages.contains("Skipping records takes --yes. Nothing was changed."))
      #expect(try await isAtTheStart(system))
      let forward = try await system.orderly.run(arguments + ["--yes"])
      #expect(forward.status == 0, "\(forward.messages)")
      #expect(try await committed(system).contains { $0 > 0 })
    }
  }

  @Test func aLiveGroupIsLeftAlone() async throws {
    try await SmallSystem.with { system in
      try system.sql(
        """
        INSERT INTO fleet.worker (id, services, host, pid, version, address, started_at,
          heartbeat_at, lanes, ready, problems)
        VALUES ('w-1', '{payments}', 'host', 1, '1', 'a', now(), now() + interval '1 hour',
          '{"payments": [0]}', true, '{}')
        """)
      let before = try await committed(system)
      let arguments = ["group", "seek", "payments", "--to", "start"]
      let preview = try await system.orderly.run(arguments)
      #expect(preview.status == 0)
      #expect(preview.messages.contains("note: The group payments has members: w-1 (host)."))
      let refused = try await system.orderly.run(
        arguments + ["--execute", "--yes", "--reason", "x"])
      #expect(refused.status == 4)
      #expect(refused.messages.contains("Error: The group payments has members: w-1 (host)."))
      #expect(try await committed(system) == before)
    }
  }

  @Test func aRewindPastTheHorizonIsRefused() async throws {
    try await SmallSystem.with { system in
      try system.sql(
        """
        INSERT INTO payments.lane (lane, epoch, inbox_horizon)
        VALUES (0, 1, now() + interval '1 hour')
        """)
      let before = try await committed(system)
      let refused = try await system.orderly.run(
        "group", "seek", "payments", "--to", "start", "--execute", "--yes", "--reason", "x")
      #expect(refused.status == 4)
      #expect(refused.messages.contains("it would be handled again"))
      #expect(try await committed(system) == before)
      let group = try await system.orderly.run("describe", "group", "payments")
      #expect(group.output.contains("INBOX HORIZON"))
    }
  }

  @Test func whatCanNotBeIsRefused() async throws {
    try await SmallSystem.with { system in
      let outside = try await system.orderly.run(
        "group", "seek", "payments", "--to", "999", "--topic", "inventory.v1", "--partition", "0")
      #expect(outside.status == 4)
      #expect(outside.messages.contains("inventory.v1[0] has no offset 999: its log is from 0 to"))
      let time = try await system.orderly.run("group", "seek", "payments", "--to", "@1h")
      #expect(time.status == 4)
      #expect(time.messages.contains("can't be asked for times"))
      let nowhere = try await system.orderly.run(
        "group", "seek", "payments", "--to", "end", "--partition", "77")
      #expect(nowhere.status == 1)
    }
  }
}
