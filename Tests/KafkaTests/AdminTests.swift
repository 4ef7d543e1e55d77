import Foundation
import Kafka
import Testing

@Suite(.timeLimit(.minutes(10)))
struct AdminTests {
  @Test(arguments: Cluster.available)
  func describesTheCluster(_ cluster: Cluster) async throws {
    try await cluster.withTopic(partitions: 3) { topic in
      try await topic.withAdmin { admin in
        let metadata = try await admin.metadata(topic: topic.name)
        #expect(metadata.isMock == (cluster == .mock))
        #expect(metadata.clusterID?.isEmpty == false)
        #expect(!metadata.brokers.isEmpty)
        let described = try #require(metadata.topics.first)
        #expect(described.name == topic.name)
        #expect(described.error == nil)
        #expect(described.partitions.map(\.partition).sorted() == [0, 1, 2])
        let brokers = metadata.brokers.map(\.id)
        #expect(described.partitions.allSatisfy { brokers.contains($0.leader ?? -1) })
        #expect(try await admin.metadata().topics.map(\.name).contains(topic.name))
      }
    }
  }

  @Test(arguments: Cluster.available)
  func looksUpOffsets(_ cluster: Cluster) async throws {
    try await cluster.withTopic(partitions: 2) { topic in
      try await topic.withProducer { producer in
        var records = [topic.record("old"), topic.record("new")]
        records[0].timestamp = 1000
        for result in await producer.send(records) { _ = try result.get() }
      }
      try await topic.withAdmin { admin in
        #expect(try await admin.watermarks(topic.all) == [topic[0]: 0..<2, topic[1]: 0..<0])
        // The mock cluster knows no times.
        guard cluster == .apache else { return }
        let offsets = try await admin.offsets(forTimes: [topic[0]: 1001, topic[1]: 1001])
        #expect(offsets == [topic[0]: 1, topic[1]: -1])
      }
    }
  }

  @Test(arguments: Cluster.available)
  func listsTheOffsetsOfAGroupWithoutMembers(_ cluster: Cluster) async throws {
    try await cluster.withTopic(partitions: 2) { topic in
      try await topic.withProducer { producer in try await topic.send(0..<4, by: producer) }
      let consumer = try topic.consumer()
      try await consumer.subscribe([topic.name])
      _ = try await consumer.messages(4)
      try await consumer.commit([topic[0]: 2])
      await consumer.close(timeout: .seconds(10))
      try await topic.withAdmin { admin in
        let offsets = try await admin.listOffsets(group: topic.group, partitions: topic.all)
        #expect(offsets == [topic[0]: 2])
      }
    }
  }

  @Test func saysThatAMockClusterHasNoAdminCalls() async throws {
    try await Cluster.mock.withTopic { topic in
      try await topic.withAdmin { admin in
        let timeout = Duration.seconds(5)
        var errors: [KafkaError] = []
        func expectFailure(_ body: () async throws(KafkaError) -> Void) async {
          do {
            try await body()
            Issue.record("a mock cluster has answered")
          } catch {
            errors.append(error)
          }
        }
        await expectFailure { () async throws(KafkaError) in
          _ = try await admin.createTopics([NewTopic(name: "a", partitions: 1)], timeout: timeout)
        }
        await expectFailure { () async throws(KafkaError) in
          _ = try await admin.deleteTopics(["a"], timeout: timeout)
        }
        await expectFailure { () async throws(KafkaError) in
          _ = try await admin.describeConfigs(topic: topic.name, timeout: timeout)
        }
        await expectFailure { () async throws(KafkaError) in
          _ = try await admin.listGroups(timeout: timeout)
        }
        await expectFailure { () async throws(KafkaError) in
          _ = try await admin.describeGroups([topic.group], timeout: timeout)
        }
        await expectFailure { () async throws(KafkaError) in
          _ = try await admin.deleteRecords(before: [topic[0]: 1], timeout: timeout)
        }
        await expectFailure { () async throws(KafkaError) in
          _ = try await admin.deleteGroups([topic.group], timeout: timeout)
        }
        for error in errors {
          #expect(error.code == .unsupportedFeature, "\(error)")
          #expect(error.message.contains("mock cluster"), "\(error)")
        }
      }
    }
  }

  @Test(.enabled(if: Cluster.apacheServers != nil))
  func makesAndDeletesTopics() async throws {
    try await Cluster.apache.withTopic { topic in
      try await topic.withAdmin { admin in
        let name = topic.name + "-more"
        let results = try await admin.createTopics([
          NewTopic(
            name: name, partitions: 2, replicationFactor: 1,
            configuration: ["retention.ms": "123456789"]),
          NewTopic(name: topic.name, partitions: 1),
        ])
        try results[name]?.get()
        #expect(results[topic.name]?.error?.code == .topicAlreadyExists)
        #expect(results[topic.name]?.error?.operation == "create topic \(topic.name)")
        let retention = try await admin.describeConfigs(topic: name)
          .first { $0.name == "retention.ms" }
        #expect(retention?.value == "123456789")
        try await admin.deleteTopics([name])[name]?.get()
        let never = try await admin.deleteTopics([topic.name + "-never"])
        #expect(never[topic.name + "-never"]?.error?.code == .unknownTopicOrPartition)
      }
    }
  }

  @Test(.enabled(if: Cluster.apacheServers != nil))
  func describesAndChangesGroups() async throws {
    try await Cluster.apache.withTopic { topic in
      try await topic.withProducer { producer in try await topic.send(0..<4, by: producer) }
      try await topic.withAdmin { admin in
        let consumer = try topic.consumer { $0.clientID = "worker-1" }
        try await consumer.subscribe([topic.name])
        _ = try await consumer.messages(4)
        try await consumer.commit([topic[0]: 4])
        let stable = try #require(try await admin.describeGroups([topic.group]).first)
        #expect(stable.state == .stable)
        #expect(stable.assignor == "range")
        #expect(stable.members.map(\.clientID) == ["worker-1"])
        #expect(stable.members.first?.memberID.hasPrefix("worker-1-") == true)
        #expect(stable.members.first?.assignment == topic.all)
        #expect(try await admin.listGroups().contains { $0.groupID == topic.group })
        let refused = try await admin.deleteGroups([topic.group])
        #expect(refused[topic.group]?.error?.code == .nonEmptyGroup)
        await consumer.close(timeout: .seconds(10))

        #expect(try await admin.describeGroups([topic.group]).first?.state == .empty)
        let altered = try await admin.alterOffsets(group: topic.group, to: [topic[0]: 1])
        #expect(altered[topic[0]] == .success(1))
        #expect(
          try await admin.listOffsets(group: topic.group, partitions: topic.all) == [topic[0]: 1])
        try await admin.deleteGroups([topic.group])[topic.group]?.get()
        #expect(try await admin.describeGroups([topic.group]).first?.state == .dead)
      }
    }
  }

  @Test(.enabled(if: Cluster.apacheServers != nil))
  func surfacesACommittedOffsetThatRetentionHasDeleted() async throws {
    try await Cluster.apache.withTopic { topic in
      try await topic.withProducer { producer in try await topic.send(0..<10, by: producer) }
      let first = try topic.consumer()
      try await first.subscribe([topic.name])
      _ = try await first.messages(10)
      try await first.commit([topic[0]: 2])
      await first.close(timeout: .seconds(10))
      try await topic.withAdmin { admin in
        let oldest = try await admin.deleteRecords(before: [topic[0]: 5])
        #expect(oldest[topic[0]] == .success(5))
      }
      let second = try topic.consumer()
      try await second.subscribe([topic.name])
      try await second.poll(until: "the offset being out of range") { event in
        if case .messages = event { Issue.record("messages have been skipped silently") }
        guard case .offsetOutOfRange(let partition, let offset, let error) = event else {
          return false
        }
        #expect(partition == topic[0])
        #expect(offset == 2)
        #expect(error.code == .offsetOutOfRange)
        return true
      }
      await second.close(timeout: .seconds(10))
    }
  }

  @Test func saysWhyABrokerCannotBeReached() async throws {
    let admin = try Admin(KafkaConfiguration(bootstrapServers: ["127.0.0.1:1"]))
    let error = await #expect(throws: KafkaError.self) {
      try await admin.metadata(timeout: .seconds(1))
    }
    #expect(error?.description.contains("127.0.0.1:1") == true, "\(String(describing: error))")
    await admin.close()
  }
}

extension TestTopic {
  func withAdmin(_ body: (Admin) async throws -> Void) async throws {
    let admin = try Admin(kafka())
    let result: Result<Void, any Error>
    do { result = .success(try await body(admin)) } catch { result = .failure(error) }
    await admin.close()
    try result.get()
  }
}
