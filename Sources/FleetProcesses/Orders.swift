import Contracts
import Foundation
import Postgres
package import Workload

/// Orders with all kinds of outcomes, duplicates and poison, from a seed.
package struct Orders: Sendable {
  /// Decides on everything, the ids of the orders and of their events included: publishing it again
  /// publishes events of the same ids.
  package let seed: UInt64
  /// Of orders, poison included; duplicates and cancellations come on top.
  package let count: Int
  /// Records a second; nil for as many as can be.
  package let rate: Int?

  package init(seed: UInt64, count: Int, rate: Int? = nil) {
    self.seed = seed
    self.count = count
    self.rate = rate
  }

  /// The share of each outcome, 0 to 1; the rest completes.
  package static let shares: [PlannedOutcome: Double] = [
    .declined: 0.06, .fraud: 0.02, .stockOut: 0.05, .undeliverable: 0.04, .lateCancel: 0.05,
    .flaky: 0.03, .poison: 0.03,
  ]

  /// What must become of them, in the fleet's folder, once they are published.
  package func expectations(_ fleet: Fleet) -> String {
    fleet.folder.appending(path: "expected-\(seed).jsonl").path
  }

  /// Publishes them with `orderly publish`, which writes down what must become of them.
  ///
  /// - Throws: ``NotReached`` when it fails. Some may be on the topics then, which is no reason not
  ///   to publish them all again.
  package func publish(on fleet: Fleet) async throws {
    let outcomes = Self.shares.map { "\($0.key.rawValue)=\($0.value)" }.sorted()
      .joined(separator: ",")
    let arguments = [
      "publish", "order.placed", "--count", "\(count)", "--seed", "\(seed)", "--outcome", outcomes,
      "--duplicate", "0.05", "--expect", expectations(fleet),
    ]
    let outcome = try await fleet.orderly(arguments + (rate.map { ["--rate", "\($0)"] } ?? []))
    try require(outcome.status == 0, "orderly publish: \(outcome)")
  }

  /// Compares the orders in the database with what the seed says here.
  ///
  /// - Returns: a line for each order that has ended otherwise.
  package func wrongEnds(on fleet: Fleet) async throws -> [String] {
    let found = try await states(on: fleet)
    return items.compactMap { item in
      guard case .ends(let endings) = item.expected else { return nil }
      // As the table has it: the state, and the reason if there is one.
      let allowed = endings.map { ending in
        switch ending {
        case .completed: "completed"
        case .cancelled(let reason): "cancelled \(reason.rawValue)"
        }
      }
      let end = found[item.order.rawValue] ?? "missing"
      return allowed.contains(end) ? nil : "\(item.order) is \(end), not \(allowed)"
    }
  }

  /// How many dead letters they must leave.
  package var deadLetters: Int {
    items.reduce(0) { sum, item in
      if case .deadLetter(_, let services) = item.expected { sum + services.count } else { sum }
    }
  }

  private var items: [WorkloadItem] {
    let options = WorkloadOptions(
      seed: seed, count: count, shares: Self.shares, duplicateShare: 0.05, start: Date())
    return Workload(options).filter { !$0.isDuplicate }
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
  package func ended(on fleet: Fleet) async throws -> Int {
    try await states(on: fleet).values.count {
      $0.hasPrefix("completed") || $0.hasPrefix("cancelled")
    }
  }
}
