import Contracts
import Fleet
import FleetPostgres
import Foundation
import Postgres
import Telemetry

/// The metrics of the worker for those who scrape it.
enum WorkerMetrics {
  static func describe(_ registry: PrometheusRegistry) {
    let texts = [
      "orderly_events_handled": "Events handled, by type.",
      "orderly_events_duplicate": "Events that the inbox already had.",
      "orderly_messages_passed_over": "Messages of types that the service does not act on.",
      "orderly_dead_letters": "Messages dead-lettered, by reason.",
      "orderly_dead_letter_replays": "Replays of dead letters that have ended, by outcome.",
      "orderly_retries": "Steps, takeovers and publications that had to be tried again.",
      "orderly_outbox_rows": "Rows written to the outbox.",
      "orderly_outbox_depth": "Rows waiting in the outbox.",
      "orderly_outbox_age_seconds": "Age of the oldest row waiting in the outbox.",
      "orderly_parked_keys":
        "Orders that wait behind an event that failed, by state: tried again, or dead-lettered.",
      "orderly_parked_events": "Events that wait in the queues of parked orders.",
      "orderly_effects":
        "Calls to providers that are to be made, or were given up on and not discarded, by state.",
      "orderly_effect_calls": "Calls that were made, by result.",
      "orderly_effect_seconds": "Duration of a call.",
      "orderly_effect_circuit": "0: the provider is called, 1: it is tried, 2: it is left alone.",
      "orderly_consumer_lag": "Records of a partition that have not been read yet.",
      "orderly_step_seconds": "Duration of a step, from BEGIN to COMMIT.",
      "orderly_step_events": "Events in a step.",
      "orderly_ready": "Whether the service does its work, 0 or 1.",
    ]
    for (label, help) in texts {
      let isEvents = label == "orderly_step_events"
      registry.describe(
        label, help: help, buckets: isEvents ? [1, 3, 10, 30, 100, 300, 1_000] : nil)
    }
  }
}

/// Looks into the outboxes and at what is parked now and then, because these are facts of the
/// database and not of any one lane.
struct DatabaseMetrics: Sendable {
  private struct Gauges: Sendable {
    let service: AssembledService
    let depth: Gauge
    let age: Gauge
    let waitingKeys: Gauge
    let deadKeys: Gauge
    let parkedEvents: Gauge
    let pendingEffects: Gauge
    let deadEffects: Gauge
    let ready: Gauge

    /// - Parameter backlog: nil where it can't be known. The last one that was would hide that.
    func record(_ backlog: Backlog?) {
      let counts: [(Gauge, KeyPath<Backlog, Int64>)] = [
        (depth, \.outboxRows), (waitingKeys, \.waitingKeys), (deadKeys, \.deadKeys),
        (parkedEvents, \.parkedEvents), (pendingEffects, \.pendingEffects),
        (deadEffects, \.deadEffects),
      ]
      for (gauge, count) in counts {
        gauge.record(backlog.map { Double($0[keyPath: count]) } ?? .nan)
      }
      age.record(
        backlog.map { $0.oldestOutboxRow.map { Date().timeIntervalSince($0) } ?? 0 } ?? .nan)
    }
  }

  private let gauges: [Gauges]

  init(services: [AssembledService], factory: any MetricsFactory = MetricsSystem.factory) {
    gauges = services.map { service in
      func gauge(_ label: String, state: String? = nil) -> Gauge {
        let dimensions = [("service", service.service.rawValue)]
        return Gauge(
          label: label, dimensions: dimensions + (state.map { [("state", $0)] } ?? []),
          factory: factory)
      }
      return Gauges(
        service: service, depth: gauge("orderly_outbox_depth"),
        age: gauge("orderly_outbox_age_seconds"),
        waitingKeys: gauge("orderly_parked_keys", state: "waiting"),
        deadKeys: gauge("orderly_parked_keys", state: "dead"),
        parkedEvents: gauge("orderly_parked_events"),
        pendingEffects: gauge("orderly_effects", state: "pending"),
        deadEffects: gauge("orderly_effects", state: "dead"), ready: gauge("orderly_ready"))
    }
  }

  /// Until it is cancelled. Apart from the databases, which may take long to answer just when the
  /// service is not ready.
  func keepReadiness() async {
    while !Task.isCancelled {
      for gauge in gauges {
        gauge.ready.record(gauge.service.health.problems.isEmpty ? 1 : 0)
      }
      try? await Task.sleep(for: .seconds(1))
    }
  }

  /// Until it is cancelled. Each service by itself: a database that does not answer holds up none
  /// of the others.
  func keep() async {
    await withDiscardingTaskGroup { group in
      for gauges in gauges { group.addTask { await keep(gauges) } }
    }
  }

  private func keep(_ gauges: Gauges) async {
    while !Task.isCancelled {
      // Down or not migrated: the lanes report it.
      gauges.record(try? await gauges.service.pool.withConnection { try Backlog.read($0) })
      try? await Task.sleep(for: .seconds(5))
    }
  }
}
