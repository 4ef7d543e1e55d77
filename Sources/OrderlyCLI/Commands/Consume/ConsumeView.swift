import Contracts
import Kafka

/// Which records of a topic are shown, and what of them.
struct ConsumeView {
  /// The types of events to show; all when empty.
  var types: Set<String> = []
  /// The key to show; nil for all.
  var key: [UInt8]?
  /// The first moment to show, in milliseconds since 1970; nil for all. Only for a mock cluster:
  /// that of librdkafka 2.0.2 answers the question for the offset of any time with the end.
  var since: Int64?
  /// What of the bodies is shown.
  var policy: BodyPolicy

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
      body: policy.body(message.value, type: EventCodec.type(in: headers)))
  }
}
