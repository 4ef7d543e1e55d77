/// A number that only grows, such as the events that were handled; spelled as in swift-metrics.
///
/// Make it once and keep it: making it looks it up under a lock, updating it does not.
public final class Counter: Sendable {
  /// The name, in words with `_` or `.` between them.
  public let label: String
  /// Names and values that tell it from others of the same label.
  public let dimensions: [(String, String)]
  private let handler: any CounterHandler

  /// A counter of `MetricsSystem`, or of another factory. The same label and dimensions give the
  /// same number.
  public init(
    label: String, dimensions: [(String, String)] = [],
    factory: any MetricsFactory = MetricsSystem.factory
  ) {
    self.label = label
    self.dimensions = dimensions
    handler = factory.makeCounter(label: label, dimensions: dimensions)
  }

  /// Adds `amount`. A negative amount is ignored: a counter never falls.
  public func increment(by amount: some BinaryInteger) {
    handler.increment(by: Int64(clamping: amount))
  }

  /// Adds 1.
  public func increment() { handler.increment(by: 1) }
}

/// Values whose distribution is of interest, such as the bytes of a message.
public final class Recorder: Sendable {
  /// The name, in words with `_` or `.` between them.
  public let label: String
  /// Names and values that tell it from others of the same label.
  public let dimensions: [(String, String)]
  /// Whether the distribution is kept, or only the last value.
  public let aggregate: Bool
  private let handler: any RecorderHandler

  /// - Parameter aggregate: whether the distribution is kept, or only the last value.
  public init(
    label: String, dimensions: [(String, String)] = [], aggregate: Bool = true,
    factory: any MetricsFactory = MetricsSystem.factory
  ) {
    self.label = label
    self.dimensions = dimensions
    self.aggregate = aggregate
    handler = factory.makeRecorder(label: label, dimensions: dimensions, aggregate: aggregate)
  }

  /// Records a value.
  public func record(_ value: some BinaryInteger) { handler.record(Double(value)) }

  /// Records a value.
  public func record(_ value: some BinaryFloatingPoint) { handler.record(Double(value)) }
}

/// A number that is what it is at the moment, such as the messages in a queue.
///
/// In swift-metrics it inherits from `Recorder`; here it only has its methods, so that both are
/// `Sendable` by the compiler's proof.
public final class Gauge: Sendable {
  /// The name, in words with `_` or `.` between them.
  public let label: String
  /// Names and values that tell it from others of the same label.
  public let dimensions: [(String, String)]
  private let factory: any MetricsFactory
  private let handler: any RecorderHandler

  /// A gauge of `MetricsSystem`, or of another factory, at 0 until it is recorded.
  public init(
    label: String, dimensions: [(String, String)] = [],
    factory: any MetricsFactory = MetricsSystem.factory
  ) {
    self.label = label
    self.dimensions = dimensions
    self.factory = factory
    handler = factory.makeRecorder(label: label, dimensions: dimensions, aggregate: false)
  }

  /// Sets the gauge.
  public func record(_ value: some BinaryInteger) { handler.record(Double(value)) }

  /// Sets the gauge.
  public func record(_ value: some BinaryFloatingPoint) { handler.record(Double(value)) }

  /// Takes the gauge out of what is exported.
  public func destroy() { factory.destroyRecorder(handler) }
}

/// How long something takes. When Foundation is imported as well, write `Telemetry.Timer`.
public final class Timer: Sendable {
  /// The name, in words with `_` or `.` between them.
  public let label: String
  /// Names and values that tell it from others of the same label.
  public let dimensions: [(String, String)]
  private let handler: any TimerHandler

  /// A timer of `MetricsSystem`, or of another factory, with nothing recorded.
  public init(
    label: String, dimensions: [(String, String)] = [],
    factory: any MetricsFactory = MetricsSystem.factory
  ) {
    self.label = label
    self.dimensions = dimensions
    handler = factory.makeTimer(label: label, dimensions: dimensions)
  }

  /// Records nanoseconds.
  public func recordNanoseconds(_ duration: Int64) { handler.recordNanoseconds(duration) }

  /// Records nanoseconds.
  public func recordNanoseconds(_ duration: some BinaryInteger) {
    handler.recordNanoseconds(Int64(clamping: duration))
  }

  /// Records a duration.
  public func record(duration: Duration) {
    let (seconds, attoseconds) = duration.components
    let whole = seconds.multipliedClamping(by: 1_000_000_000)
    let (sum, overflow) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
    recordNanoseconds(overflow ? whole : sum)
  }
}

extension Int64 {
  fileprivate func multipliedClamping(by factor: Int64) -> Int64 {
    let (product, overflow) = multipliedReportingOverflow(by: factor)
    guard overflow else { return product }
    return (self < 0) == (factor < 0) ? .max : .min
  }
}
