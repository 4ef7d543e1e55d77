import Contracts
public import Fleet
public import Kafka

/// Publishes events through an idempotent librdkafka producer. One for each process.
public struct KafkaEventProducer: EventProducer {
  private let producer: Producer

  /// - Parameter onEvent: is called on the producer's thread, and must return soon.
  public init(
    _ configuration: KafkaConfiguration, onEvent: (@Sendable (ClientEvent) -> Void)? = nil
  ) throws {
    producer = try Producer(
      ProducerConfiguration(
        kafka: configuration,
        // No limit: a record that timed out while a later one of its order was written would put
        // the two out of order. A lane waits instead, and what it waits for is in the outbox.
        messageTimeout: .zero,
        // A dead letter is an original that just fit, and more headers.
        maximumMessageSize: 2 << 20), onEvent: onEvent)
  }

  public func publish(_ records: [OutboundRecord]) async -> [(any Error)?] {
    await producer.send(
      records.map { record in
        Record(
          topic: record.partition.topic, partition: record.partition.number, key: record.key,
          value: record.value,
          headers: record.headers.map { Header(name: $0.name, value: $0.value) })
      }
    ).map { result in
      switch result {
      case .success: nil
      case .failure(let error): error
      }
    }
  }

  /// Writes what has been handed over, and fails what can't be written within `timeout`.
  public func close(timeout: Duration) async { await producer.close(timeout: timeout) }
}
