import Arguments
import Contracts
import Foundation
import JSONSchema
import Postgres

struct GetPlans: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plans",
    abstract: "List the plans by which dead letters are replayed, the newest first.",
    discussion: """
      'orderly dlq plan' makes them, 'orderly dlq apply' carries them out. Of each is shown what \
      was selected, and how many of its letters are planned, replaying, resolved, failed or refused.
      """,
    examples: ["orderly get plans", "orderly get plans --limit 1 -o name"])

  @Option(help: "How many at most.")
  var limit: Int = 50

  @OptionGroup var list: ListOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func validate() throws {
    guard (1...1_000_000).contains(limit) else {
      throw ValidationError("--limit must be from 1 to 1000000.")
    }
  }

  func run() async throws {
    try await list.show("plans") {
      let plans = try await global.withOperatorTables { [limit] connection in
        try ReplayPlanRow.newest(limit + 1, on: connection)
      }
      var table = ReplayPlanRow.table(Array(plans.prefix(limit)))
      if plans.count > limit {
        table.notices.append("Only the newest \(limit) are shown; see the others with --limit.")
      }
      return table
    }
  }
}

/// A plan without its items.
struct ReplayPlanRow: Sendable {
  let id: UUID
  let createdAt: Date
  let createdBy: String
  /// The filters, for people.
  let selection: String
  /// How many items are in each state, as ``ReplayPlan/Item/State`` has them.
  let items: [Int64]

  static func newest(_ limit: Int, on connection: Connection) throws -> [ReplayPlanRow] {
    let counts = ReplayPlan.Item.State.allCases
      .map { "count(*) FILTER (WHERE item.state = '\($0.rawValue)')" }.joined(separator: ", ")
    return try connection.execute(
      """
      SELECT plan.id, plan.created_at, plan.created_by, plan.selection, \(counts)
      FROM (
        SELECT id, created_at, created_by, selection FROM fleet.replay_plan
        ORDER BY created_at DESC, id LIMIT $1
      ) AS plan LEFT JOIN fleet.replay_plan_item AS item ON item.plan_id = plan.id
      GROUP BY plan.id, plan.created_at, plan.created_by, plan.selection
      ORDER BY plan.created_at DESC, plan.id
      """, Int64(limit)
    ).map { row in
      ReplayPlanRow(
        id: try row.decode(0), createdAt: try row.decode(1), createdBy: try row.decode(2),
        selection: try row.decode(3),
        items: try ReplayPlan.Item.State.allCases.indices.map { state in
          try row[4 + state, as: Int64.self]
        })
    }
  }

  /// The states of its items, with how many are in each.
  private var counts: [(state: String, count: Int64)] {
    zip(ReplayPlan.Item.State.allCases, items).map { ($0.rawValue, $1) }
  }

  static func table(_ plans: [ReplayPlanRow]) -> ResultTable {
    ResultTable(
      [.init("id"), .init("created"), .init("by"), .init("items"), .init("selection")],
      rows: plans.map { plan in
        let items = plan.counts.filter { $0.count > 0 }.map { "\($0.count) \($0.state)" }
        return ResultTable.Row(
          name: "plan/\(plan.id.lowercaseText)",
          cells: [
            plan.id.shortText, Timestamp.format(plan.createdAt),
            plan.createdBy, items.isEmpty ? "-" : items.joined(separator: ", "), plan.selection,
          ],
          object: plan.object)
      })
  }

  private var object: [(key: String, value: JSONValue)] {
    let items = counts.map { ($0.state, JSONValue.integer($0.count)) }
    return [
      ("id", .string(id.lowercaseText)), ("createdAt", .time(createdAt)),
      ("createdBy", .string(createdBy)), ("selection", .string(selection)),
      ("items", .object(Dictionary(items) { _, last in last })),
    ]
  }
}
