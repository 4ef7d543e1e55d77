public import Contracts
public import Foundation
public import Postgres

/// Something that an operator has done, or has begun to do.
public struct OperatorAction: Sendable, Hashable {
  /// What it is done to.
  public struct Target: Sendable, Hashable {
    /// In words: `plan 3f2a91c0`, `group payments`.
    public var text: String
    /// The services, orders and dead letters among that, so that each has its history.
    public var services: [ServiceName]
    public var orders: [String]
    public var letters: [UUID]

    public init(
      _ text: String, services: [ServiceName] = [], orders: [String] = [], letters: [UUID] = []
    ) {
      self.text = text
      self.services = services
      self.orders = orders
      self.letters = letters
    }
  }

  /// How it has ended.
  public enum Outcome: String, Sendable, CaseIterable {
    /// Not yet; or the command was cut off, and nobody knows how much of it was done.
    case started
    /// All of it was done.
    case done
    /// Some of it was done and some was not: ``OperatorAction/detail`` says what.
    case partlyDone = "partly-done"
    /// It has ended in an error, which ``OperatorAction/detail`` is.
    case failed
    /// By a guard that found out only while it was acting.
    case refused
  }

  /// Counts up in the order in which actions begin.
  public let id: Int64
  /// By the database's clock, as `endedAt`.
  public let at: Date
  /// `user@host`, or what ORDERLY_OPERATOR says.
  public let who: String
  /// As it is typed, without its options: `dlq apply`.
  public let command: String
  /// As ``Target/text``.
  public let target: String
  /// In the operator's words.
  public let reason: String
  public let outcome: Outcome
  /// What has come of it, in words.
  public let detail: String?
  /// nil until it has ended.
  public let endedAt: Date?
}

/// What operators have done, in the table `fleet.operator_action`: each action is entered before it
/// begins, so that none is without a trace, and completed after it.
public struct OperatorLog: Sendable {
  private let pool: Pool

  /// - Parameter pool: connections as ``SchemaDefinition/operatorRole``.
  public init(pool: Pool) {
    self.pool = pool
  }

  /// Enters an action that is about to begin.
  ///
  /// - Parameter reason: not empty.
  /// - Returns: its number.
  /// - Throws: `PostgresError`; the action must not begin then.
  public func begin(
    _ command: String, on target: OperatorAction.Target, by who: String, reason: String
  ) async throws -> Int64 {
    try await pool.withConnection { connection in
      try connection.execute(
        """
        INSERT INTO fleet.operator_action (who, command, target, services, orders, letters, reason)
        VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id
        """, who, command, target.text, target.services.map(\.rawValue), target.orders,
        target.letters, reason
      ).scalar()
    }
  }

  /// Enters how an action has ended.
  ///
  /// - Throws: `PostgresError`; the action stays as started then.
  public func end(
    _ id: Int64, _ outcome: OperatorAction.Outcome, detail: String
  ) async throws {
    try await pool.withConnection { connection in
      _ = try connection.execute(
        """
        UPDATE fleet.operator_action SET outcome = $2, detail = $3, ended_at = clock_timestamp()
        WHERE id = $1
        """, id, outcome.rawValue, detail.replacing("\0", with: "\u{FFFD}"))
    }
  }

  /// What has been done to an order, or to a dead letter; the oldest first.
  ///
  /// - Parameters:
  ///   - letter: nil for all of the order's.
  ///   - connection: one that may read the table, whatever its search path.
  /// - Throws: `PostgresError`.
  public static func actions(
    order: String?, letter: UUID? = nil, on connection: Connection
  ) throws -> [OperatorAction] {
    try connection.execute(
      """
      SELECT \(OperatorAction.columns) FROM fleet.operator_action
      WHERE orders @> ARRAY[$1::text COLLATE "C"] OR letters @> ARRAY[$2::uuid]
      ORDER BY id
      """, order, letter
    ).map { try OperatorAction($0) }
  }

  /// What has been done to anything, the newest first.
  ///
  /// - Parameters:
  ///   - limit: how many at most.
  ///   - since: nil for whenever.
  ///   - connection: one that may read the table, whatever its search path.
  /// - Throws: `PostgresError`.
  public static func newest(
    _ limit: Int, since: Date?, on connection: Connection
  ) throws -> [OperatorAction] {
    try connection.execute(
      """
      SELECT \(OperatorAction.columns) FROM fleet.operator_action
      WHERE $1::timestamptz IS NULL OR at >= $1 ORDER BY id DESC LIMIT $2
      """, since, Int64(limit)
    ).map { try OperatorAction($0) }
  }
}

extension OperatorAction {
  fileprivate static let columns =
    "id, at, who, command, target, reason, outcome, detail, ended_at"

  /// Reads ``columns``.
  fileprivate init(_ row: Row) throws {
    id = try row.decode(0)
    at = try row.decode(1)
    who = try row.decode(2)
    command = try row.decode(3)
    target = try row.decode(4)
    reason = try row.decode(5)
    outcome = Outcome(rawValue: try row.decode(6)) ?? .started
    detail = try row.decode(7)
    endedAt = try row.decode(8)
  }
}
