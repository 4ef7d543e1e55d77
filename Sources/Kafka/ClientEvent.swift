/// What a client says of itself outside any call.
public enum ClientEvent: Sendable {
  /// A broker cannot be reached, credentials are refused, or (`isFatal`) the client has failed for
  /// good. librdkafka goes on trying to connect after anything that is not fatal.
  case error(KafkaError)
  /// A line of librdkafka's log.
  case log(LogLine)
  /// librdkafka's statistics as JSON, every `statistics.interval.ms` when that property is set.
  case statistics(String)
}

/// A line of librdkafka's log.
public struct LogLine: Sendable, Hashable, CustomStringConvertible {
  /// The levels of syslog(3), the most severe first.
  public enum Level: Int32, Sendable, Comparable {
    case emergency, alert, critical, error, warning, notice, info, debug

    /// Orders by severity: `debug` is the least.
    public static func < (left: Level, right: Level) -> Bool { left.rawValue > right.rawValue }
  }

  /// How severe it is.
  public let level: Level
  /// librdkafka's short tag of the kind of line, such as `FAIL` or `SESSTMOUT`.
  public let facility: String
  /// The text.
  public let message: String

  /// Takes the values as they are; nothing is checked before they are used.
  public init(level: Level, facility: String, message: String) {
    self.level = level
    self.facility = facility
    self.message = message
  }

  /// For people.
  public var description: String { "\(facility): \(message)" }
}
