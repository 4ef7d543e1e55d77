import Contracts
import Fleet
import FleetTesting
import Foundation
import Postgres
import Testing

@testable import FleetPostgres

@Suite(.scratchDatabase, .timeLimit(.minutes(10))) struct DeadLetterDeskTests {
  private let now = Date(timeIntervalSince1970: 1_800_000_000)

  @Test(arguments: DeadLetterRule.allCases) func keeps(_ rule: DeadLetterRule) async throws {
    let schema = try SampleSchema()
    let pool = Pool(schema.configuration, maximum: 2)
    let letters = PostgresDeadLetterStore(service: .inventory, pool: pool)
    let result: Result<Void, any Error>
    do {
      result = .success(
        try await rule.check(PostgresLaneStore(pool: pool, tables: SampleTables()), letters))
    } catch {
      result = .failure(error)
    }
    await pool.close()
    try result.get()
  }

  private func letter() -> DeadLetter {
    let event = Event(
      id: UUID(), source: "/test", time: now,
      payload: .paymentVoided(
        PaymentVoided(orderId: OrderID(rawValue: "x"), reason: .timedOut)))
    let message = RawMessage(
      partition: Partition(topic: Topic.payments.rawValue, number: 0), offset: 7,
      key: Array("x".utf8), value: try? EventCodec.body(of: event.payload),
      headers: EventCodec.headers(of: event))
    return DeadLetter(
      service: .inventory, message: message, reason: "down", detail: "", attempts: 3,
      firstFailed: now, lastFailed: now, event: event)
  }

  /// Caught in the act of waiting: the step has seen no fence, so that the replay must not put one
  /// up before it has committed.
  @Test func aReplayWaitsForARunningStep() async throws {
    let schema = try SampleSchema()
    let (letter, admin) = (letter(), try ScratchDatabase.configuration())
    let pool = Pool(schema.configuration, maximum: 1)
    let desk = DeadLetterDesk(service: .inventory, pool: pool)
    let start = try await schema.withStore { store in
      let epoch = try await store.takeOver(lane: 0, owner: "me")
      try await store.step { step in
        _ = try step.admit([], lane: 0, epoch: epoch)
        try step.record([letter], lane: 0)
      }
      let replay = try await store.step { step in
        let admission = try step.admit([], keys: [OrderID(rawValue: "x")], lane: 0, epoch: epoch)
        #expect(admission.parked.isEmpty)
        let replay = Task { try await desk.replay(letter.id, at: now) }
        let holder = step.connection.processID
        try Connection.with(admin) { try $0.waitUntilSomebodyWaits(for: holder) }
        return replay
      }
      return try await replay.value
    }
    await pool.close()
    #expect(start.waiting == 0)
  }

  /// An alert has to end when somebody has decided.
  @Test func aDiscardedEffectIsNotCounted() async throws {
    let schema = try SampleSchema()
    let pool = Pool(schema.configuration, maximum: 1)
    let desk = DeadLetterDesk(service: .inventory, pool: pool)
    let effect = StoredEffect(
      id: UUID(), order: OrderID(rawValue: "x"), kind: "inventory.call", request: "{}",
      causationID: UUID(), createdAt: now)
    var dead = effect
    dead.state = .dead
    dead.failure = EventFailure(reason: "down", detail: "", attempts: 1, first: now, last: now)
    let letter = DeadLetter(dead, of: .inventory, lane: 0)
    try await schema.withStore { [dead] store in
      let epoch = try await store.takeOver(lane: 0, owner: "me")
      try await store.step { step in
        _ = try step.admit([], lane: 0, epoch: epoch)
        try step.store([effect], lane: 0)
        _ = try step.settle([dead])
        try step.record([letter], lane: 0)
      }
    }
    let before = try await pool.withConnection { try Backlog.read($0).deadEffects }
    _ = try await desk.discard(letter.id, at: now)
    let after = try await pool.withConnection { try Backlog.read($0).deadEffects }
    await pool.close()
    #expect(before == 1 && after == 0)
  }

  /// Two ask at the same moment: one has started it, the other learns so.
  @Test func ofTwoAtOnceOneReplays() async throws {
    let schema = try SampleSchema()
    let letter = letter()
    let pool = Pool(schema.configuration, maximum: 4)
    let desk = DeadLetterDesk(service: .inventory, pool: pool)
    try await schema.withStore { store in
      let epoch = try await store.takeOver(lane: 0, owner: "me")
      try await store.step { step in
        _ = try step.admit([], lane: 0, epoch: epoch)
        try step.record([letter], lane: 0)
      }
    }
    let outcomes = await withTaskGroup(of: String.self) { group in
      for _ in 0..<4 {
        group.addTask {
          do {
            _ = try await desk.replay(letter.id, at: now)
            return "started"
          } catch {
            return "\(error)"
          }
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    await pool.close()
    #expect(outcomes.count { $0 == "started" } == 1)
    #expect(outcomes.count { $0 == "The dead letter is being replayed." } == 3)
  }

  /// It does not matter how late it is where the operator sits.
  @Test func timesAreTheDatabases() async throws {
    let schema = try SampleSchema()
    let letter = letter()
    let pool = Pool(schema.configuration, maximum: 1)
    let desk = DeadLetterDesk(service: .inventory, pool: pool)
    try await schema.withStore { store in
      let epoch = try await store.takeOver(lane: 0, owner: "me")
      try await store.step { step in
        _ = try step.admit([], lane: 0, epoch: epoch)
        try step.record([letter], lane: 0)
      }
    }
    _ = try await desk.replay(letter.id)
    await pool.close()
    try ScratchDatabase.with(searchPath: schema.name) { connection in
      let isSo = try connection.execute(
        """
        SELECT bool_and(taken_at < state_since AND state_since = next_attempt_at
          AND next_attempt_at < clock_timestamp())
        FROM lane, dead_letter, parked_key
        """)
      #expect(try isSo.scalar(as: Bool.self))
    }
  }

  /// A service that was running when its schema was migrated.
  @Test func theMigrationFindsWhatKeysHaveStoppedBehind() throws {
    let name = try ScratchDatabase.randomName()
    let schemas = [2, CommonMigrations.all.count].map { count in
      SchemaDefinition(
        name: name, role: nil,
        components: [.init(name: "common", migrations: Array(CommonMigrations.all.prefix(count)))])
    }
    try ScratchDatabase.with { _ = try Migrator([schemas[0]]).migrate(on: $0) }
    let (older, newer) = (UUID(), UUID())
    try ScratchDatabase.with(searchPath: name) { connection in
      for (index, id) in [older, newer].enumerated() {
        try connection.execute(
          """
          INSERT INTO dead_letter (id, lane, topic, partition, "offset", headers, order_id, reason,
            detail, fingerprint, attempts, state, first_failed, last_failed)
          VALUES ($1, 0, 'payments.v1', 0, $2, '[]', 'x', 'down', '', '', 3, 'open', $3, $3)
          """, id, Int64(index), now + Double(index))
      }
      for (key, state) in [("x", "dead"), ("y", "waiting")] {
        try connection.execute(
          """
          INSERT INTO parked_key (key, lane, state, attempts, next_attempt_at, reason, detail,
            first_failed, last_failed)
          VALUES ($1, 0, $2, 8, $3, 'down', '', $3, $3)
          """, key, state, now)
      }
    }
    try ScratchDatabase.with { _ = try Migrator([schemas[1]]).migrate(on: $0) }
    try ScratchDatabase.with(searchPath: name) { connection in
      let rows = try connection.execute("SELECT dead_letter FROM parked_key ORDER BY key")
      #expect(try rows.map { try $0[0, as: UUID?.self] } == [newer, nil])
      let since = try connection.execute("SELECT state_since FROM dead_letter WHERE id = $1", newer)
      #expect(try since[0][0, as: Date.self] == now + 1)
    }
  }
}
