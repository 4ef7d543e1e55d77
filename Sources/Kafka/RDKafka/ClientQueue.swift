internal import CRDKafka

/// A queue of events of one client.
///
/// Sendable by hand: librdkafka's queues are locked inside. The pointer is freed by `destroy`,
/// which is called once, by `ClientHandle.destroy` when nobody has the client any more; `poll` is
/// called only while the client is borrowed.
final class ClientQueue: @unchecked Sendable {
  let pointer: OpaquePointer

  /// - Parameter pointer: a queue reference that this object now owns.
  init(owning pointer: OpaquePointer) {
    self.pointer = pointer
  }

  /// Waits up to `milliseconds` for an event and lends it to `body`; nil if there was none or
  /// `wake` was called.
  func poll<Result>(
    _ milliseconds: Int32, _ body: (borrowing ClientQueueEvent) -> Result
  ) -> Result? {
    guard let event = rd_kafka_queue_poll(pointer, milliseconds) else { return nil }
    return body(ClientQueueEvent(owning: event))
  }

  /// Makes a `poll` that is waiting, or else the next one, return at once.
  func wake() {
    rd_kafka_queue_yield(pointer)
  }

  func destroy() {
    rd_kafka_queue_destroy(pointer)
  }
}

/// An event, freed at the end of its scope together with all that it contains.
struct ClientQueueEvent: ~Copyable {
  let pointer: OpaquePointer

  init(owning pointer: OpaquePointer) {
    self.pointer = pointer
  }

  deinit {
    rd_kafka_event_destroy(pointer)
  }

  /// One of `RD_KAFKA_EVENT_*`.
  var type: Int32 { rd_kafka_event_type(pointer) }
  var error: rd_kafka_resp_err_t { rd_kafka_event_error(pointer) }

  /// Copies an error event. A fatal one is replaced by its cause.
  func kafkaError(client: OpaquePointer, operation: String) -> KafkaError {
    if error == RD_KAFKA_RESP_ERR__FATAL {
      var text = [CChar](repeating: 0, count: 512)
      let cause = rd_kafka_fatal_error(client, &text, text.count)
      return KafkaError(
        cause, operation: operation, message: String(nulTerminated: text), isFatal: true)
    }
    return KafkaError(
      error, operation: operation, message: String(cString: rd_kafka_event_error_string(pointer)),
      isFatal: rd_kafka_event_error_is_fatal(pointer) != 0)
  }

  /// Copies a log event.
  func logLine() -> LogLine {
    var facility: UnsafePointer<CChar>?
    var text: UnsafePointer<CChar>?
    var level: Int32 = 0
    rd_kafka_event_log(pointer, &facility, &text, &level)
    return LogLine(
      level: LogLine.Level(rawValue: level) ?? .debug,
      facility: facility.map(String.init(cString:)) ?? "",
      message: text.map(String.init(cString:)) ?? "")
  }

  /// Copies the events that concern no record and no partition; nil for any other.
  func clientEvent(client: OpaquePointer, operation: String) -> ClientEvent? {
    switch type {
    case RD_KAFKA_EVENT_ERROR: .error(kafkaError(client: client, operation: operation))
    case RD_KAFKA_EVENT_LOG: .log(logLine())
    case RD_KAFKA_EVENT_STATS: .statistics(String(cString: rd_kafka_event_stats(pointer)))
    default: nil
    }
  }
}

extension OpaquePointer {
  /// The name of the client, for errors: `client orders-1#producer-1`.
  var clientName: String { "run client \(String(cString: rd_kafka_name(self)))" }
}
