import Telemetry
import Testing

@Suite("Prometheus text")
struct PrometheusTests {
  private let registry = PrometheusRegistry()

  @Test("A counter ends in _total, and never falls")
  func counters() {
    registry.describe("handled", help: "Events \\ handled,\nby service.")
    let counter = Counter(label: "handled", dimensions: [("service", "orders")], factory: registry)
    counter.increment()
    counter.increment(by: 41)
    counter.increment(by: -5)
    Counter(label: "handled_total", dimensions: [("service", "stock")], factory: registry)
      .increment()
    #expect(
      registry.render() == """
        # HELP handled_total Events \\\\ handled,\\nby service.
        # TYPE handled_total counter
        handled_total{service="orders"} 42
        handled_total{service="stock"} 1

        """)
  }

  @Test("The same label and dimensions are the same number, in any order")
  func sameMetric() {
    for dimensions in [[("a", "1"), ("b", "2")], [("b", "2"), ("a", "1")]] {
      Counter(label: "c", dimensions: dimensions, factory: registry).increment()
    }
    #expect(registry.render() == "# TYPE c_total counter\nc_total{a=\"1\",b=\"2\"} 2\n")
  }

  @Test("Names and label values follow the rules of the format")
  func names() {
    Gauge(
      label: "9 lives.é:x", dimensions: [("le", "a\"b\\c\nd"), ("1-x", "é"), ("__name__", "y")],
      factory: registry
    ).record(1)
    #expect(
      registry.render() == """
        # TYPE _9_lives__:x gauge
        _9_lives__:x{_1_x="é",label___name__="y",label_le="a\\"b\\\\c\\nd"} 1

        """)
  }

  @Test(
    "Numbers are written as Go reads them",
    arguments: [
      (0.0, "0"), (-1.0, "-1"), (1.5, "1.5"), (.infinity, "+Inf"), (-.infinity, "-Inf"),
      (.nan, "NaN"), (1e15, "1000000000000000.0"), (1e300, "1e+300"), (2.5e-7, "2.5e-07"),
    ])
  func numbers(value: Double, expected: String) {
    Gauge(label: "g", factory: registry).record(value)
    #expect(registry.render() == "# TYPE g gauge\ng \(expected)\n")
  }

  @Test("A histogram counts each value in all buckets that hold it")
  func histograms() {
    registry.describe("step", help: "Time of a step.", buckets: [1, 0.1, 1, .infinity])
    let timer = Timer(label: "step", dimensions: [("service", "orders")], factory: registry)
    timer.recordNanoseconds(100_000_000)
    timer.record(duration: .milliseconds(500))
    timer.record(duration: .seconds(7))
    timer.record(duration: .milliseconds(250))
    #expect(
      registry.render() == """
        # HELP step_seconds Time of a step.
        # TYPE step_seconds histogram
        step_seconds_bucket{service="orders",le="0.1"} 1
        step_seconds_bucket{service="orders",le="1"} 3
        step_seconds_bucket{service="orders",le="+Inf"} 4
        step_seconds_sum{service="orders"} 7.85
        step_seconds_count{service="orders"} 4

        """)
  }

  @Test("NaN does not spoil a histogram, and durations do not overflow")
  func extremes() {
    let recorder = Recorder(label: "bytes", factory: registry)
    recorder.record(Double.nan)
    recorder.record(3)
    let timer = Timer(label: "t", factory: registry)
    timer.record(duration: .seconds(Int64.max))
    let text = registry.render()
    #expect(text.contains("bytes_sum 3\nbytes_count 1\n"))
    #expect(text.contains("t_seconds_count 1\n"))
  }

  @Test("A destroyed metric is gone, and its name is free")
  func destroy() {
    let gauge = Gauge(label: "lag", dimensions: [("partition", "0")], factory: registry)
    let other = Gauge(label: "lag", dimensions: [("partition", "1")], factory: registry)
    gauge.record(5)
    other.record(6)
    gauge.destroy()
    #expect(registry.render() == "# TYPE lag gauge\nlag{partition=\"1\"} 6\n")
    other.destroy()
    #expect(registry.render() == "")
    Recorder(label: "lag", factory: registry).record(1)
    #expect(registry.render().hasPrefix("# TYPE lag histogram\n"))
  }

  @Test("No update is lost")
  func concurrency() async {
    await withTaskGroup { [registry] group in
      for _ in 0..<8 {
        group.addTask {
          let counter = Counter(label: "c", factory: registry)
          let recorder = Recorder(label: "r", factory: registry)
          for _ in 0..<1000 {
            counter.increment()
            recorder.record(1)
          }
        }
      }
    }
    let text = registry.render()
    #expect(text.contains("c_total 8000\n"))
    #expect(text.contains("r_sum 8000\nr_count 8000\n"))
  }

  @Test("Every line follows the grammar of the format")
  func grammar() throws {
    registry.describe("a.b", help: "x")
    Counter(label: "a.b", dimensions: [("k", "v w\"\n")], factory: registry).increment()
    Timer(label: "t", factory: registry).record(duration: .seconds(1))
    Recorder(label: "r", dimensions: [("x", "")], factory: registry).record(0.5)
    let text = registry.render()
    #expect(text.hasSuffix("\n"))
    let sample = try Regex(
      #"[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\["\\n])*",?)*\})? \S+"#)
    let comment = try Regex(#"# (HELP|TYPE) [a-zA-Z_:][a-zA-Z0-9_:]* .*"#)
    for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
      #expect(try sample.wholeMatch(in: line) != nil || comment.wholeMatch(in: line) != nil)
    }
  }
}
