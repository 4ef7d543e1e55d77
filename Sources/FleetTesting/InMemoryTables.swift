public import Contracts
public import Fleet
public import Foundation

/// A service's own tables as a value: what ``InMemoryLaneStore`` copies for a transaction and keeps
/// when it commits. The counterpart of FleetPostgres's `ServiceStore`.
public protocol InMemoryTables<Rows>: Sendable {
  associatedtype Rows: Sendable

  /// Whether steps of several lanes read and write the same rows, and so lock each other out.
  static var lanesShareRows: Bool { get }

  /// Reads the rows that the events and orders may touch.
  func load(_ events: [EventPayload], orders: [OrderID], at now: Date) throws -> Rows
  /// Writes what the decider has changed. Throws a `StoreError` for what a database would refuse.
  mutating func save(_ rows: Rows, lane: Int32, at now: Date) throws
  /// Orders of the lane whose deadline has passed by `now`, the longest overdue first.
  func dueDeadlines(lane: Int32, at now: Date, limit: Int) -> [OrderID]
  /// The rows of an order, as text, for a rehearsal to compare.
  func rows(of order: OrderID) -> [RowName: String]
}

extension InMemoryTables {
  /// Only inventory's articles are shared.
  public static var lanesShareRows: Bool { false }

  /// Only orders has deadlines.
  public func dueDeadlines(lane: Int32, at now: Date, limit: Int) -> [OrderID] { [] }
}
