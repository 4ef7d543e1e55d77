import Contracts
import Kafka
import Postgres
import Settings

/// How far a development has come with its orders.
struct DevelopmentStanding: Sendable {
  /// Orders that are completed or cancelled.
  private(set) var ended = 0
  /// Dead letters of all services.
  private(set) var dead = 0
  /// Events taken in, once for each service.
  private(set) var handled = 0
  /// Rows of all outboxes.
  private(set) var outbox = 0
  /// A cancelled order.
  private(set) var example: String?
  private(set) var outcomes = ResultTable([
    .init("outcome"), .init("reason"), .init("orders", number: true),
  ])
  /// Records that groups have not committed.
  private(set) var lag: Int64 = 0

  /// What is still to be done until everything is at rest; empty when it is. What waits behind a
  /// dead letter is at rest.
  func missing(_ expected: Expectations) -> [String] {
    var missing: [String] = []
    let orders = expected.orders.count
    if ended < orders { missing.append("\(orders - ended) orders not ended") }
    if dead < expected.deadLetters {
      missing.append("\(expected.deadLetters - dead) dead letters to come")
    }
    if outbox > 0 { missing.append("\(outbox) outbox rows to publish") }
    if lag > 0 { missing.append("a lag of \(lag) records") }
    return missing
  }

  /// Looks at the groups and the databases.
  static func read(
    _ database: ConnectionConfiguration, _ admin: Admin
  ) async throws -> DevelopmentStanding {
    // The offsets first: what is committed is in the databases, and what it has caused is in the
    // outboxes or on the topics.
    let lag = try await GroupReader(admin: admin)
      .read(ServiceName.allCases, workers: { [] }).groups.reduce(0) { $0 + $1.lag }
    var standing = try await withConnection(database) { try DevelopmentStanding($0) }
    standing.lag = lag
    return standing
  }

  private init(_ connection: Connection) throws {
    for row in try connection.execute(
      """
      SELECT status, coalesce(reason, ''), count(*), min(order_id) FROM orders.orders
      GROUP BY 1, 2 ORDER BY 1 DESC, 3 DESC
      """)
    {
      let status: String = try row.decode(0)
      let reason: String = try row.decode(1)
      let count = Int(try row[2, as: Int64.self])
      if ["completed", "cancelled"].contains(status) { ended += count }
      if status == "cancelled" { example = try row.decode(3) }
      outcomes.rows.append(
        ResultTable.Row(name: status, cells: [status, reason, "\(count)"], object: []))
    }
    for service in ServiceName.allCases {
      let row = try connection.execute(
        """
        SELECT (SELECT count(*) FROM \(service.rawValue).inbox),
          (SELECT count(*) FROM \(service.rawValue).dead_letter),
          (SELECT count(*) FROM \(service.rawValue).outbox)
        """)[0]
      handled += Int(try row[0, as: Int64.self])
      dead += Int(try row[1, as: Int64.self])
      outbox += Int(try row[2, as: Int64.self])
    }
  }
}
