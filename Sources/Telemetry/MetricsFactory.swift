import Synchronization

/// Keeps the numbers of a `Counter`. Called from many threads at once.
public protocol CounterHandler: AnyObject, Sendable {
  func increment(by amount: Int64)
}

/// Keeps the values of a `Recorder` or a `Gauge`. Called from many threads at once.
public protocol RecorderHandler: AnyObject, Sendable {
  func record(_ value: Double)
}

/// Keeps the durations of a `Timer`. Called from many threads at once.
public protocol TimerHandler: AnyObject, Sendable {
  func recordNanoseconds(_ duration: Int64)
}

/// Where metrics are kept. `PrometheusRegistry` is one.
public protocol MetricsFactory: Sendable {
  /// The same label and dimensions must give the same handler, until it is destroyed.
  func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler
  func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler
  func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler

  func destroyRecorder(_ handler: any RecorderHandler)
}

/// Where new metrics are kept.
public enum MetricsSystem {
  private static let current = Mutex<(any MetricsFactory)?>(nil)

  /// Sets the factory of all metrics that are made from now on. Without it, they go nowhere. Call it
  /// once, at the start of the program.
  ///
  /// - Precondition: it was not called before.
  public static func bootstrap(_ factory: any MetricsFactory) {
    current.withLock {
      precondition($0 == nil, "MetricsSystem.bootstrap may be called once in a process.")
      $0 = factory
    }
  }

  /// The factory that was set, or one that keeps nothing.
  public static var factory: any MetricsFactory {
    current.withLock { $0 } ?? NoMetrics()
  }
}

/// Keeps nothing.
private struct NoMetrics: MetricsFactory {
  final class Handler: CounterHandler, RecorderHandler, TimerHandler {
    func increment(by amount: Int64) {}
    func record(_ value: Double) {}
    func recordNanoseconds(_ duration: Int64) {}
  }

  static let handler = Handler()

  func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    Self.handler
  }
  func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler { Self.handler }
  func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    Self.handler
  }
  func destroyRecorder(_ handler: any RecorderHandler) {}
}
