import Kafka
import Testing

@Suite(.timeLimit(.minutes(10)))
struct RoundTripTests {
  @Test(arguments: Cluster.available)
  func keepsKeysValuesAndHeadersAsTheyAre(_ cluster: Cluster) async throws {
    try await cluster.withTopic { topic in
      let records = [
        Record(
          topic: topic.name, key: Array("k".utf8), value: Array("v".utf8),
          headers: [
            Header("trace", "a"), Header("trace", "b"), Header(name: "none", value: nil),
            Header(name: "empty", value: []), Header("a-name-longer-than-fifteen-bytes", "ü"),
          ], timestamp: 1_700_000_000_123),
        Record(topic: topic.name, key: nil, value: nil),
        Record(topic: topic.name, key: [], value: []),
        Record(topic: topic.name, key: [0, 255, 0], value: [0]),
      ]
      let positions = try await topic.withProducer { producer in
        try await producer.send(records).map { try $0.get() }
      }
      #expect(positions.map(\.offset) == [0, 1, 2, 3])
      #expect(positions.allSatisfy { $0.topicPartition == topic[0] })

      let consumer = try topic.consumer()
      try await consumer.subscribe([topic.name])
      let messages = try await consumer.messages(records.count)
      await consumer.close(timeout: .seconds(10))
      #expect(messages.map(\.key) == records.map(\.key))
      #expect(messages.map(\.value) == records.map(\.value))
      #expect(messages.map(\.headers) == records.map(\.headers))
      #expect(messages.map(\.offset) == [0, 1, 2, 3])
      #expect(messages[0].timestamp == 1_700_000_000_123)
      #expect(messages[1].timestamp != nil)
    }
  }

  @Test(arguments: Cluster.available)
  func keepsTheOrderOfManyRecordsInEachPartition(_ cluster: Cluster) async throws {
    try await cluster.withTopic(partitions: 3) { topic in
      let records = (0..<6000).map { topic.record("\($0)", partition: Int32($0 % 3)) }
      try await topic.withProducer { producer in
        for result in await producer.send(records) { _ = try result.get() }
      }
      let consumer = try topic.consumer()
      try await consumer.subscribe([topic.name])
      let messages = try await consumer.messages(records.count)
      await consumer.close(timeout: .seconds(10))
      for partition in topic.all {
        let texts = messages.filter { $0.topicPartition == partition }.map(\.text)
        #expect(texts == (0..<2000).map { "\($0 * 3 + Int(partition.partition))" })
      }
    }
  }

  @Test(arguments: Cluster.available)
  func sendsTheRecordsOfOneKeyToOnePartition(_ cluster: Cluster) async throws {
    try await cluster.withTopic(partitions: 8) { topic in
      let keys = (0..<40).map { "order-\($0 % 4)" }
      let positions = try await topic.withProducer { producer in
        try await producer.send(
          keys.map { Record(topic: topic.name, key: Array($0.utf8), value: []) }
        ).map { try $0.get() }
      }
      for key in Set(keys) {
        let partitions = zip(keys, positions).filter { $0.0 == key }.map(\.1.partition)
        #expect(Set(partitions).count == 1)
      }
    }
  }
}
