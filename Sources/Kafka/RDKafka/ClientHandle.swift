internal import CRDKafka
internal import Dispatch
internal import Synchronization

/// Owns an `rd_kafka_t`: creates it from properties, lends it to calls, and destroys it when no
/// call has it any more.
///
/// Sendable by hand: `rd_kafka_t` may be used from any thread at once, says rdkafka.h, until
/// `rd_kafka_destroy`. `borrow` is the only way to the pointer; `destroy` first shuts the door on
/// new borrowers and then waits for those inside. Everything else is immutable or locked.
final class ClientHandle: @unchecked Sendable {
  enum Kind {
    case producer, consumer
  }

  private let pointer: OpaquePointer
  private let isOpen = Mutex(true)
  private let borrowers = DispatchGroup()

  /// - Parameters:
  ///   - settings: set in this order, then `overrides`, which win.
  ///   - events: the `RD_KAFKA_EVENT_*` that are to be put on queues.
  init(
    _ kind: Kind, settings: [(name: String, value: String)], overrides: [String: String],
    events: Int32
  ) throws(KafkaError) {
    // 512 bytes are what librdkafka's examples give.
    var text = [CChar](repeating: 0, count: 512)
    guard let configuration = rd_kafka_conf_new() else {
      throw KafkaError(RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE, operation: "create a Kafka client")
    }
    let all =
      settings + overrides.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    for (name, value) in all {
      let result = rd_kafka_conf_set(configuration, name, value, &text, text.count)
      guard result == RD_KAFKA_CONF_OK else {
        rd_kafka_conf_destroy(configuration)
        throw KafkaError(
          code: .invalidArgument, operation: "set the Kafka client property \(name)",
          message: String(nulTerminated: text))
      }
    }
    rd_kafka_conf_set_events(configuration, events)
    let type = kind == .producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER
    guard let pointer = rd_kafka_new(type, configuration, &text, text.count) else {
      rd_kafka_conf_destroy(configuration)
      throw KafkaError(
        code: .invalidArgument, operation: "create a Kafka client",
        message: String(nulTerminated: text))
    }
    self.pointer = pointer
  }

  /// Calls `body` with the client, which is not destroyed before it returns.
  ///
  /// - Throws: `.clientClosed` after `destroy`, and what `body` throws.
  func borrow<Result>(
    _ operation: @autoclosure () -> String, _ body: (OpaquePointer) throws(KafkaError) -> Result
  ) throws(KafkaError) -> Result {
    guard enter() else {
      throw KafkaError(code: .clientClosed, operation: operation(), message: "the client is closed")
    }
    defer { borrowers.leave() }
    return try body(pointer)
  }

  /// Calls `body` with the client, or returns nil after `destroy`.
  func borrowIfOpen<Result>(_ body: (OpaquePointer) -> Result) -> Result? {
    guard enter() else { return nil }
    defer { borrowers.leave() }
    return body(pointer)
  }

  private func enter() -> Bool {
    isOpen.withLock { isOpen in
      if isOpen { borrowers.enter() }
      return isOpen
    }
  }

  /// Destroys the client on a thread of its own.
  ///
  /// `rd_kafka_destroy` joins librdkafka's threads, which has no bound of its own; after `timeout`
  /// it goes on alone and the caller does not wait.
  ///
  /// - Parameters:
  ///   - queues: the client's queues, which have to go before it.
  ///   - last: what else has to go before it, and after the last borrower.
  /// - Returns: whether the client is gone.
  @discardableResult
  func destroy(
    flags: Int32 = 0, queues: [ClientQueue] = [], timeout: Duration,
    last: @escaping @Sendable () -> Void = {}
  ) async -> Bool {
    let isFirst = isOpen.withLock { isOpen in
      defer { isOpen = false }
      return isOpen
    }
    guard isFirst else { return true }
    return await onOwnThread(timeout: timeout) { [self] in
      borrowers.wait()
      for queue in queues { queue.destroy() }
      last()
      rd_kafka_destroy_flags(pointer, flags)
    }
  }
}

/// Runs blocking work on a thread of its own and waits for it, but no longer than `timeout`.
///
/// - Returns: whether the work is done; if not, it goes on.
@discardableResult
func onOwnThread(timeout: Duration, _ work: @escaping @Sendable () -> Void) async -> Bool {
  await withCheckedContinuation { continuation in
    let answer = OnceOnly(continuation)
    DispatchQueue(label: "kafka.close").async {
      work()
      answer.resume(true)
    }
    DispatchQueue.global().asyncAfter(
      deadline: .now() + .milliseconds(Int(timeout.milliseconds))
    ) {
      answer.resume(false)
    }
  }
}

/// A continuation that two may race to resume.
private final class OnceOnly: Sendable {
  private let continuation: Mutex<CheckedContinuation<Bool, Never>?>

  init(_ continuation: CheckedContinuation<Bool, Never>) {
    self.continuation = Mutex(continuation)
  }

  func resume(_ value: Bool) {
    let winner = continuation.withLock { continuation in
      defer { continuation = nil }
      return continuation
    }
    winner?.resume(returning: value)
  }
}

extension String {
  /// The text of a C buffer up to its terminating zero.
  init(nulTerminated buffer: [CChar]) {
    self.init(
      decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
