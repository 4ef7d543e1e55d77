/// Writes a line for each record to standard error, or to another sink.
///
/// JSON has the keys `time`, `level`, `logger`, `message`, and one for each value of the metadata;
/// metadata that is called like one of the four gets an underscore in front. Text is for people:
///
///     2025-03-01T12:00:00.000Z info    orders: Order placed order=17 total="10 EUR"
///
/// Neither lets what is logged write control characters: an operator's terminal never sees an
/// escape sequence, and a record is always one line.
public struct StreamLogHandler: LogHandler {
  /// How records are written.
  public enum Format: String, Sendable, Hashable, CaseIterable {
    case json
    case text
    /// Text when standard error is a terminal, and JSON otherwise.
    case automatic
  }

  private let label: String
  private let isText: Bool
  private let sink: any LogSink
  private let now: @Sendable () -> Timestamp

  /// What every record carries.
  public var metadata: Logger.Metadata = [:]
  /// The least severe level that is written.
  public var logLevel: Logger.Level

  /// A handler that writes to standard error.
  public static func standardError(
    label: String, format: Format = .automatic, level: Logger.Level = .info
  ) -> StreamLogHandler {
    StreamLogHandler(label: label, format: format, level: level, sink: StandardError.shared)
  }

  /// A handler that writes to `sink`.
  public init(label: String, format: Format, level: Logger.Level, sink: any LogSink) {
    self.init(label: label, format: format, level: level, sink: sink, now: Timestamp.now)
  }

  init(
    label: String, format: Format, level: Logger.Level, sink: any LogSink,
    now: @escaping @Sendable () -> Timestamp
  ) {
    self.label = label
    self.sink = sink
    self.now = now
    logLevel = level
    isText =
      switch format {
      case .text: true
      case .json: false
      case .automatic: StandardError.isTerminal
      }
  }

  /// Writes one line to the sink, with the record's metadata over the handler's.
  public func log(
    level: Logger.Level, message: Logger.Message, metadata: Logger.Metadata?, source: String,
    file: String, function: String, line: UInt
  ) {
    let all = metadata.map { self.metadata.merging($0) { $1 } } ?? self.metadata
    var output = LogLine()
    if isText {
      output.appendText(
        time: now(), level: level, label: label, message: message.description, metadata: all)
    } else {
      output.appendJSON(
        time: now(), level: level, label: label, message: message.description, metadata: all)
    }
    sink.write(output.bytes)
  }
}
