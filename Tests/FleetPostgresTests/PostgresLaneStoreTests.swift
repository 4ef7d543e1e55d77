import Contracts
import Fleet
import FleetTesting
import Foundation
import Postgres
import Testing

@testable import FleetPostgres

@Suite(.scratchDatabase, .timeLimit(.minutes(10))) struct PostgresLaneStoreTests {
  @Test(arguments: LaneStoreRule.allCases) func keeps(_ rule: LaneStoreRule) async throws {
    try await SampleSchema().withStore { try await rule.check($0) }
  }

  /// The take-over is caught in the act of waiting.
  @Test func aTakeOverWaitsForTheLockOfARunningStep() async throws {
    try await SampleSchema().withStore { store in
      let epoch = try await store.takeOver(lane: 0, owner: "old")
      let takeOver = try await whileHoldingLane(epoch: epoch, of: store) {
        try await store.takeOver(lane: 0, owner: "new")
      }
      #expect(try await takeOver.value == epoch + 1)
      // The step that held the lane was committed, and is there for the new owner.
      #expect(try await store.outbox(lane: 0, limit: 10).count == 1)
    }
  }

  /// A step of the same owner waits as well: the earlier one may be one whose connection was lost
  /// after COMMIT was sent.
  @Test func aStepWaitsForAnEarlierOneOfItsOwner() async throws {
    try await SampleSchema().withStore { store in
      let epoch = try await store.takeOver(lane: 0, owner: "me")
      let step = try await whileHoldingLane(epoch: epoch, of: store) {
        try await store.step { try $0.admit([], lane: 0, epoch: epoch) }
      }
      #expect(try await step.value.isEmpty)
      #expect(try await store.outbox(lane: 0, limit: 10).count == 1)
    }
  }

  /// Runs a step that holds the lane, starts `body`, and when that one waits for the lane writes a
  /// row and commits.
  private func whileHoldingLane<R: Sendable>(
    epoch: Int64, of store: PostgresLaneStore<SampleTables>,
    _ body: @escaping @Sendable () async throws -> R
  ) async throws -> Task<R, any Error> {
    let admin = try ScratchDatabase.configuration()
    return try await store.step { step in
      _ = try step.admit([UUID()], lane: 0, epoch: epoch)
      let task = Task { try await body() }
      let holder = step.connection.processID
      try Connection.with(admin) { try $0.waitUntilSomebodyWaits(for: holder) }
      let record = OutboxRecord(
        sequence: epoch << 32, id: UUID(), topic: "t", key: nil, value: nil, type: "t", source: "s",
        time: Date(timeIntervalSince1970: 0))
      try step.append([record], lane: 0)
      return task
    }
  }

  @Test func deadLettersAreStoredAsTheyCame() async throws {
    let schema = try SampleSchema()
    let message = HostileData.message(offset: 41)
    let letter = DeadLetter(
      service: .payments, message: message, reason: "invalid-body", detail: "lines[0]",
      attempts: 3, firstFailed: Date(timeIntervalSince1970: 1),
      lastFailed: Date(timeIntervalSince1970: 2))
    try await schema.withStore { store in
      let epoch = try await store.takeOver(lane: 3, owner: "me")
      try await store.step { transaction in
        _ = try transaction.admit([letter.id], lane: 3, epoch: epoch)
        try transaction.record([letter], lane: 3)
      }
    }
    try Connection.with(schema.configuration) { connection in
      let row = try connection.execute(
        """
        SELECT id, topic, partition, "offset", key, value, headers::text, reason, attempts, state
        FROM dead_letter
        """)[0]
      #expect(try row[0, as: UUID.self] == letter.id)
      #expect(try row[1, as: String.self] == "inventory.v1")
      #expect(try row[2, as: Int32.self] == 3)
      #expect(try row[3, as: Int64.self] == 41)
      #expect(try row[4, as: [UInt8].self] == message.key)
      #expect(try row[5, as: [UInt8].self] == message.value)
      #expect(try HeaderList.decode(row[6, as: String.self]) == message.headers)
      #expect(try row[7, as: String.self] == "invalid-body")
      #expect(try row[8, as: Int32.self] == 3)
      #expect(try row[9, as: String.self] == "open")
    }
  }

  // MARK: - Errors

  enum Outcome: String, Sendable { case unavailable, conflict, misconfigured, rejected }

  static let failures: [(sql: String, outcome: Outcome)] =
    [
      ("SELECT 1 / 0", .rejected), ("SELECT 'x'::int", .rejected),
      ("INSERT INTO lane (lane, epoch) VALUES (0, 1)", .rejected),
      ("INSERT INTO inbox (id) VALUES (gen_random_uuid())", .rejected),
      ("SELECT * FROM nowhere", .misconfigured), ("SELECT nothing FROM lane", .misconfigured),
      ("SELECT * FROM nowhere.lane", .misconfigured), ("SELEKT", .misconfigured),
      ("SELECT pg_terminate_backend(pg_backend_pid())", .unavailable),
    ]
    + [
      ("40001", .conflict), ("40P01", .conflict), ("55P03", .conflict), ("57014", .unavailable),
      ("53300", .unavailable), ("53100", .unavailable), ("57P01", .unavailable),
      ("25006", .unavailable), ("58030", .unavailable), ("42501", .misconfigured),
      ("54000", .rejected), ("P0001", .rejected), ("23514", .rejected),
    ].map { (code: String, outcome: Outcome) in
      ("DO $$ BEGIN RAISE EXCEPTION 'planned' USING ERRCODE = '\(code)'; END $$", outcome)
    }

  @Test(arguments: failures) func errorsSayWhatTheLaneHasToDo(
    failure: (sql: String, outcome: Outcome)
  ) async throws {
    let found = try await outcome { try $0.execute(Statement(failure.sql, cached: false)) }
    #expect(found == failure.outcome)
  }

  /// A text that can't be sent is the event's fault: retried as a lost connection it would hold up
  /// the lane for good.
  @Test func aTextWithAZeroByteIsRejected() async throws {
    #expect(try await outcome { try $0.execute("SELECT $1::text", "a\u{0}b") } == .rejected)
  }

  /// Only the order of the row stops, behind a dead letter that says so.
  @Test func aRowThatContradictsItselfIsRejected() async throws {
    let found = try await outcome { _ in
      throw UnreadableRow(table: "payment", key: "x", problem: "the status does not fit")
    }
    #expect(found == .rejected)
  }

  @Test func aServerThatIsNotThereIsUnavailable() async throws {
    let pool = Pool(
      try ConnectionConfiguration(url: "postgresql://nobody@127.0.0.1:1/none"), maximum: 1)
    let store = PostgresLaneStore(pool: pool, tables: SampleTables())
    let error = await #expect(throws: StoreError.self) {
      try await store.takeOver(lane: 0, owner: "me")
    }
    await pool.close()
    #expect(error.flatMap(Self.outcome) == .unavailable)
  }

  private func outcome(
    _ onLoad: @escaping @Sendable (Connection) throws -> Void
  ) async throws -> Outcome? {
    try await SampleSchema().withStore(SampleTables(onLoad: onLoad)) { store in
      let epoch = try await store.takeOver(lane: 0, owner: "me")
      let error = await #expect(throws: StoreError.self) {
        try await store.step { transaction in
          _ = try transaction.admit([UUID()], lane: 0, epoch: epoch)
          _ = try transaction.load([], orders: [], at: Date())
        }
      }
      return error.flatMap(Self.outcome)
    }
  }

  private static func outcome(_ error: StoreError) -> Outcome? {
    switch error {
    case .unavailable: .unavailable
    case .conflict: .conflict
    case .misconfigured: .misconfigured
    case .rejected: .rejected
    case .fenced: nil
    }
  }
}
