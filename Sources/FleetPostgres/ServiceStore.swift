public import Contracts
public import Foundation
public import Postgres

/// A service's own tables: how the rows that a batch touches are read and written.
///
/// All methods run inside the step's transaction, on the connection's own thread, with
/// `search_path` set to the service's schema. Each issues a fixed number of set-based statements
/// however many orders there are.
public protocol ServiceStore<Rows>: Sendable {
  /// The rows that a batch touches, as the service's rules see them.
  associatedtype Rows: Sendable

  /// The files that make the service's own tables, in order. They are applied after
  /// ``CommonMigrations`` and numbered apart from them.
  static var migrations: [Migration] { get }

  /// Reads the rows that `events` and the orders named in `orders` (which include those of the
  /// events) may touch. Rows that other lanes write too are locked, in sorted order, so that no two
  /// steps wait for each other in a circle; rows of an order belong to its lane and need no lock.
  func load(
    _ events: [EventPayload], orders: [OrderID], at now: Date, on connection: Connection
  ) throws -> Rows

  /// Writes what the decider has changed. The statements may be put off
  /// (`Connection.executeLater`): then they are sent with the next one or with COMMIT, and throw
  /// there.
  func save(_ rows: Rows, lane: Int32, at now: Date, on connection: Connection) throws

  /// The rows of the service's own tables that handling `event` may change, by their present state:
  /// a rehearsal compares them before and after.
  func selection(
    by event: EventPayload, on connection: Connection
  ) throws -> [RowSelection]

  /// Whether the service has deadlines: then ``dueDeadlines(lane:at:limit:on:)`` is asked for them.
  var hasDeadlines: Bool { get }

  /// Orders of the lane whose deadline has passed by `now`, the longest overdue first.
  func dueDeadlines(
    lane: Int32, at now: Date, limit: Int, on connection: Connection
  ) throws -> [OrderID]
}

extension ServiceStore {
  /// Only orders has deadlines.
  public var hasDeadlines: Bool { false }

  public func dueDeadlines(
    lane: Int32, at now: Date, limit: Int, on connection: Connection
  ) throws -> [OrderID] { [] }
}

/// One numbered SQL file of a schema. It is never edited once it has been released; the checksum
/// in the database finds out.
public struct Migration: Sendable, Hashable {
  /// The place in its component's order; never given twice.
  public let number: Int
  /// What the file is for, in a word or two.
  public let name: String
  /// Any number of statements, run in one transaction with the schema as `search_path`.
  public let sql: String

  public init(number: Int, name: String, sql: String) {
    self.number = number
    self.name = name
    self.sql = sql
  }

  /// A migration from an embedded resource, named as its file: `0001_init.sql` is number 1, `init`.
  public init(file: String, bytes: [UInt8]) {
    let stem = file.split(separator: ".", maxSplits: 1)[0]
    let parts = stem.split(separator: "_", maxSplits: 1)
    guard parts.count == 2, let number = Int(parts[0]) else {
      preconditionFailure("migration \(file) is not named NUMBER_NAME.sql")
    }
    self.init(number: number, name: String(parts[1]), sql: String(decoding: bytes, as: UTF8.self))
  }
}
