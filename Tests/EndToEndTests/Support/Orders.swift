import Contracts
import Foundation
import Postgres
import Testing
import Workload

/// Orders with all kinds of outcomes, duplicates and poison, from a seed.
struct Orders: Sendable {
  /// So many as a test about throughput and loss takes.
  static let many =
    ProcessInfo.processInfo.environment["ORDERLY_E2E_ORDERS"].flatMap(Int.init) ?? 3_000

  let seed: UInt64
  let count: Int
  var rate: Int?

  private static let shares: [PlannedOutcome: Double] = [
    .declined: 0.06, .fraud: 0.02, .stockOut: 0.05, .undeliverable: 0.04, .lateCancel: 0.05,
    .flaky: 0.03, .poison: 0.03,
  ]

  private func file(_ fleet: Fleet) -> String {
    fleet.folder.appending(path: "expected-\(seed).jsonl").path
  }

  func publish(on fleet: Fleet) async throws {
    let outcomes = Self.shares.map { "\($0.key.rawValue)=\($0.value)" }.sorted()
      .joined(separator: ",")
    let arguments = [
      "publish", "order.placed", "--count", "\(count)", "--seed", "\(seed)", "--outcome", outcomes,
      "--duplicate", "0.05", "--expect", file(fleet),
    ]
    let outcome = try await fleet.orderly(arguments + (rate.map { ["--rate", "\($0)"] } ?? []))
    try #require(outcome.status == 0, "\(outcome.testDescription)")
  }

  /// Lets the audit judge, and compares the orders in the database with what the seed says here.
  func check(on fleet: Fleet) async throws {
    let audit = try await fleet.orderly(["audit", "--expect", file(fleet)])
    #expect(audit.status == 0, "\(audit.testDescription)")
    // What is in flight is not judged.
    #expect(!audit.output.contains("the system is at work"), "\(audit.output)")
    let found = try await states(on: fleet)
    let options = WorkloadOptions(
      seed: seed, count: count, shares: Self.shares, duplicateShare: 0.05, start: Date())
    var wrong: [String] = []
    var letters = 0
    for item in Workload(options) where !item.isDuplicate {
      switch item.expected {
      case .ends(let endings):
        // As the table has it: the state, and the reason if there is one.
        let allowed = endings.map { ending in
          switch ending {
          case .completed: "completed"
          case .cancelled(let reason): "cancelled \(reason.rawValue)"
          }
        }
        if !allowed.contains(found[item.order.rawValue] ?? "missing") {
          wrong.append(
            "\(item.order) is \(found[item.order.rawValue] ?? "missing"), not \(allowed)")
        }
      case .deadLetter(_, let services): letters += services.count
      }
    }
    #expect(wrong.isEmpty)
    #expect(try await Self.deadLetters(on: fleet) == letters)
  }

  /// The orders of the seed by their states and reasons.
  private func states(on fleet: Fleet) async throws -> [String: String] {
    let prefix = "s\(seed)-"
    return try await fleet.database.withConnection { connection in
      var states: [String: String] = [:]
      for row in try connection.execute(
        """
        SELECT order_id, concat_ws(' ', status, reason) FROM orders.orders
        WHERE starts_with(order_id, $1)
        """, prefix)
      {
        states[try row.decode(0, as: String.self)] = try row.decode(1, as: String.self)
      }
      return states
    }
  }

  /// How many orders of the seed have ended.
  func ended(on fleet: Fleet) async throws -> Int {
    try await states(on: fleet).values.count {
      $0.hasPrefix("completed") || $0.hasPrefix("cancelled")
    }
  }

  /// What has just been done to the fleet was done in the midst of its work, as the test means it.
  func expectUnderWay(on fleet: Fleet) async throws {
    let ended = try await ended(on: fleet)
    // Poison never becomes an order.
    #expect(ended < count * 9 / 10, "nothing was left to be disturbed; publish more orders")
  }

  static func deadLetters(on fleet: Fleet) async throws -> Int {
    var count = 0
    for service in ServiceName.allCases {
      count += Int(
        try await fleet.scalar(
          "SELECT count(*) FROM \(service.rawValue).dead_letter", as: Int64.self))
    }
    return count
  }
}
