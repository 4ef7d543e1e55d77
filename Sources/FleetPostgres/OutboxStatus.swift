public import Foundation
public import Postgres

/// What waits in a service's outbox.
public struct OutboxStatus: Sendable, Hashable {
  public let rows: Int64
  /// When the oldest of them was committed; nil when there is none.
  public let oldest: Date?

  /// - Parameter connection: one whose `search_path` is the service's schema.
  public static func read(_ connection: Connection) throws -> OutboxStatus {
    let rows = try connection.execute("SELECT count(*), min(created_at) FROM outbox")
    return OutboxStatus(rows: try rows[0].decode(0), oldest: try rows[0].decode(1))
  }
}
