import Arguments
import Contracts
import Fleet
import Foundation
import JSONSchema
import Postgres

struct GetSagas: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sagas",
    abstract: "List the orders that are under way, the oldest first: what each waits for.",
    discussion: """
      With --stuck only those that need a look: parked somewhere behind an event that failed, \
      without an answer to a call that has failed or was given up on, or still under way five \
      minutes after their deadline.
      """,
    examples: [
      "orderly get sagas", "orderly get sagas --stuck -o wide", "orderly get sagas --stuck -w",
    ]
  )

  @Flag(help: "Only those that are parked, unanswered, or far past their deadline.")
  var stuck = false

  @Option(help: "How many at most.")
  var limit: Int = 50

  @OptionGroup var list: ListOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func validate() throws {
    guard (1...100_000).contains(limit) else {
      throw ValidationError("--limit must be from 1 to 100000.")
    }
  }

  func run() async throws {
    try await list.show(stuck ? "stuck sagas" : "sagas under way") {
      let rows = try await SagaRow.open(onlyStuck: stuck, limit: limit + 1, global)
      var table = SagaRow.table(Array(rows.prefix(limit)), at: Date())
      if rows.count > limit {
        table.notices.append("Only the oldest \(limit) are shown; see the others with --limit.")
      }
      return table
    }
  }
}

/// An order that is under way, and what keeps it.
struct SagaRow: Sendable {
  let standing: SagaStanding
  /// When orders first heard of it, or else when it was parked.
  let began: Date
  let parked: [ParkedKeyRow]
  let deadEffects: [DeadEffect]
  /// Calls that have failed and are made again.
  let failing: [EffectRow]

  /// How many parked orders, dead effects and failing calls of each service are looked at.
  private static let mostParked = 10_000

  /// Those that have not ended, the oldest first.
  static func open(
    onlyStuck: Bool, limit: Int, _ global: GlobalOptions
  ) async throws -> [SagaRow] {
    var parked: [String: [ParkedKeyRow]] = [:]
    var effects: [String: [DeadEffect]] = [:]
    var failing: [String: [EffectRow]] = [:]
    for service in ServiceName.allCases {
      let (keys, dead, calls) = try await global.read(service) { connection in
        (
          try ParkedKeyRow.all(of: service, state: nil, limit: mostParked, on: connection),
          try DeadEffect.all(of: service, limit: mostParked, on: connection),
          try EffectRow.failing(of: service, limit: mostParked, on: connection)
        )
      }
      for key in keys { parked[key.order, default: []].append(key) }
      for effect in dead { effects[effect.order, default: []].append(effect) }
      for call in calls { failing[call.order, default: []].append(call) }
    }
    let held = Array(Set(parked.keys).union(effects.keys).union(failing.keys))
    var (standings, began) = try await global.read(.orders, takesLong: true) { connection in
      try openOrders(onlyStuck ? held : nil, limit: limit, on: connection)
    }
    // Orders that orders has not heard of: their order.placed is what is parked.
    for (order, keys) in parked where standings[order] == nil {
      guard keys.contains(where: { $0.service == .orders }) else { continue }
      standings[order] = SagaStanding(order: order)
      began[order] = keys.map(\.firstFailed).min()
    }
    let ids = Array(standings.keys)
    for service in ServiceName.allCases where service != .orders {
      let parts = try await global.read(service) { try statuses(ids, in: service, on: $0) }
      for (order, part) in parts { standings[order]?.parts[service] = part }
    }
    return standings.values.map { standing in
      SagaRow(
        standing: standing, began: began[standing.order] ?? .distantPast,
        parked: parked[standing.order] ?? [], deadEffects: effects[standing.order] ?? [],
        failing: failing[standing.order] ?? [])
    }.sorted { ($0.began, $0.standing.order) < ($1.began, $1.standing.order) }
      .prefix(limit).map { $0 }
  }

  /// - Parameter held: the orders that have stopped somewhere, of which the open ones are taken
  ///   beside those that are overdue; nil for all open orders.
  private static func openOrders(
    _ held: [String]?, limit: Int, on connection: Connection
  ) throws -> (standings: [String: SagaStanding], began: [String: Date]) {
    var standings: [String: SagaStanding] = [:]
    var began: [String: Date] = [:]
    for row in try connection.execute(
      """
      SELECT order_id, status, reason, updated_at, deadline_at, created_at FROM orders
      WHERE closed_at IS NULL AND ($1::text[] IS NULL OR order_id = ANY($1)
        OR deadline_at < now() - make_interval(secs => $2))
      ORDER BY created_at, order_id LIMIT $3
      """, held, FlowPromise.slack, Int64(limit))
    {
      let id: String = try row.decode(0)
      var standing = SagaStanding(order: id)
      standing.parts[.orders] = SagaStanding.Part(
        status: try row.decode(1), reason: try row.decode(2), since: try row.decode(3))
      standing.deadline = try row.decode(4)
      standings[id] = standing
      began[id] = try row.decode(5)
    }
    return (standings, began)
  }

  private static func statuses(
    _ orders: [String], in service: ServiceName, on connection: Connection
  ) throws -> [(String, SagaStanding.Part)] {
    try connection.execute(
      """
      SELECT order_id, status, reason, updated_at FROM \(OrderStates.table(of: service))
      WHERE order_id = ANY($1)
      """, orders
    ).map { row in
      (
        try row.decode(0),
        SagaStanding.Part(
          status: try row.decode(1), reason: try row.decode(2), since: try row.decode(3))
      )
    }
  }

  /// What keeps it, in a few words.
  private func keptBy(_ now: Date) -> String {
    var words = parked.map { key in
      "\(key.state == .dead ? "dead letter" : "parked") in "
        + "\(key.service.rawValue) (\(key.reason)), \(key.events) held"
    }
    words += deadEffects.map {
      "\($0.service.rawValue) has given up on \($0.kind) (\($0.reason))"
    }
    words += failing.compactMap { call in
      call.failure.map {
        "\(call.kind) has failed \(counted($0.attempts, "time")) (\($0.reason)), next try "
          + call.next(at: now)
      }
    }
    if standing.isOverdue(at: now) { words.append("overdue") }
    return words.isEmpty ? "-" : words.joined(separator: "; ")
  }

  static func table(_ rows: [SagaRow], at now: Date) -> ResultTable {
    ResultTable(
      [
        .init("order"), .init("status"), .init("awaits"), .init("since"), .init("kept by"),
        .init("age"), .init("deadline", wide: true), .init("inventory", wide: true),
        .init("payments", wide: true), .init("fulfilment", wide: true),
      ],
      rows: rows.map { row in
        let standing = row.standing
        let awaited = standing.awaited
        return ResultTable.Row(
          name: "saga/\(standing.order)",
          cells: [
            standing.order, standing.status(in: .orders) ?? OrderStates.unheardOf,
            awaited?.text ?? "-", age(of: awaited?.since, at: now), row.keptBy(now),
            age(of: row.began, at: now), standing.deadline.map(Timestamp.format) ?? "-",
            standing.status(in: .inventory) ?? "-", standing.status(in: .payments) ?? "-",
            standing.status(in: .fulfilment) ?? "-",
          ],
          object: [
            ("order", .string(standing.order)), ("status", .text(standing.status(in: .orders))),
            ("awaitsService", .text(awaited?.service.rawValue)),
            ("awaits", .text(awaited?.what)), ("since", .time(awaited?.since)),
            ("began", .time(row.began)), ("deadline", .time(standing.deadline)),
            ("isOverdue", .bool(standing.isOverdue(at: now))),
            ("parked", .array(row.parked.map { JSONValue(members: $0.object) })),
            (
              "deadEffects",
              .array(
                row.deadEffects.map {
                  [
                    "service": .string($0.service.rawValue), "kind": .string($0.kind),
                    "reason": .string($0.reason),
                  ]
                })
            ),
            (
              "failingCalls",
              .array(row.failing.map { JSONValue(members: $0.object) })
            ),
          ])
      })
  }
}
