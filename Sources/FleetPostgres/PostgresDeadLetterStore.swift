public import Contracts
public import Fleet
public import Foundation
public import Postgres

extension DeadLetterDesk where Store == PostgresDeadLetterStore {
  /// - Parameter pool: connections whose `search_path` is the service's schema.
  public init(service: ServiceName, pool: Pool) {
    self.init(service: service, store: PostgresDeadLetterStore(service: service, pool: pool))
  }
}

/// The dead letters of one service and the queues of its parked orders.
public struct PostgresDeadLetterStore: DeadLetterStore {
  private let service: ServiceName
  private let pool: Pool

  /// - Parameter pool: connections whose `search_path` is the service's schema.
  public init(service: ServiceName, pool: Pool) {
    self.service = service
    self.pool = pool
  }

  public func change<Result: Sendable>(
    _ body: @Sendable (PostgresDeadLetterTransaction) throws -> Result
  ) async throws -> Result {
    try await reportingStoreErrors {
      try await pool.withTransaction { connection in
        try body(PostgresDeadLetterTransaction(service: service, connection: connection))
      }
    }
  }
}

extension PostgresDeadLetterStore {
  /// The letters among some ids that are there, with all that they carry, in no order. Nothing is
  /// locked: to be changed, a letter is read again.
  ///
  /// - Throws: `StoreError`.
  public func letters(_ ids: [UUID]) async throws -> [DeadLetter] {
    try await reportingStoreErrors {
      try await pool.withConnection { connection in
        try PostgresDeadLetterTransaction(service: service, connection: connection).letters(ids)
      }
    }
  }
}

/// The statements of a ``DeadLetterDesk`` on one connection.
public struct PostgresDeadLetterTransaction: DeadLetterTransaction {
  let service: ServiceName
  let connection: Connection

  public func now() throws -> Date {
    // Not now(), the time of BEGIN: locks may have been waited for since.
    try connection.execute("SELECT clock_timestamp()").scalar(as: Date.self)
  }

  public func lock(lane: Int32) throws -> Bool { try connection.lock(lane: lane) }

  public func letter(_ id: UUID) throws -> DeadLetter? {
    let rows = try connection.execute(
      "SELECT \(Self.columns) FROM dead_letter WHERE id = $1 FOR UPDATE", id)
    return try rows.first.map { try letter($0) }
  }

  fileprivate func letters(_ ids: [UUID]) throws -> [DeadLetter] {
    try connection.execute("SELECT \(Self.columns) FROM dead_letter WHERE id = ANY($1)", ids)
      .map { try letter($0) }
  }

  private static let columns = """
    topic, partition, "offset", key, value, headers::text, reason, detail, attempts, first_failed,
    last_failed, state, state_since, edited_value, edited_headers::text, edited_event_id, edited_at,
    owner, note, event_id, order_id, id
    """

  /// Reads ``columns``.
  private func letter(_ row: Row) throws -> DeadLetter {
    let id: UUID = try row.decode(21)
    let message = RawMessage(
      partition: Partition(topic: try row.decode(0), number: try row.decode(1)),
      offset: try row.decode(2), key: try row.decode(3), value: try row.decode(4),
      headers: try HeaderList.decode(row.decode(5)))
    var letter = DeadLetter(
      service: service, message: message, reason: try row.decode(6), detail: try row.decode(7),
      attempts: Int(try row[8, as: Int32.self]), firstFailed: try row.decode(9),
      lastFailed: try row.decode(10),
      event: try? EventCodec.decode(
        key: message.key, value: message.value, headers: message.headers))
    guard let state = DeadLetter.State(rawValue: try row.decode(11)), letter.id == id else {
      throw UnreadableRow(
        table: "dead_letter", key: id.lowercaseText,
        problem: "the state is unknown, or the id is not that of the message's place")
    }
    letter.state = state
    letter.stateSince = try row.decode(12)
    if let value = try row[13, as: [UInt8]?.self] {
      // The table has all four or none.
      letter.edit = DeadLetter.Edit(
        value: value, headers: try HeaderList.decode(row.decode(14)),
        eventID: try row.decode(15), at: try row.decode(16))
    }
    letter.owner = try row.decode(17)
    letter.note = try row.decode(18)
    letter.eventID = try row.decode(19)
    letter.order = try row.decode(20)
    return letter
  }

  public func update(_ letter: DeadLetter) throws {
    try connection.executeLater(
      """
      UPDATE dead_letter SET state = $2, state_since = $3, edited_value = $4,
        edited_headers = $5::text::jsonb, edited_event_id = $6, edited_at = $7, owner = $8, note = $9,
        event_id = $10, order_id = $11
      WHERE id = $1
      """,
      letter.id, letter.state.rawValue, letter.stateSince, letter.edit?.value,
      letter.edit.map { HeaderList.encode($0.headers) }, letter.edit?.eventID, letter.edit?.at,
      letter.owner, letter.note, letter.eventID, letter.order)
  }

  public func fence(of key: OrderID) throws -> StandingFence? {
    try connection.execute(
      """
      SELECT state, attempts, next_attempt_at, reason, detail, first_failed, last_failed,
        dead_letter, lane,
        (SELECT count(*) FROM parked WHERE order_id = parked_key.key AND dead_letter IS NULL),
        is_last_try
      FROM parked_key WHERE key = $1
      """, key
    ).first.map { row in
      guard let state = ParkedKey.State(rawValue: try row.decode(0)) else {
        throw UnreadableRow(table: "parked_key", key: key.rawValue, problem: "unknown state")
      }
      return StandingFence(
        key: ParkedKey(
          key: key, state: state, attempts: Int(try row[1, as: Int32.self]),
          nextAttempt: try row.decode(2), reason: try row.decode(3), detail: try row.decode(4),
          firstFailed: try row.decode(5), lastFailed: try row.decode(6), behind: try row.decode(7),
          isLastTry: try row.decode(10)),
        lane: try row.decode(8), waiting: Int(try row[9, as: Int64.self]))
    }
  }

  public func fence(_ keys: [ParkedKey], lane: Int32) throws {
    try connection.fence(keys, lane: lane)
  }

  public func park(_ events: [ParkedEvent], lane: Int32) throws {
    try connection.park(events, lane: lane)
  }

  public func enter(_ id: UUID, lane: Int32) throws -> Bool {
    try !connection.execute(
      "INSERT INTO inbox (id, lane) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING RETURNING id", id,
      lane
    ).isEmpty
  }
}

extension Connection {
  /// As a step does when it checks its epoch, but without one.
  func lock(lane: Int32) throws -> Bool {
    try !execute("SELECT 1 FROM lane WHERE lane = $1 FOR NO KEY UPDATE", lane).isEmpty
  }
}
