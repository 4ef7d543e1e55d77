public import Contracts
public import Fleet
public import Kafka

/// A service's member of its consumer group, on librdkafka.
public struct KafkaEventConsumer: EventConsumer {
  private let consumer: Consumer
  /// One of those it reads.
  private let topic: String

  /// Joins the group named as the service, for the topics that the service reads.
  ///
  /// - Parameter sessionTimeout: after how long without a sign of life the group gives the member's
  ///   partitions to others.
  public init(
    _ service: ServiceName, configuration: KafkaConfiguration, sessionTimeout: Duration
  ) async throws {
    var kafka = configuration
    // A topic that is made, or gets partitions, after the start is seen in seconds, not in
    // librdkafka's five minutes.
    kafka.properties.merge(["topic.metadata.refresh.interval.ms": "10000"]) { given, _ in given }
    consumer = try Consumer(
      ConsumerConfiguration(
        kafka: kafka, groupID: service.rawValue, sessionTimeout: sessionTimeout,
        heartbeatInterval: min(.seconds(3), sessionTimeout / 4)))
    topic = service.subscriptions[0].rawValue
    try await consumer.subscribe(service.subscriptions.map(\.rawValue))
  }

  public func poll(maximum: Int, timeout: Duration) async throws -> [Fleet.ConsumerEvent] {
    try await consumer.poll(maxMessages: maximum, timeout: timeout).flatMap(translate)
  }

  public func assign(_ partitions: [Partition]) async throws {
    try await consumer.assign(partitions.map(TopicPartition.init))
  }

  public func unassign() async throws { try await consumer.unassign() }

  public func pause(_ partitions: [Partition]) async throws {
    try consumer.pause(partitions.map(TopicPartition.init))
  }

  public func resume(_ partitions: [Partition]) async throws {
    try consumer.resume(partitions.map(TopicPartition.init))
  }

  public func commitInBackground(_ offsets: [Partition: Int64]) async throws {
    try consumer.commitInBackground(offsets.byTopicPartition)
  }

  public func commit(_ offsets: [Partition: Int64]) async throws {
    // Within the time that a stopping process is given.
    try await consumer.commit(offsets.byTopicPartition, timeout: .seconds(5))
  }

  public func lag() async throws -> [Partition: Int64] {
    let assigned = try consumer.assignment
    let positions = try consumer.position(assigned)
    var lag: [Partition: Int64] = [:]
    for partition in assigned {
      guard let known = consumer.knownWatermarks(partition) else { continue }
      lag[Partition(partition)] = max(
        0, known.upperBound - (positions[partition] ?? known.lowerBound))
    }
    return lag
  }

  public func ping() async throws {
    // What the group has committed, or that it has committed nothing: its coordinator answers.
    let partition = try consumer.assignment.first ?? TopicPartition(topic: topic, partition: 0)
    _ = try await consumer.committed([partition], timeout: .seconds(1))
  }

  public func close(timeout: Duration) async { await consumer.close(timeout: timeout) }

  private func translate(_ event: Kafka.ConsumerEvent) -> [Fleet.ConsumerEvent] {
    switch event {
    case .messages(let messages):
      return [.messages(messages.map(RawMessage.init))]
    case .assigned(let partitions):
      return [.assigned(partitions.map(Partition.init))]
    case .revoked(let partitions, let lost):
      return [.revoked(partitions.map(Partition.init), lost: lost)]
    case .offsetOutOfRange(let partition, let offset, let error):
      let problem =
        "offset \(offset) is no longer in the log, records were deleted before they were read "
        + "(\(error.message)); decide where to go on with 'orderly group seek'"
      return [.offsetOutOfRange(Partition(partition), problem)]
    case .error(let error):
      return [.trouble(error.description + (error.code.advice.map { "; \($0)" } ?? ""))]
    case .committed(let results):
      return commitFailures(results)
    case .log(let line):
      return [.notice(line.description)]
    case .endOfPartition, .statistics:
      return []
    }
  }

  private func commitFailures(
    _ results: [TopicPartition: Result<Int64, KafkaError>]
  ) -> [Fleet.ConsumerEvent] {
    for case (let partition, .failure(let error)) in results {
      return [.commitFailed("\(partition): \(error)")]
    }
    return []
  }
}

extension KafkaError.Code {
  /// What an operator can do about it.
  fileprivate var advice: String? {
    switch self {
    case .unknownTopicOrPartition, .unknownTopic: "run 'orderly topics apply'"
    case .authentication: "check KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"
    case .topicAuthorizationFailed, .groupAuthorizationFailed:
      "the Kafka user needs rights on the service's topics and group"
    default: nil
    }
  }
}

extension RawMessage {
  init(_ message: Message) {
    self.init(
      partition: Partition(message.topicPartition), offset: message.offset, key: message.key,
      value: message.value, headers: message.headers.map { EventHeader($0.name, $0.value) })
  }
}

extension Partition {
  init(_ partition: TopicPartition) {
    self.init(topic: partition.topic, number: partition.partition)
  }
}

extension TopicPartition {
  init(_ partition: Partition) {
    self.init(topic: partition.topic, partition: partition.number)
  }
}

extension [Partition: Int64] {
  fileprivate var byTopicPartition: [TopicPartition: Int64] {
    [TopicPartition: Int64](uniqueKeysWithValues: map { (TopicPartition($0.key), $0.value) })
  }
}
