import Contracts
import JSONSchema
import Kafka
import TopicCatalog

/// Which records of a topic are shown, and what of them.
struct ConsumeView {
  /// The types of events to show; all when empty.
  var types: Set<String> = []
  /// The key to show; nil for all.
  var key: [UInt8]?
  /// The first moment to show, in milliseconds since 1970; nil for all. Only for a mock cluster:
  /// that of librdkafka 2.0.2 answers the question for the offset of any time with the end.
  var since: Int64?
  /// The schemas that say what is sensitive; nil shows everything.
  var catalog: TopicCatalog?

  func shows(_ message: Message) -> Bool {
    if let key, message.key != key { return false }
    if let since, let timestamp = message.timestamp, timestamp < since { return false }
    guard !types.isEmpty else { return true }
    let type = message.headers.first { $0.name == HeaderName.type }?.value
    return type.map { types.contains(String(decoding: $0, as: UTF8.self)) } ?? false
  }

  func text(_ message: Message) -> RecordText {
    let headers = message.headers.map { EventHeader($0.name, $0.value) }
    return RecordText(
      topic: message.topic, partition: message.partition, offset: message.offset,
      timestamp: message.timestamp, key: message.key, headers: headers,
      body: message.value.map { body($0, headers) } ?? .none)
  }

  /// The body as far as it may be seen. What no schema describes may be anything, a payment token
  /// among it, and is not shown.
  private func body(_ bytes: [UInt8], _ headers: [EventHeader]) -> RecordText.Body {
    let value = try? JSONValue(parsing: bytes, maximumDepth: EventCodec.maximumDepth)
    guard let catalog else { return value.map { .json($0) } ?? .bytes(bytes) }
    func withheld(_ reason: String) -> RecordText.Body {
      .withheld(bytes: bytes.count, reason: "\(reason); --show-sensitive shows it")
    }
    guard let value else { return withheld("not JSON") }
    guard let type = EventCodec.type(in: headers) else { return withheld("of no known type") }
    let schema = catalog.schema(for: type)
    // A body of another shape may have the sensitive field in another place.
    guard schema.validate(value).isEmpty else { return withheld("not as its schema says") }
    return .json(schema.redacted(value))
  }
}
