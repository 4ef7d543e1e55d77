import Contracts
import Synchronization
import Telemetry

/// What a service measures about itself. One instance for each service of a process; the lanes
/// share it.
final class ServiceMetrics: Sendable {
  let passedOver: Counter
  let retries: Counter
  private let duplicates: Counter
  private let stepSeconds: Timer
  private let stepEvents: Recorder
  private let outboxRows: Counter
  private let service: ServiceName
  private let handled: CounterFamily
  private let deadLetters: CounterFamily
  private let replays: CounterFamily
  private let lag = Mutex<[Partition: Gauge]>([:])

  init(_ service: ServiceName) {
    self.service = service
    let dimensions = [("service", service.rawValue)]
    passedOver = Counter(label: "orderly_messages_passed_over", dimensions: dimensions)
    retries = Counter(label: "orderly_retries", dimensions: dimensions)
    duplicates = Counter(label: "orderly_events_duplicate", dimensions: dimensions)
    stepSeconds = Timer(label: "orderly_step_seconds", dimensions: dimensions)
    stepEvents = Recorder(label: "orderly_step_events", dimensions: dimensions)
    outboxRows = Counter(label: "orderly_outbox_rows", dimensions: dimensions)
    handled = CounterFamily("orderly_events_handled", dimensions: dimensions, by: "type")
    deadLetters = CounterFamily("orderly_dead_letters", dimensions: dimensions, by: "reason")
    replays = CounterFamily("orderly_dead_letter_replays", dimensions: dimensions, by: "outcome")
  }

  func stepDone(_ events: Int, _ result: StepResult, _ duration: Duration) {
    stepSeconds.record(duration: duration)
    stepEvents.record(events)
    duplicates.increment(by: result.duplicates)
    outboxRows.increment(by: result.outbox.count)
    for (type, count) in result.handled { handled[type].increment(by: count) }
  }

  func deadLetter(_ letter: DeadLetter) {
    deadLetters[letter.reason].increment()
  }

  /// Replays that have ended.
  func replayed(resolved: Int, reopened: Int) {
    if resolved > 0 { replays["resolved"].increment(by: resolved) }
    if reopened > 0 { replays["failed"].increment(by: reopened) }
  }

  /// Takes the place of what was said before: partitions that are no longer owned disappear.
  func setLag(_ values: [Partition: Int64]) {
    lag.withLock { gauges in
      for (partition, gauge) in gauges where values[partition] == nil {
        gauge.destroy()
        gauges[partition] = nil
      }
      for (partition, value) in values {
        let gauge =
          gauges[partition]
          ?? Gauge(
            label: "orderly_consumer_lag",
            dimensions: [
              ("service", service.rawValue), ("topic", partition.topic),
              ("partition", "\(partition.number)"),
            ])
        gauges[partition] = gauge
        gauge.record(value)
      }
    }
  }
}

/// Counters that differ in one dimension only, made when they are first needed.
final class CounterFamily: Sendable {
  private let label: String
  private let dimensions: [(String, String)]
  private let key: String
  private let counters = Mutex<[String: Counter]>([:])

  init(_ label: String, dimensions: [(String, String)], by key: String) {
    self.label = label
    self.dimensions = dimensions
    self.key = key
  }

  subscript(_ value: String) -> Counter {
    counters.withLock { counters in
      if let counter = counters[value] { return counter }
      let counter = Counter(label: label, dimensions: dimensions + [(key, value)])
      counters[value] = counter
      return counter
    }
  }
}
