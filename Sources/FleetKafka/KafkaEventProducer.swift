import Contracts
public import Fleet
public import Kafka
import Synchronization

/// Publishes events through an idempotent librdkafka producer. One for each process.
public final class KafkaEventProducer: EventProducer {
  private let producer: Producer
  private let fatal: FatalSlot

  /// What the producer's thread and those who publish have found out.
  private final class FatalSlot: Sendable {
    private let error = Mutex<FatalClientError?>(nil)

    var value: FatalClientError? { error.withLock { $0 } }

    func note(_ kafkaError: KafkaError) {
      guard kafkaError.isFatal else { return }
      error.withLock { $0 = $0 ?? FatalClientError(kafkaError.description) }
    }
  }

  /// - Parameter onEvent: is called on the producer's thread, and must return soon.
  public init(
    _ configuration: KafkaConfiguration, onEvent: (@Sendable (ClientEvent) -> Void)? = nil
  ) throws {
    let fatal = FatalSlot()
    self.fatal = fatal
    producer = try Producer(
      ProducerConfiguration(
        kafka: configuration,
        // No limit: a record that timed out while a later one of its order was written would put
        // the two out of order. A lane waits instead, and what it waits for is in the outbox.
        messageTimeout: .zero,
        // A dead letter is an original that just fit, and more headers.
        maximumMessageSize: 2 << 20)
    ) { event in
      if case .error(let error) = event { fatal.note(error) }
      onEvent?(event)
    }
  }

  public func publish(_ records: [OutboundRecord]) async -> [(any Error)?] {
    await producer.send(
      records.map { record in
        Record(
          topic: record.partition.topic, partition: record.partition.number, key: record.key,
          value: record.value,
          headers: record.headers.map { Header(name: $0.name, value: $0.value) })
      }
    ).map { result -> (any Error)? in
      switch result {
      case .success: return nil
      case .failure(let error):
        fatal.note(error)
        return error
      }
    }
  }

  public var fatalError: FatalClientError? { fatal.value }

  /// Writes what has been handed over, and fails what can't be written within `timeout`.
  public func close(timeout: Duration) async { await producer.close(timeout: timeout) }
}
