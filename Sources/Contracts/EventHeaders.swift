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
  /// The version of CloudEvents, always `1.0`.
  public static let specVersion = "ce_specversion"
  /// The event's id, a UUID; a redelivery has the same. Of CloudEvents, as the other `ce_` ones.
  public static let id = "ce_id"
  /// Who has emitted it, as `/orderly/payments`: 1 to 256 bytes.
  public static let source = "ce_source"
  /// One of ``EventType``; it names the schema of the body.
  public static let type = "ce_type"
  /// When it happened, as in RFC 3339.
  public static let time = "ce_time"
  /// The order's id. Optional, but where it is there it must be the body's.
  public static let subject = "ce_subject"
  /// Of CloudEvents too: `application/json`. Not looked at when an event is read.
  public static let contentType = "content-type"
  /// W3C trace context, 55 characters at most; a longer one is dropped.
  public static let traceparent = "traceparent"
  /// The platform's own, as the next two: the order's id.
  public static let correlationID = "correlationid"
  /// The id of the event that has led to this one; none where it came from outside.
  public static let causationID = "causationid"
  /// The event's id again, for readers that know no CloudEvents.
  public static let idempotencyKey = "idempotencykey"

  /// The headers that dead letters have beside those of the original.
  public enum DeadLetter {
    /// The service that could not handle the message.
    public static let service = "dlq-service"
    /// Where the message was read, with the next two.
    public static let topic = "dlq-topic"
    public static let partition = "dlq-partition"
    public static let offset = "dlq-offset"
    /// A stable word for the kind of fault.
    public static let reason = "dlq-reason"
    /// What is wrong, in a sentence for people.
    public static let detail = "dlq-detail"
    /// How often it was tried.
    public static let attempts = "dlq-attempts"
    /// As in RFC 3339, as the next one.
    public static let firstFailed = "dlq-first-failed"
    public static let lastFailed = "dlq-last-failed"
    /// Eight hexadecimal digits, the same for messages that failed in the same way.
    public static let fingerprint = "dlq-fingerprint"
  }
}
