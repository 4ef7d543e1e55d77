import Synchronization

/// Keeps metrics, and renders them in the Prometheus text exposition format 0.0.4.
///
/// Labels become names of the format: `orders.handled` is `orders_handled`. Counters end in
/// `_total`, timers in `_seconds`; both are added where they are missing.
///
/// ```swift
/// let registry = PrometheusRegistry()
/// registry.describe("orders_handled", help: "Events that were handled.")
/// MetricsSystem.bootstrap(registry)
/// Counter(label: "orders_handled", dimensions: [("service", "orders")]).increment()
/// ```
public final class PrometheusRegistry: MetricsFactory {
  /// The value of a scrape's Content-Type header.
  public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// Bounds for durations in seconds: from a millisecond to a minute.
  public static let defaultTimerBuckets: [Double] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
  ]
  /// Bounds for other values: powers of four from 1 to about a million.
  public static let defaultRecorderBuckets: [Double] = (0...10).map { Double(1 << (2 * $0)) }

  enum Kind: String { case counter, gauge, histogram }

  enum Metric {
    case counter(PrometheusCounter)
    case gauge(PrometheusGauge)
    case histogram(PrometheusHistogram)
  }

  /// All metrics of one name.
  struct Family {
    let kind: Kind
    /// By rendered label pairs.
    var metrics: [String: Metric] = [:]
  }

  private struct Description {
    var help: String
    var buckets: [Double]?
  }

  private struct State {
    var families: [String: Family] = [:]
    var descriptions: [String: Description] = [:]
  }

  private let state = Mutex(State())

  /// A registry without metrics.
  public init() {}

  /// Sets the `# HELP` text of a metric, and the bounds of its buckets. Call it before the metric is
  /// made.
  ///
  /// - Parameters:
  ///   - label: as given to the metric; a suffix that is added need not be written.
  ///   - buckets: upper bounds of a timer (in seconds) or of an aggregating recorder.
  public func describe(_ label: String, help: String, buckets: [Double]? = nil) {
    let bounds = buckets.map { Array(Set($0.filter(\.isFinite))).sorted() }
    state.withLock {
      $0.descriptions[PrometheusName.metric(label)] = Description(help: help, buckets: bounds)
    }
  }

  /// All metrics, as a scrape gets them; sorted, so that two scrapes can be compared.
  public func render() -> String {
    // The copy shares the metrics, whose values are read outside the lock.
    let (families, descriptions) = state.withLock {
      (FamilyList(families: $0.families), $0.descriptions.mapValues(\.help))
    }
    return families.rendered(help: descriptions)
  }

  // MARK: - MetricsFactory

  /// A counter, exported with `_total` at the end of its name.
  public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    let name = PrometheusName.metric(label, suffix: "_total")
    let made = metric(name, label, dimensions, kind: .counter) { _ in .counter(.init()) }
    guard case .counter(let counter) = made else { wrongKind(name) }
    return counter
  }

  /// A histogram where it aggregates, and a gauge where it does not.
  public func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler {
    let name = PrometheusName.metric(label)
    guard aggregate else {
      let made = metric(name, label, dimensions, kind: .gauge) { _ in .gauge(.init()) }
      guard case .gauge(let gauge) = made else { wrongKind(name) }
      return gauge
    }
    return histogram(name, label, dimensions, standard: Self.defaultRecorderBuckets)
  }

  /// A histogram in seconds, exported with `_seconds` at the end of its name.
  public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    let name = PrometheusName.metric(label, suffix: "_seconds")
    return histogram(name, label, dimensions, standard: Self.defaultTimerBuckets)
  }

  /// Takes the gauge out of the next scrape.
  public func destroyRecorder(_ handler: any RecorderHandler) {
    state.withLock { state in
      for (name, family) in state.families {
        for case (let labels, .gauge(let gauge)) in family.metrics where gauge === handler {
          state.families[name]?.metrics[labels] = nil
          if state.families[name]?.metrics.isEmpty == true { state.families[name] = nil }
          return
        }
      }
    }
  }

  private func histogram(
    _ name: String, _ label: String, _ dimensions: [(String, String)], standard: [Double]
  ) -> PrometheusHistogram {
    let made = metric(name, label, dimensions, kind: .histogram) {
      .histogram(PrometheusHistogram(bounds: $0 ?? standard))
    }
    guard case .histogram(let histogram) = made else { wrongKind(name) }
    return histogram
  }

  /// The metric of that name and those dimensions, made if there is none yet.
  ///
  /// - Parameter make: given the bounds of `describe`.
  private func metric(
    _ name: String, _ label: String, _ dimensions: [(String, String)], kind: Kind,
    make: ([Double]?) -> Metric
  ) -> Metric {
    let labels = PrometheusName.labelPairs(dimensions)
    return state.withLock { state in
      if let existing = state.families[name]?.metrics[labels] { return existing }
      let description =
        state.descriptions[name] ?? state.descriptions[PrometheusName.metric(label)]
      state.descriptions[name] = description
      var family = state.families[name] ?? Family(kind: kind)
      if family.kind != kind { wrongKind(name) }
      let metric = make(description?.buckets)
      family.metrics[labels] = metric
      state.families[name] = family
      return metric
    }
  }

  private func wrongKind(_ name: String) -> Never {
    preconditionFailure(
      "The metric '\(name)' was made with two types. Give one of them another label.")
  }
}
