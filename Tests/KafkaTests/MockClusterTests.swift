import Kafka
import Testing

@Suite(.timeLimit(.minutes(10)))
struct MockClusterTests {
  /// What the documentation of `MockCluster` says of its memory.
  @Test func keepsTheNewestFiveMebibytesOfAPartition() async throws {
    try await Cluster.withMock { _, topic in
      let record = Record(
        topic: topic.name, partition: 0, value: [UInt8](repeating: 0, count: 100_000))
      try await topic.withProducer({ $0.compression = .none }) { producer in
        for _ in 0..<80 { _ = try await producer.send(record) }
      }
      try await topic.withAdmin { admin in
        let kept = try #require(try await admin.watermarks([topic[0]])[topic[0]])
        #expect(kept.upperBound == 80)
        #expect(kept.count == 5 * 1_048_576 / 100_068)
      }
    }
  }

  @Test func makesATopicWhenItIsFirstAskedFor() async throws {
    try await Cluster.withMock { mock, topic in
      try await topic.withAdmin { admin in
        let made = try await admin.metadata(topic: topic.name + "-new").topics.first
        #expect(made?.partitions.count == 4)
        let error = #expect(throws: KafkaError.self) {
          try mock.createTopic(topic.name, partitions: 1)
        }
        #expect(error?.code == .topicAlreadyExists)
      }
    }
  }

  @Test func refusesCallsAfterItsEnd() async throws {
    let mock = try MockCluster(brokers: 3)
    #expect(mock.servers.count == 3)
    await mock.close()
    await mock.close()
    let error = #expect(throws: KafkaError.self) { try mock.createTopic("late", partitions: 1) }
    #expect(error?.code == .clientClosed)
  }

  /// As after the end of the broker that was the leader.
  @Test func aNewLeaderIsFoundByWhoOnlyAsks() async throws {
    let mock = try MockCluster(brokers: 2)
    try mock.createTopic("moving", partitions: 1, replicationFactor: 2)
    let partition = TopicPartition(topic: "moving", partition: 0)
    let admin = try Admin(KafkaConfiguration(bootstrapServers: mock.servers))
    for leader: Int32 in [1, 2, 1] {
      try mock.setLeader(leader, of: partition)
      let timeout = Duration.seconds(20)
      #expect(try await admin.watermarks([partition], timeout: timeout) == [partition: 0..<0])
      #expect(
        try await admin.offsets(forTimes: [partition: -1], timeout: timeout) == [partition: 0])
    }
    await admin.close()
    await mock.close()
  }
}
