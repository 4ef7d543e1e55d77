import Kafka
import Testing

@Suite(.timeLimit(.minutes(10)))
struct ConsumerTests {
  @Test(arguments: Cluster.available)
  func goesOnAtTheCommittedOffset(_ cluster: Cluster) async throws {
    try await cluster.withTopic(partitions: 2) { topic in
      try await topic.withProducer { producer in
        for result in await producer.send(
          (0..<10).map { topic.record("\($0)", partition: Int32($0 % 2)) })
        {
          _ = try result.get()
        }
      }
      let first = try topic.consumer()
      try await first.subscribe([topic.name])
      _ = try await first.messages(10)
      #expect(try first.position(topic.all) == [topic[0]: 5, topic[1]: 5])
      #expect(try first.assignment.sorted() == topic.all)
      // Only one partition has a committed offset; the other starts at the beginning again.
      try await first.commit([topic[0]: 3])
      #expect(try await first.committed(topic.all) == [topic[0]: 3])
      await first.close(timeout: .seconds(10))

      let second = try topic.consumer()
      try await second.subscribe([topic.name])
      let messages = try await second.messages(7)
      await second.close(timeout: .seconds(10))
      #expect(messages.filter { $0.partition == 0 }.map(\.offset) == [3, 4])
      #expect(messages.filter { $0.partition == 1 }.map(\.offset) == [0, 1, 2, 3, 4])
    }
  }

  @Test(arguments: Cluster.available)
  func tellsWhatBecameOfABackgroundCommit(_ cluster: Cluster) async throws {
    try await cluster.withTopic { topic in
      try await topic.withProducer { _ = try await $0.send(topic.record("a")) }
      let consumer = try topic.consumer()
      try await consumer.subscribe([topic.name])
      _ = try await consumer.messages(1)
      try consumer.commitInBackground([topic[0]: 1])
      try await consumer.poll(until: "the commit's result") { event in
        guard case .committed(let results) = event else { return false }
        #expect(results[topic[0]] == .success(1))
        return true
      }
      #expect(try await consumer.committed(topic.all) == [topic[0]: 1])
      await consumer.close(timeout: .seconds(10))
    }
  }

  @Test(arguments: Cluster.available)
  func handsPartitionsOverWithoutLosingAMessage(_ cluster: Cluster) async throws {
    try await cluster.withTopic(partitions: 4) { topic in
      try await topic.withProducer { producer in
        let handled = Handled()
        async let first: Void = topic.work("first", handled, until: 400)
        try await topic.send(0..<200, by: producer)
        await handled.wait { $0.distinct.count >= 100 }
        async let second: Void = topic.work("second", handled, until: 400)
        await handled.wait { $0.members.contains("second") }
        try await topic.send(200..<400, by: producer)
        _ = try await (first, second)
        let texts = await handled.texts
        #expect(await handled.distinct == Set((0..<400).map(String.init)))
        // Both commit before they give back, so nothing is handled twice either. The mock cluster
        // refuses commits while a group is rebalancing.
        if cluster == .apache { #expect(texts.count == 400) }
      }
    }
  }

  @Test(arguments: Cluster.available)
  func pausesAndResumesAPartition(_ cluster: Cluster) async throws {
    try await cluster.withTopic(partitions: 2) { topic in
      try await topic.withProducer { producer in
        let consumer = try topic.consumer()
        try await consumer.subscribe([topic.name])
        try await consumer.poll(until: "an assignment") {
          if case .assigned = $0 { true } else { false }
        }
        try consumer.pause([topic[0]])
        _ = try await producer.send(topic.record("held", partition: 0))
        _ = try await producer.send(topic.record("free", partition: 1))
        #expect(try await consumer.messages(1).map(\.text) == ["free"])
        try consumer.resume([topic[0]])
        #expect(try await consumer.messages(1).map(\.text) == ["held"])
        await consumer.close(timeout: .seconds(10))
      }
    }
  }

  @Test func saysThatTheGroupCannotBeReachedAndClosesInTime() async throws {
    try await Cluster.withMock { mock, topic in
      try await topic.withProducer { _ = try await $0.send(topic.record("a")) }
      let consumer = try topic.consumer()
      try await consumer.subscribe([topic.name])
      _ = try await consumer.messages(1)
      try mock.takeDown()
      try await consumer.poll(until: "an error") {
        if case .error(let error) = $0 { !error.isFatal && error.isRetriable } else { false }
      }
      await #expect(throws: KafkaError.self) {
        try await consumer.commit([topic[0]: 1], timeout: .milliseconds(300))
      }
      await consumer.close(timeout: .milliseconds(500))
      await #expect(throws: KafkaError.self) { try await consumer.poll(timeout: .zero) }
    }
  }

  @Test(arguments: Cluster.available)
  func leavesTheGroupWithALastRevocation(_ cluster: Cluster) async throws {
    try await cluster.withTopic { topic in
      let consumer = try topic.consumer()
      try await consumer.subscribe([topic.name])
      try await consumer.poll(until: "an assignment") {
        if case .assigned = $0 { true } else { false }
      }
      try await consumer.leave()
      try await consumer.leave()
      try await consumer.poll(until: "the last revocation") {
        guard case .revoked(let partitions, let isLost) = $0 else { return false }
        #expect(partitions == topic.all)
        #expect(!isLost)
        return true
      }
      while !consumer.hasLeft { _ = try await consumer.poll(timeout: .milliseconds(20)) }
      await consumer.close(timeout: .seconds(5))
    }
  }

  @Test func closesUnderAPollThatWaits() async throws {
    try await Cluster.withMock { _, topic in
      let consumer = try topic.consumer()
      async let events = consumer.poll(timeout: .seconds(600))
      await consumer.close(timeout: .seconds(5))
      // Whether the poll came before the closing or after it, it does not wait.
      _ = try? await events
    }
  }

  @Test(arguments: Cluster.available)
  func wakesAPoll(_ cluster: Cluster) async throws {
    try await cluster.withTopic { topic in
      let consumer = try topic.consumer()
      consumer.wake()
      #expect(try await consumer.poll(timeout: .seconds(600)).isEmpty)
      await consumer.close(timeout: .seconds(5))
    }
  }
}
