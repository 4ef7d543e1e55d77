internal import CRDKafka
internal import Synchronization

/// Writes records, each of them once and in order as long as the client lives.
///
/// May be used from any number of tasks at once. Delivery reports are taken by a thread that
/// `close` ends; a producer that is dropped without having been closed keeps its threads.
public final class Producer: Sendable {
  private let client: ClientHandle
  private let deliveries: DeliveryThread

  /// Starts a producer. Does not wait for a broker: one that cannot be reached is told to `onEvent`.
  ///
  /// - Parameter onEvent: is called on the producer's thread, and must return soon.
  /// - Throws: `.invalidArgument` naming the property that is unknown or wrong.
  public init(
    _ configuration: ProducerConfiguration, onEvent: (@Sendable (ClientEvent) -> Void)? = nil
  ) throws(KafkaError) {
    guard configuration.queuedMaximumKibibytes * 1024 >= configuration.maximumMessageSize else {
      throw KafkaError(
        code: .invalidArgument, operation: "create a producer",
        message: "queuedMaximumKibibytes must have room for one record of maximumMessageSize")
    }
    client = try ClientHandle(
      .producer, settings: configuration.settings(), overrides: configuration.kafka.properties,
      events: RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG | RD_KAFKA_EVENT_STATS)
    deliveries = try DeliveryThread(client, onEvent: onEvent)
  }

  /// Writes records and waits until each has been acknowledged by all replicas in step, or has
  /// failed.
  ///
  /// The records are enqueued in their order, and those of one partition are written in it. When
  /// the client's queue is full this waits for room. Cancelling the task changes nothing: what has
  /// been enqueued will be written.
  ///
  /// - Returns: one result for each record, in the order of the records.
  public func send(_ records: [Record]) async -> [Result<RecordPosition, KafkaError>] {
    guard !records.isEmpty else { return [] }
    guard let batch = deliveries.open(count: records.count) else {
      return records.map {
        .failure(Self.error(DeliveryOutcome(error: RD_KAFKA_RESP_ERR__DESTROY), $0))
      }
    }
    var next = 0
    while true {
      let reports = deliveries.reportCount
      next = enqueue(records, from: next, batch: batch)
      guard next < records.count else { break }
      await deliveries.waitForRoom(since: reports)
    }
    let outcomes = await deliveries.wait(for: batch)
    return zip(records, outcomes).map { record, outcome in
      guard outcome.error == RD_KAFKA_RESP_ERR_NO_ERROR.rawValue else {
        return .failure(Self.error(outcome, record))
      }
      return .success(
        RecordPosition(topic: record.topic, partition: outcome.partition, offset: outcome.offset))
    }
  }

  /// Writes one record and waits until it has been acknowledged.
  ///
  /// - Throws: `KafkaError` when it has failed.
  public func send(_ record: Record) async throws(KafkaError) -> RecordPosition {
    try await send([record])[0].get()
  }

  /// Writes what has been enqueued, fails what cannot be written in time, and ends the client.
  ///
  /// Calls of `send` that are waiting return; later ones fail with `.clientClosed`.
  ///
  /// - Parameter timeout: for the writing. The end of the client may take two seconds more.
  public func close(timeout: Duration) async {
    guard deliveries.close() else { return }
    await onOwnThread(timeout: timeout + .seconds(1)) { [client] in
      _ = client.borrowIfOpen { client in
        // With delivery reports as events, this waits for the other thread to have taken them all.
        guard rd_kafka_flush(client, timeout.milliseconds) != RD_KAFKA_RESP_ERR_NO_ERROR else {
          return
        }
        rd_kafka_purge(client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
        rd_kafka_flush(client, 500)
      }
    }
    await deliveries.stop()
    await client.destroy(queues: [deliveries.queue], timeout: .seconds(1))
  }

  /// Enqueues from `first` on until the queue is full, and settles what is refused.
  ///
  /// - Returns: the index of the first record that has not been enqueued.
  private func enqueue(_ records: [Record], from first: Int, batch: UInt32) -> Int {
    let next = client.borrowIfOpen { client in
      for index in first..<records.count {
        let id = RecordID(batch: batch, index: index)
        let error =
          deliveries.isClosing
          ? RD_KAFKA_RESP_ERR__DESTROY : records[index].enqueue(on: client, opaque: id.opaque)
        guard let error else { continue }
        if error == RD_KAFKA_RESP_ERR__QUEUE_FULL { return index }
        deliveries.settle(id, DeliveryOutcome(error: error))
      }
      return records.count
    }
    if let next { return next }
    for index in first..<records.count {
      deliveries.settle(
        RecordID(batch: batch, index: index), DeliveryOutcome(error: RD_KAFKA_RESP_ERR__DESTROY))
    }
    return records.count
  }

  private static func error(_ outcome: DeliveryOutcome, _ record: Record) -> KafkaError {
    let partition = outcome.partition >= 0 ? outcome.partition : record.partition
    let place = partition.map { "\(record.topic)[\($0)]" } ?? record.topic
    let code = KafkaError.Code(rawValue: outcome.error)
    return KafkaError(
      code: code, operation: "produce to \(place)",
      message: code == .clientClosed ? "the producer is closed" : nil, isFatal: code == .fatal)
  }
}

extension DeliveryOutcome {
  /// A record that the client has refused.
  fileprivate init(error: rd_kafka_resp_err_t) {
    self.init(partition: -1, offset: -1, error: error.rawValue)
  }
}
