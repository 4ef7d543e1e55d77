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
  }

  private let gauges: [Gauges]

  init(services: [AssembledService]) {
    gauges = services.map { service in
      let dimensions = [("service", service.service.rawValue)]
      return Gauges(
        service: service, depth: Gauge(label: "orderly_outbox_depth", dimensions: dimensions),
        age: Gauge(label: "orderly_outbox_age_seconds", dimensions: dimensions),
        waitingKeys: Gauge(
          label: "orderly_parked_keys", dimensions: dimensions + [("state", "waiting")]),
        deadKeys: Gauge(
          label: "orderly_parked_keys", dimensions: dimensions + [("state", "dead")]),
        parkedEvents: Gauge(label: "orderly_parked_events", dimensions: dimensions),
        pendingEffects: Gauge(
          label: "orderly_effects", dimensions: dimensions + [("state", "pending")]),
        deadEffects: Gauge(label: "orderly_effects", dimensions: dimensions + [("state", "dead")]),
        ready: Gauge(label: "orderly_ready", dimensions: dimensions))
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

  /// Until it is cancelled.
  func keep() async {
    while !Task.isCancelled {
      for gauge in gauges {
        // Down or not migrated: the lanes report it.
        guard
          let (outbox, parked, effects) = try? await gauge.service.pool.withConnection({
            (try OutboxStatus.read($0), try ParkedStatus.read($0), try EffectStatus.read($0))
          })
        else { continue }
        gauge.depth.record(outbox.rows)
        gauge.age.record(outbox.oldest.map { Date().timeIntervalSince($0) } ?? 0)
        gauge.waitingKeys.record(parked.waitingKeys)
        gauge.deadKeys.record(parked.deadKeys)
        gauge.parkedEvents.record(parked.events)
        gauge.pendingEffects.record(effects.pending)
        gauge.deadEffects.record(effects.dead)
      }
      try? await Task.sleep(for: .seconds(5))
    }
  }
}
