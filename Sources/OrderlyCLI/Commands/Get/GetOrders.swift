import Arguments
import Contracts
import Foundation
import JSONSchema
import Postgres

struct GetOrders: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "orders", abstract: "List orders, the newest first.",
    examples: [
      "orderly get orders",
      "orderly get orders --status placed --status cancelling --since 15m",
      "# Watch the newest ten\norderly get orders --limit 10 -w",
      "# All ids of cancelled orders\norderly get orders --status cancelled --limit 100000 -o name",
    ])

  enum Status: String, CaseIterable, ExpressibleByArgument {
    case placed, cancelling, completed, cancelled
    case cancelEarly = "cancel-early"
    case shippedEarly = "shipped-early"
    case unfulfilledEarly = "unfulfilled-early"
  }

  @Option(
    help: ArgumentHelp(
      "Only orders of this status; may be repeated.",
      discussion: "Those that end in -early are orders of which order.placed has not come yet."))
  var status: [Status] = []

  @Option(help: "How many at most.")
  var limit: Int = 50

  @Option(
    help: ArgumentHelp("Only orders that came since then: 15m, 2h, a time.", valueName: "time"))
  var since: Since?

  @OptionGroup var list: ListOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func validate() throws {
    guard (1...1_000_000).contains(limit) else {
      throw ValidationError("--limit must be from 1 to 1000000.")
    }
  }

  func run() async throws {
    try await list.show("orders") {
      let rows = try await global.read(.orders) { [limit, status, since] connection in
        try OrderRow.newest(
          limit + 1, status: status.map(\.rawValue), since: since?.date, on: connection)
      }
      var table = OrderRow.table(Array(rows.prefix(limit)), at: Date())
      if rows.count > limit {
        table.notices.append("Only the newest \(limit) are shown; see the others with --limit.")
      }
      return table
    }
  }
}

/// An order as orders has it.
struct OrderRow: Sendable {
  let id: String
  let status: String
  let reason: String?
  /// NULL until order.placed has come; so are the next two.
  let customer: String?
  let total: Money?
  let placedAt: Date?
  let deadlineAt: Date?
  /// When orders first heard of it.
  let createdAt: Date
  let updatedAt: Date
  let closedAt: Date?
  let lane: Int32

  static let columns = """
    order_id, status, reason, customer_id, currency, total, placed_at, deadline_at, created_at,
    updated_at, closed_at, lane
    """

  init(_ row: Row) throws {
    id = try row.decode(0)
    status = try row.decode(1)
    reason = try row.decode(2)
    customer = try row.decode(3)
    if let currency = try row[4, as: String?.self], let amount = try row[5, as: Int64?.self] {
      total = Money(amount: amount, currency: currency)
    } else {
      total = nil
    }
    placedAt = try row.decode(6)
    deadlineAt = try row.decode(7)
    createdAt = try row.decode(8)
    updatedAt = try row.decode(9)
    closedAt = try row.decode(10)
    lane = try row.decode(11)
  }

  static func newest(
    _ limit: Int, status: [String], since: Date?, on connection: Connection
  ) throws -> [OrderRow] {
    try connection.execute(
      """
      SELECT \(columns) FROM orders
      WHERE ($1::text[] IS NULL OR status = ANY($1)) AND ($2::timestamptz IS NULL OR created_at >= $2)
      ORDER BY created_at DESC, order_id LIMIT $3
      """, status.isEmpty ? nil : status, since, Int64(limit)
    ).map { try OrderRow($0) }
  }

  static func table(_ rows: [OrderRow], at now: Date) -> ResultTable {
    ResultTable(
      [
        .init("id"), .init("status"), .init("reason"), .init("total", number: true),
        .init("customer"), .init("placed"), .init("age"), .init("closed", wide: true),
        .init("deadline", wide: true), .init("lane", wide: true, number: true),
      ],
      rows: rows.map { order in
        ResultTable.Row(
          name: "order/\(order.id)",
          cells: [
            order.id, order.status, order.reason ?? "-", order.total?.description ?? "-",
            order.customer ?? "-", order.placedAt.map(Timestamp.format) ?? "-",
            age(of: order.createdAt, at: now), order.closedAt.map(Timestamp.format) ?? "-",
            order.deadlineAt.map(Timestamp.format) ?? "-", "\(order.lane)",
          ],
          object: order.object)
      })
  }

  var object: [(key: String, value: JSONValue)] {
    [
      ("id", .string(id)), ("status", .string(status)), ("reason", .text(reason)),
      ("customer", .text(customer)), ("currency", .text(total?.currency)),
      // Minor units, as in the events.
      ("total", total.map { .integer($0.amount) } ?? .null),
      ("placedAt", .time(placedAt)), ("deadlineAt", .time(deadlineAt)),
      ("createdAt", .time(createdAt)), ("updatedAt", .time(updatedAt)),
      ("closedAt", .time(closedAt)), ("lane", .integer(Int64(lane))),
    ]
  }
}
