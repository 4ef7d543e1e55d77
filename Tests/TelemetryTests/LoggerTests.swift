import Synchronization
import Testing

@testable import Telemetry

/// Keeps what is written.
private final class MemorySink: LogSink {
  private let lines = Mutex<[String]>([])

  func write(_ line: [UInt8]) {
    lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
  }

  var all: [String] { lines.withLock { $0 } }
}

@Suite("Logs")
struct LoggerTests {
  private let sink = MemorySink()

  private func logger(_ format: StreamLogHandler.Format, label: String = "orders") -> Logger {
    Logger(label: label) { label in
      StreamLogHandler(
        label: label, format: format, level: .info, sink: sink,
        now: { Timestamp(milliseconds: 1_740_830_400_007) })
    }
  }

  @Test("A JSON line has the four keys, and the metadata in order")
  func json() {
    var logger = logger(.json)
    logger[metadataKey: "partition"] = "3"
    logger.info(
      "Order placed",
      metadata: [
        "order": "\(17)", "level": "mine", "tags": ["a", "b"], "nested": ["k": ["v"]],
        "count": .stringConvertible(5),
      ])
    #expect(
      sink.all == [
        #"{"time":"2025-03-01T12:00:00.007Z","level":"info","logger":"orders","#
          + #""message":"Order placed","count":"5","_level":"mine","nested":{"k":["v"]},"#
          + #""order":"17","partition":"3","tags":["a","b"]}"# + "\n"
      ])
  }

  @Test("A text line reads well, and quotes what is not one word")
  func text() {
    logger(.text).warning(
      "Slow \"step\"", metadata: ["order": "17", "why": "a b", "none": "", "eq": "a=b"])
    #expect(
      sink.all == [
        "2025-03-01T12:00:00.007Z warning  orders: Slow \"step\" "
          + "eq=\"a=b\" none=\"\" order=17 why=\"a b\"\n"
      ])
  }

  @Test(
    "Nothing that is logged can write control characters",
    arguments: [StreamLogHandler.Format.json, .text])
  func controlCharacters(format: StreamLogHandler.Format) {
    let evil =
      "\u{1B}[2J\n\r\t\0\u{7F}\u{85}\u{9B}31m\u{2028}\u{202E}\u{2066}\u{200F}\u{61C}\u{07}é🙂"
    logger(format, label: evil).error(
      "\(evil)", metadata: ["\(evil)": "\(evil)", "list": ["\(evil)"]])
    let line = sink.all[0]
    #expect(line.hasSuffix("\n"))
    for scalar in line.dropLast().unicodeScalars {
      #expect(scalar.properties.generalCategory != .control)
      #expect(scalar.properties.generalCategory != .format)
      #expect(scalar.properties.generalCategory != .lineSeparator)
    }
    #expect(line.contains(#"\u001b[2J\n\r\t\u0000\u007f\u0085\u009b31m\u2028\u202e"#))
    #expect(line.contains("é🙂"))
  }

  @Test("A quotation mark cannot end a JSON string")
  func jsonInjection() {
    logger(.json).info(#"","level":"x\"#)
    #expect(sink.all[0].contains(#""message":"\",\"level\":\"x\\"}"#))
  }

  @Test("Below the level nothing is written, nor even evaluated")
  func levels() {
    func never() -> Logger.Message {
      Issue.record("evaluated")
      return ""
    }
    var logger = logger(.text)
    logger.debug(never(), metadata: ["x": "\(never())"])
    logger.log(level: .trace, never())
    #expect(sink.all.isEmpty)
    logger.logLevel = .error
    logger.warning(never())
    logger.critical("x")
    logger.logLevel = .trace
    logger.log(level: .trace, "y")
    logger.log(level: .notice, "z")
    #expect(sink.all.count == 3)
    #expect(Logger.Level.allCases == Logger.Level.allCases.sorted())
  }

  @Test("A copy has its own metadata")
  func copies() {
    let logger = logger(.json)
    var copy = logger
    copy[metadataKey: "a"] = "1"
    #expect(logger[metadataKey: "a"] == nil)
    #expect(copy[metadataKey: "a"] == "1")
  }

  @Test(
    "Times are right",
    arguments: [
      (0, "1970-01-01T00:00:00.000Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
      (-1, "1969-12-31T23:59:59.999Z"), (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
      (1_709_251_199_123, "2024-02-29T23:59:59.123Z"),
    ])
  func times(milliseconds: Int64, expected: String) {
    #expect("\(Timestamp(milliseconds: milliseconds))" == expected)
  }
}
