import Kafka
import Testing

@Suite(.timeLimit(.minutes(10)))
struct ProducerTests {
  @Test(arguments: Cluster.available)
  func reportsTheFailureOfEachRecordAndWritesTheOthers(_ cluster: Cluster) async throws {
    try await cluster.withTopic { topic in
      let tooLarge = Record(
        topic: topic.name, partition: 0, value: [UInt8](repeating: 1, count: 3000))
      let nowhere = topic.record("no such partition", partition: 77)
      let results = try await topic.withProducer({ $0.maximumMessageSize = 2000 }) { producer in
        await producer.send([topic.record("a"), tooLarge, nowhere, topic.record("b")])
      }
      #expect(try results[0].get().offset == 0)
      #expect(results[1].error?.code == .messageSizeTooLarge)
      #expect(results[1].error?.isRetriable == false)
      #expect(results[1].error?.operation == "produce to \(topic[0])")
      #expect(results[2].error?.code == .unknownPartition)
      #expect(try results[3].get().offset == 1)
    }
  }

  @Test func reportsATopicThatTheBrokerDoesNotKnow() async throws {
    try await Cluster.withMock { mock, topic in
      try mock.setError(.unknownTopicOrPartition, ofTopic: topic.name)
      let result = try await topic.withProducer({
        $0.kafka.properties["topic.metadata.propagation.max.ms"] = "100"
      }) { producer in
        await producer.send([topic.record("a")])[0]
      }
      let code = result.error?.code
      #expect(code == .unknownTopicOrPartition || code == .unknownTopic)
    }
  }

  @Test(arguments: Cluster.available)
  func waitsForRoomWhenItsQueueIsFull(_ cluster: Cluster) async throws {
    try await cluster.withTopic { topic in
      let texts = (0..<500).map(String.init)
      let offsets = try await topic.withProducer({
        $0.queuedMaximumMessages = 7
        $0.linger = .zero
      }) { producer in
        try await withThrowingTaskGroup(of: [Int64].self) { group in
          for _ in 0..<4 {
            group.addTask {
              try await producer.send(texts.map { topic.record($0) }).map { try $0.get().offset }
            }
          }
          return try await group.reduce(into: []) { $0.append($1) }
        }
      }
      for batch in offsets { #expect(batch == batch.sorted()) }
      #expect(Set(offsets.joined()) == Set(0..<2000))
    }
  }

  @Test(arguments: Cluster.available)
  func writesEachRecordOnceFromManyTasks(_ cluster: Cluster) async throws {
    try await cluster.withTopic(partitions: 4) { topic in
      let positions = try await topic.withProducer { producer in
        try await withThrowingTaskGroup(of: [RecordPosition].self) { group in
          for task in 0..<50 {
            group.addTask {
              try await producer.send(
                (0..<40).map { topic.record("\(task)-\($0)", partition: nil) }
              ).map { try $0.get() }
            }
          }
          return try await group.reduce(into: []) { $0 += $1 }
        }
      }
      #expect(Set(positions).count == 2000)
    }
  }

  @Test func takesUpAgainWhereABrokerWasDown() async throws {
    try await Cluster.withMock { mock, topic in
      try await topic.withProducer { producer in
        _ = try await producer.send(topic.record("before"))
        try mock.pushErrors([.notLeaderForPartition, .notEnoughReplicas], for: .produce)
        #expect(try await producer.send(topic.record("after")).offset == 1)
      }
    }
  }

  @Test func saysThatNoBrokerCanBeReached() async throws {
    let (events, continuation) = AsyncStream.makeStream(of: ClientEvent.self)
    let kafka = KafkaConfiguration(bootstrapServers: ["127.0.0.1:1"])
    let producer = try Producer(
      ProducerConfiguration(kafka: kafka, messageTimeout: .milliseconds(300))
    ) { continuation.yield($0) }
    var codes: Set<KafkaError.Code> = []
    for await case .error(let error) in events {
      codes.insert(error.code)
      if codes.isSuperset(of: [.transport, .allBrokersDown]) { break }
    }
    let result = await producer.send([Record(topic: "none", value: [1])])[0]
    #expect(result.error?.code == .messageTimedOut)
    #expect(result.error?.isRetriable == true)
    await producer.close(timeout: .zero)
  }

  @Test func closingFailsWhatCannotBeWrittenAndEndsInTime() async throws {
    let kafka = KafkaConfiguration(bootstrapServers: ["127.0.0.1:1"])
    let producer = try Producer(
      ProducerConfiguration(kafka: kafka, queuedMaximumMessages: 10))
    // More than the queue holds: one sender waits for reports, the other for room too.
    async let few = producer.send((0..<5).map { _ in Record(topic: "none", value: [1]) })
    async let many = producer.send((0..<50).map { _ in Record(topic: "none", value: [1]) })
    await producer.close(timeout: .milliseconds(200))
    for result in await few + many {
      let code = try #require(result.error?.code)
      #expect([.purgedInQueue, .purgedInFlight, .clientClosed].contains(code))
    }
    let late = await producer.send([Record(topic: "none", value: [1])])[0]
    #expect(late.error?.code == .clientClosed)
    await producer.close(timeout: .zero)
  }
}

extension Result {
  var error: Failure? {
    if case .failure(let error) = self { error } else { nil }
  }
}
