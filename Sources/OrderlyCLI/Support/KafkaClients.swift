import Foundation
import Kafka

extension GlobalOptions {
  /// Runs `body` with a client that looks at the cluster and changes it.
  ///
  /// - Throws: ``CommandFailure`` in the place of a `KafkaError`; what else `body` throws.
  func withAdmin<R: Sendable>(
    _ body: (Admin, KafkaConfiguration) async throws -> R
  ) async throws -> R {
    let configuration = try kafka()
    return try await OrderlyCLI.withAdmin(configuration) { try await body($0, configuration) }
  }

  /// Runs `body` with a producer, and waits for what it has written.
  ///
  /// - Throws: as ``withAdmin(_:)``.
  func withProducer<R: Sendable>(_ body: (Producer) async throws -> R) async throws -> R {
    let configuration = try kafka()
    return try await explaining(configuration) {
      let producer = try Producer(ProducerConfiguration(kafka: configuration))
      return try await running {
        try await body(producer)
      } closing: {
        await producer.close(timeout: .seconds(5))
      }
    }
  }

  /// Runs `body` with a client that reads partitions and joins no group.
  ///
  /// - Throws: as ``withAdmin(_:)``.
  func withReader<R: Sendable>(_ body: (PartitionReader) async throws -> R) async throws -> R {
    let configuration = try kafka()
    return try await explaining(configuration) {
      let reader = try PartitionReader(configuration)
      return try await running {
        try await body(reader)
      } closing: {
        await reader.close()
      }
    }
  }
}

/// Runs `body` with a client that looks at the cluster and changes it.
///
/// - Throws: ``CommandFailure`` in the place of a `KafkaError`; what else `body` throws.
func withAdmin<R: Sendable>(
  _ configuration: KafkaConfiguration, _ body: (Admin) async throws -> R
) async throws -> R {
  try await explaining(configuration) {
    let admin = try Admin(configuration)
    return try await running {
      try await body(admin)
    } closing: {
      await admin.close()
    }
  }
}

/// Runs `body`, and says in a sentence what Kafka has thrown.
private func explaining<R>(
  _ configuration: KafkaConfiguration, _ body: () async throws -> R
) async throws -> R {
  do {
    return try await body()
  } catch let error as KafkaError {
    throw CommandFailure(error.sentence(configuration.bootstrapServers))
  }
}
