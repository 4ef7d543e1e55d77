import Kafka
import Testing

@Suite(.timeLimit(.minutes(10)))
struct ReaderTests {
  @Test(arguments: Cluster.available)
  func readsPartitionsToTheirEndWithoutAGroup(_ cluster: Cluster) async throws {
    try await cluster.withTopic(partitions: 2) { topic in
      try await topic.withProducer { producer in try await topic.send(0..<10, by: producer) }
      let reader = try PartitionReader(topic.kafka())
      try await reader.assign([topic[0]: 3, topic[1]: 0])
      let (messages, ends) = try await reader.readToEnd(of: 2)
      #expect(messages.filter { $0.partition == 0 }.map(\.offset) == [3, 4])
      #expect(messages.filter { $0.partition == 1 }.map(\.offset) == [0, 1, 2, 3, 4])
      #expect(ends == [topic[0]: 5, topic[1]: 5])
      try await reader.assign([topic[0]: 5, topic[1]: 5])
      #expect(try await reader.readToEnd(of: 2).messages.isEmpty)
      await reader.close()
    }
  }

  @Test(arguments: Cluster.available)
  func saysThatAnOffsetIsOutOfRange(_ cluster: Cluster) async throws {
    try await cluster.withTopic { topic in
      try await topic.withProducer { _ = try await $0.send(topic.record("a")) }
      let reader = try PartitionReader(topic.kafka())
      try await reader.assign([topic[0]: 100])
      var found: (TopicPartition, Int64, KafkaError)?
      while found == nil {
        for event in try await reader.poll(timeout: .seconds(1)) {
          if case .offsetOutOfRange(let partition, let offset, let error) = event {
            found = (partition, offset, error)
          }
        }
      }
      #expect(found?.0 == topic[0])
      #expect(found?.1 == 100)
      #expect(found?.2.code == .offsetOutOfRange)
      await reader.close()
    }
  }
}

extension PartitionReader {
  fileprivate func readToEnd(
    of partitions: Int
  ) throws -> (messages: [Message], ends: [TopicPartition: Int64]) {
    var messages: [Message] = []
    var ends: [TopicPartition: Int64] = [:]
    while ends.count < partitions {
      for event in try poll(timeout: .seconds(1)) {
        switch event {
        case .messages(let more): messages += more
        case .endOfPartition(let partition, let offset): ends[partition] = offset
        case .error(let error): throw error
        default: break
        }
      }
    }
    return (messages, ends)
  }
}
