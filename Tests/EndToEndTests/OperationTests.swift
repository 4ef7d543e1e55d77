import Contracts
import FleetProcesses
import Foundation
import Postgres
import Testing

extension EndToEnd {
  /// What an operator does with the fleet, and what it tells of itself.
  @Suite(.timeLimit(.minutes(10))) struct Operations {
    @Test func stoppingUnderLoadLosesNothing() async throws {
      try await Fleet.onMock { fleet, _ in
        let worker = try fleet.start(options: ["--shutdown-timeout", "20"])
        try await worker.ready()
        let orders = Orders(seed: 31, count: 1_500)
        try await orders.publish(on: fleet)
        try await eventually("some orders have ended") { try await orders.ended(on: fleet) > 0 }
        let listed = try await fleet.succeeding("get", "workers", "-o", "name")
        #expect(listed.output.contains(worker.name))
        #expect(await worker.stop() == 0)
        #expect(worker.log.last?.message == "worker stopped")
        try await orders.expectUnderWay(on: fleet)
        let after = try await fleet.succeeding("get", "workers", "-o", "name")
        #expect(!after.output.contains(worker.name))
        // What is done is committed: the next one has nothing twice.
        let successor = try fleet.start()
        try await successor.ready()
        try await fleet.quiet()
        try await orders.check(on: fleet)
        try await checkMetrics(successor)
        #expect(await successor.stop() == 0)
      }
    }

    private func checkMetrics(_ worker: Worker) async throws {
      let metrics = Metrics(text: try await worker.get("/metrics").body)
      #expect(metrics.unreadable.isEmpty)
      for service in ServiceName.allCases {
        let own = "service=\"\(service.rawValue)\""
        let lags = metrics.series.filter {
          $0.name == "orderly_consumer_lag" && $0.dimensions.contains(own)
        }
        #expect(
          lags.count == service.subscriptions.count * Int(Servers.partitions), "\(service)")
        #expect(lags.allSatisfy { $0.value == 0 }, "\(service)")
        #expect(try #require(metrics.sum("orderly_events_handled_total", [own])) > 0)
        #expect(try #require(metrics.sum("orderly_step_seconds_count", [own])) > 0)
        #expect(try #require(metrics.sum("orderly_step_seconds_sum", [own])) > 0)
        #expect(try #require(metrics.sum("orderly_step_events_sum", [own])) > 0)
        #expect(metrics.sum("orderly_outbox_depth", [own]) != nil)
        #expect(metrics.sum("orderly_outbox_age_seconds", [own]) != nil)
        #expect(metrics.sum("orderly_retries_total", [own]) != nil)
        #expect(metrics.sum("orderly_ready", [own]) == 1)
      }
      let types = metrics.series.filter { $0.name == "orderly_events_handled_total" }
        .flatMap(\.dimensions).filter { $0.hasPrefix("type=") }
      #expect(types.contains("type=\"fulfilment.shipped\""))
    }

    /// Nobody ships, and nobody takes money, until all orders are overdue.
    @Test func ordersThatTakeTooLongAreCancelled() async throws {
      try await Fleet.onMock { fleet, _ in
        for service in [ServiceName.orders, .inventory] {
          try await fleet.start(service, options: ["--order-deadline", "1"]).ready()
        }
        try await fleet.succeeding(
          "publish", "order.placed", "--count", "80", "--seed", "32")
        try await eventually("all orders are overdue") {
          try await fleet.count(status: "cancelling") == 80
        }
        try await fleet.quiet([.orders, .inventory])
        // Fulfilment first, so that no parcel leaves before it hears of the cancellation.
        try await fleet.start(.fulfilment).ready()
        try await fleet.quiet([.fulfilment])
        try await fleet.start(.payments).ready()
        try await fleet.quiet()
        #expect(try await fleet.count(status: "cancelled", reason: "timed-out") == 80)
        let audit = try await fleet.orderly(["audit"])
        #expect(audit.status == 0, "\(audit)")
        await fleet.stopAll()
      }
    }
  }
}

extension Fleet {
  fileprivate func count(status: String, reason: String = "timed-out") async throws -> Int64 {
    try await database.withConnection { connection in
      try connection.execute(
        "SELECT count(*) FROM orders.orders WHERE status = $1 AND reason = $2", status, reason
      ).scalar()
    }
  }
}
