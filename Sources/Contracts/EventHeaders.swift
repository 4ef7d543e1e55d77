/// A record header as Kafka has it: a name and bytes, or no value.
public struct EventHeader: Hashable, Sendable {
  public var name: String
  public var value: [UInt8]?

  public init(_ name: String, _ value: [UInt8]?) {
    self.name = name
    self.value = value
  }

  public init(_ name: String, _ value: String) {
    self.init(name, Array(value.utf8))
  }

  /// The value as text; nil when there is none or it is not UTF-8.
  public var text: String? {
    value.flatMap { String(validating: $0, as: UTF8.self) }
  }
}

/// The names of the headers of an event: CloudEvents 1.0 in Kafka's binary mode, W3C trace context,
/// and what ties an event to its order and its cause.
public enum HeaderName {
  public static let specVersion = "ce_specversion"
  public static let id = "ce_id"
  public static let source = "ce_source"
  public static let type = "ce_type"
  public static let time = "ce_time"
  public static let subject = "ce_subject"
  public static let contentType = "content-type"
  public static let traceparent = "traceparent"
  public static let correlationID = "correlationid"
  public static let causationID = "causationid"
  public static let idempotencyKey = "idempotencykey"

  /// The headers that dead letters have beside those of the original.
  public enum DeadLetter {
    public static let service = "dlq-service"
    public static let topic = "dlq-topic"
    public static let partition = "dlq-partition"
    public static let offset = "dlq-offset"
    public static let reason = "dlq-reason"
    public static let detail = "dlq-detail"
    public static let attempts = "dlq-attempts"
    public static let firstFailed = "dlq-first-failed"
    public static let lastFailed = "dlq-last-failed"
    public static let fingerprint = "dlq-fingerprint"
  }
}
