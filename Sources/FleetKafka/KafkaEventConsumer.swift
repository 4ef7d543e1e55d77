public import Contracts
public import Fleet
public import Kafka
import Synchronization

/// A service's member of its consumer group, on librdkafka.
public struct KafkaEventConsumer: EventConsumer {
  private let consumer: Consumer
  /// Asks for what a consumer can't be asked for.
  private let admin: Admin
  /// Those it reads.
  private let topics: [String]
  private let commitTimeout: Duration
  private let memory = Memory()

  private final class Memory: Sendable {
    let isSubscribed = Atomic(false)
    /// Where reading has begun, of the partitions of this assignment for which that is known; nil
    /// for the beginning of the log.
    let started = Mutex<[TopicPartition: Int64?]>([:])
  }

  /// Makes a member of the group named as the service, for the topics that the service reads. It
  /// joins when it is polled for the first time.
  ///
  /// - Parameter sessionTimeout: after how long without a sign of life the group gives the member's
  ///   partitions to others.
  /// - Parameter commitTimeout: for the commit of what is done when partitions are given up.
  public init(
    _ service: ServiceName, configuration: KafkaConfiguration, sessionTimeout: Duration,
    commitTimeout: Duration
  ) throws {
    self.commitTimeout = commitTimeout
    var kafka = configuration
    // A topic that is made, or gets partitions, after the start is seen in seconds, not in
    // librdkafka's five minutes.
    kafka.properties.merge(["topic.metadata.refresh.interval.ms": "10000"]) { given, _ in given }
    consumer = try Consumer(
      ConsumerConfiguration(
        kafka: kafka, groupID: service.rawValue, sessionTimeout: sessionTimeout,
        heartbeatInterval: min(.seconds(3), sessionTimeout / 4)))
    topics = service.subscriptions.map(\.rawValue)
    admin = try Admin(configuration)
  }

  public func poll(maximum: Int, timeout: Duration) async throws -> [Fleet.ConsumerEvent] {
    if !memory.isSubscribed.load(ordering: .relaxed) {
      try await consumer.subscribe(topics)
      memory.isSubscribed.store(true, ordering: .relaxed)
    }
    let events: [Kafka.ConsumerEvent]
    do throws(KafkaError) {
      events = try await consumer.poll(maxMessages: maximum, timeout: timeout)
    } catch {
      if error.isFatal { throw FatalClientError(error.description) }
      throw error
    }
    return events.flatMap(translate)
  }

  public func partitionCounts() async throws -> [String: Int32] {
    var counts: [String: Int32] = [:]
    for topic in try await admin.metadata(timeout: .seconds(5)).topics
    where topic.error == nil && topics.contains(topic.name) {
      counts[topic.name] = Int32(topic.partitions.count)
    }
    return counts
  }

  public func assign(_ partitions: [Partition]) async throws {
    memory.started.withLock { $0 = [:] }
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
    try await consumer.commit(offsets.byTopicPartition, timeout: commitTimeout)
  }

  public func lag() async throws -> [Partition: Int64] {
    let assigned = try consumer.assignment
    let positions = try consumer.position(assigned)
    await lookUpStart(of: assigned.filter { positions[$0] == nil })
    let started = memory.started.withLock { $0 }
    var lag: [Partition: Int64] = [:]
    for partition in assigned {
      guard let known = consumer.knownWatermarks(partition) else { continue }
      // A partition of which nothing has been read yet, and whose start is not known, is left out:
      // anything else would be a guess.
      guard let next = positions[partition] ?? started[partition].map({ $0 ?? known.lowerBound })
      else { continue }
      lag[Partition(partition)] = max(0, known.upperBound - max(next, known.lowerBound))
    }
    return lag
  }

  /// The committed offsets of partitions, once for each assignment.
  private func lookUpStart(of partitions: [TopicPartition]) async {
    let missing = memory.started.withLock { known in partitions.filter { known[$0] == nil } }
    guard !missing.isEmpty,
      let committed = try? await consumer.committed(missing, timeout: .seconds(1))
    else { return }
    memory.started.withLock { known in
      for partition in missing { known[partition] = .some(committed[partition]) }
    }
  }

  public func standings(of partitions: [Partition]) async throws -> [Partition: LogStanding] {
    let asked = partitions.map(TopicPartition.init)
    // Lanes that begin wait for this, one after the other: not for a poll each time too.
    consumer.wake()
    let committed = try await consumer.committed(asked, timeout: .seconds(2))
    // After the committed offsets, so that none of them is past the end.
    let logs = try await admin.watermarks(asked, timeout: .seconds(5))
    return logs.reduce(into: [:]) { standings, entry in
      standings[Partition(entry.key)] = LogStanding(
        log: entry.value, committed: committed[entry.key])
    }
  }

  public func ping() async throws {
    // What the group has committed, or that it has committed nothing: its coordinator answers.
    let partition = try consumer.assignment.first ?? TopicPartition(topic: topics[0], partition: 0)
    _ = try await consumer.committed([partition], timeout: .seconds(1))
  }

  public func close(timeout: Duration) async {
    await consumer.close(timeout: timeout)
    await admin.close(timeout: .seconds(1))
  }

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
        + "(\(error.message)); stop the service's workers and decide where it is to go on, with "
        + "'orderly group seek \(consumer.groupID) --partition \(partition.partition) --to …'"
      return [.offsetOutOfRange(Partition(partition), problem)]
    case .error(let error):
      return [trouble(error)]
    case .committed(let results):
      return commitFailures(results)
    case .log(let line):
      return [.notice(line.description)]
    case .endOfPartition, .statistics:
      return []
    }
  }

  private func trouble(_ error: KafkaError) -> Fleet.ConsumerEvent {
    if error.isFatal { return .fatal(FatalClientError(error.description)) }
    let problem = error.description + (error.code.advice.map { "; \($0)" } ?? "")
    switch error.code {
    case .unknownTopicOrPartition, .unknownTopic, .unknownPartition, .topicAuthorizationFailed:
      // librdkafka names the topic in the text, or in the operation where a fetch has failed.
      let topic = topics.first { error.message.contains($0) || error.operation.contains($0) }
      return .topicTrouble(topic: topic ?? topics.joined(separator: ", "), problem)
    default:
      return .trouble(problem)
    }
  }

  private func commitFailures(
    _ results: [TopicPartition: Result<Int64, KafkaError>]
  ) -> [Fleet.ConsumerEvent] {
    for case (let partition, .failure(let error)) in results {
      return [.commitFailed("\(partition): \(error)")]
    }
    return results.isEmpty ? [] : [.committed]
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
