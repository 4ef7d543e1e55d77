internal import BlockingExecutor
internal import CRDKafka

/// Looks at a cluster and changes what is in it.
///
/// Every call waits for a broker, no longer than its `timeout`. Calls run one after the other, on
/// the client's own thread. librdkafka's mock cluster does not answer most of them: those throw
/// `.unsupportedFeature`.
public actor Admin {
  private nonisolated let executor: BlockingExecutor
  /// The client's own thread: its calls block.
  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    executor.asUnownedSerialExecutor()
  }

  let configuration: KafkaConfiguration
  let client: ClientHandle
  private let mainQueue: ClientQueue
  private var lastError: KafkaError?

  /// Starts a client. Does not wait for a broker.
  ///
  /// - Throws: `.invalidArgument` naming the property that is unknown or wrong.
  public init(_ configuration: KafkaConfiguration) throws(KafkaError) {
    executor = BlockingExecutor(label: "kafka.admin")
    self.configuration = configuration
    client = try ClientHandle(
      .producer, settings: configuration.settings(), overrides: configuration.properties,
      events: RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG)
    mainQueue = try client.borrow("create an admin client") { client in
      rd_kafka_set_log_queue(client, nil)
      return ClientQueue(owning: rd_kafka_queue_get_main(client))
    }
  }

  /// Ends the client.
  public func close(timeout: Duration = .seconds(2)) async {
    await client.destroy(queues: [mainQueue], timeout: timeout)
  }

  /// Makes one admin call: `send` enqueues the request, `read` copies the answer.
  func call<Answer>(
    _ operation: String, _ kind: rd_kafka_admin_op_t, timeout: Duration,
    _ send: (OpaquePointer, _ options: OpaquePointer, _ answers: OpaquePointer) -> Void,
    _ read: (OpaquePointer) throws(KafkaError) -> Answer
  ) throws(KafkaError) -> Answer {
    try explaining(operation) { (client) throws(KafkaError) in
      guard let options = rd_kafka_AdminOptions_new(client, kind) else {
        throw KafkaError(
          code: .unsupportedFeature, operation: operation,
          message: "this version of librdkafka has no such call")
      }
      defer { rd_kafka_AdminOptions_destroy(options) }
      var text = [CChar](repeating: 0, count: 512)
      try KafkaError.check(
        rd_kafka_AdminOptions_set_request_timeout(
          options, max(1, timeout.milliseconds), &text, text.count), operation)
      // librdkafka does not find out by itself but waits for the whole timeout.
      if Self.clusterID(client, timeout: timeout)?.hasPrefix("mockCluster") == true {
        throw KafkaError(
          code: .unsupportedFeature, operation: operation,
          message: "librdkafka's mock cluster does not have this call; use an Apache Kafka")
      }
      let answers = ClientQueue(owning: rd_kafka_queue_new(client))
      defer { answers.destroy() }
      send(client, options, answers.pointer)
      // The request has its own timeout; the queue's is a second longer so that its reason is seen.
      let answer = answers.poll((timeout + .seconds(1)).milliseconds) { event in
        Result { () throws(KafkaError) in
          if event.error != RD_KAFKA_RESP_ERR_NO_ERROR {
            throw event.kafkaError(client: client, operation: operation)
          }
          return try read(event.pointer)
        }
      }
      guard let answer else { throw KafkaError(code: .timedOut, operation: operation) }
      return try answer.get()
    }
  }

  /// Lends the client, and says why when a call takes too long, such as which broker cannot be
  /// reached.
  func explaining<Answer>(
    _ operation: String, _ body: (OpaquePointer) throws(KafkaError) -> Answer
  ) throws(KafkaError) -> Answer {
    do {
      let answer = try client.borrow(operation, body)
      takeEvents()
      lastError = nil
      return answer
    } catch {
      takeEvents()
      guard [.timedOut, .transport].contains(error.code), let cause = lastError else { throw error }
      throw KafkaError(
        code: error.code, operation: error.operation, message: "\(error.message): \(cause.message)")
    }
  }

  static func clusterID(_ client: OpaquePointer, timeout: Duration) -> String? {
    guard let name = rd_kafka_clusterid(client, timeout.milliseconds) else { return nil }
    defer { rd_kafka_mem_free(client, name) }
    return String(cString: name)
  }

  /// Waits a moment on the client's own thread.
  func waitForEvent(milliseconds: Int32) {
    takeEvents(firstWithin: milliseconds)
  }

  /// Empties the client's queue, and keeps the last error for `explaining`.
  private func takeEvents(firstWithin milliseconds: Int32 = 0) {
    _ = client.borrowIfOpen { client in
      var milliseconds = milliseconds
      while let event = mainQueue.poll(
        milliseconds, { $0.clientEvent(client: client, operation: client.clientName) })
      {
        milliseconds = 0
        // That all brokers are down is less than why one of them is.
        if case .error(let error) = event, error.code != .allBrokersDown || lastError == nil {
          lastError = error
        }
      }
    }
  }
}

/// Copies a list of results that C has as an array of pointers and a count.
func copyAll<Element>(
  _ count: (UnsafeMutablePointer<Int>) -> UnsafeMutablePointer<OpaquePointer?>?,
  _ copy: (OpaquePointer) throws(KafkaError) -> Element
) throws(KafkaError) -> [Element] {
  var size = 0
  guard let array = count(&size) else { return [] }
  var elements: [Element] = []
  elements.reserveCapacity(size)
  for index in 0..<size {
    if let pointer = array[index] { elements.append(try copy(pointer)) }
  }
  return elements
}
