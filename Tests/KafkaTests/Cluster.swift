import Foundation
import Kafka
import Testing

/// A cluster to test against: librdkafka's mock, or the Kafka that `ORDERLY_TEST_KAFKA` names.
enum Cluster: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case mock, apache

  /// The mock always; a real Kafka where there is one.
  static let available: [Cluster] = {
    guard apacheServers == nil else { return allCases }
    print("KafkaTests: the tests on a real Kafka are left out; ORDERLY_TEST_KAFKA is not set")
    return [.mock]
  }()

  static let apacheServers = ProcessInfo.processInfo.environment["ORDERLY_TEST_KAFKA"]
    .flatMap { $0.isEmpty ? nil : $0.split(separator: ",").map(String.init) }

  var testDescription: String { rawValue }

  /// Runs a test that also needs to disturb the cluster.
  static func withMock(
    partitions: Int32 = 1, _ body: (MockCluster, TestTopic) async throws -> Void
  ) async throws {
    let topic = "test-\(UUID().uuidString.lowercased())"
    let mock = try MockCluster()
    let result = await Self.result {
      try mock.createTopic(topic, partitions: partitions)
      try await body(
        mock, TestTopic(name: topic, partitions: partitions, servers: mock.servers))
    }
    await mock.close()
    try result.get()
  }

  /// Runs a test with a topic of its own.
  func withTopic(
    partitions: Int32 = 1, _ body: (TestTopic) async throws -> Void
  ) async throws {
    switch self {
    case .mock:
      try await Self.withMock(partitions: partitions) { _, topic in try await body(topic) }
    case .apache:
      let topic = "test-\(UUID().uuidString.lowercased())"
      let admin = try Admin(KafkaConfiguration(bootstrapServers: Self.apacheServers!))
      let result = await Self.result {
        try await admin.createTopics([NewTopic(name: topic, partitions: partitions)])[topic]?.get()
        try await body(
          TestTopic(name: topic, partitions: partitions, servers: Self.apacheServers!))
        _ = try await admin.deleteTopics([topic])
      }
      await admin.close()
      try result.get()
    }
  }

  private static func result(
    _ body: () async throws -> Void
  ) async -> Result<Void, any Error> {
    do {
      return .success(try await body())
    } catch {
      return .failure(error)
    }
  }
}

/// A topic and the cluster that it is on.
struct TestTopic: Sendable {
  let name: String
  let partitions: Int32
  let servers: [String]
  /// A group that no other test uses.
  let group = "test-\(UUID().uuidString.lowercased())"

  var all: [TopicPartition] { (0..<partitions).map { self[$0] } }

  subscript(partition: Int32) -> TopicPartition {
    TopicPartition(topic: name, partition: partition)
  }

  func kafka(_ properties: [String: String] = [:]) -> KafkaConfiguration {
    KafkaConfiguration(bootstrapServers: servers, clientID: "kafka-tests", properties: properties)
  }

  func record(_ text: String, partition: Int32? = 0) -> Record {
    Record(topic: name, partition: partition, value: Array(text.utf8))
  }

  func withProducer<Result>(
    _ configure: (inout ProducerConfiguration) -> Void = { _ in },
    _ body: (Producer) async throws -> Result
  ) async throws -> Result {
    var configuration = ProducerConfiguration(kafka: kafka())
    configure(&configuration)
    let producer = try Producer(configuration)
    let result: Swift.Result<Result, any Error>
    do { result = .success(try await body(producer)) } catch { result = .failure(error) }
    await producer.close(timeout: .seconds(5))
    return try result.get()
  }

  /// A consumer with short intervals, so that rebalances do not take long.
  func consumer(_ configure: (inout ConsumerConfiguration) -> Void = { _ in }) throws -> Consumer {
    var configuration = ConsumerConfiguration(
      kafka: kafka(), groupID: group, sessionTimeout: .seconds(6),
      heartbeatInterval: .milliseconds(200), maxPollInterval: .seconds(30))
    configure(&configuration)
    return try Consumer(configuration)
  }
}

extension Message {
  var text: String? { value.map { String(decoding: $0, as: UTF8.self) } }
}

/// A condition that has not come about in time.
struct NotReached: Error, CustomStringConvertible {
  let description: String
}

extension Consumer {
  /// Polls, answering rebalances, until `isDone` says so of an event.
  func poll(
    until what: String, timeout: Duration = .seconds(40), _ isDone: (ConsumerEvent) throws -> Bool
  ) async throws {
    let deadline = ContinuousClock.now + timeout
    while ContinuousClock.now < deadline {
      for event in try self.poll(timeout: .milliseconds(200)) {
        switch event {
        case .assigned(let partitions): try assign(partitions)
        case .revoked: try unassign()
        default: break
        }
        if try isDone(event) { return }
      }
    }
    throw NotReached(description: "not within \(timeout): \(what)")
  }

  /// Polls until `count` messages have come.
  func messages(_ count: Int) async throws -> [Message] {
    var messages: [Message] = []
    try await poll(until: "\(count) messages") { event in
      if case .messages(let more) = event { messages += more }
      return messages.count >= count
    }
    return messages
  }
}
