import Contracts
import FleetPostgres
import Foundation
import JSONSchema
import Kafka

/// A service's consumer group as the cluster has it.
struct GroupStatus: Sendable {
  let service: ServiceName
  /// Kafka's word, or `none yet` before anybody has joined or committed; nil where the cluster does not tell, as librdkafka's mock.
  let state: String?
  let assignor: String?
  let members: [Member]
  let partitions: [PartitionLag]

  struct Member: Sendable {
    /// The client's name, or the worker's id.
    let name: String
    let host: String
    /// The partition numbers that it owns.
    let lanes: Set<Int32>
  }

  struct PartitionLag: Sendable {
    let partition: TopicPartition
    /// nil when the group has not committed one yet.
    let committed: Int64?
    /// The oldest offset and the one after the newest.
    let log: Range<Int64>

    /// Records that the group has yet to handle.
    var lag: Int64 { max(0, log.upperBound - (committed ?? log.lowerBound)) }
    /// Records that were deleted before the group had handled them.
    var isBehindRetention: Bool { committed.map { $0 < log.lowerBound } ?? false }
  }

  var lag: Int64 { partitions.reduce(0) { $0 + $1.lag } }

  /// The lag of each topic.
  var lagByTopic: [(topic: String, lag: Int64)] {
    Dictionary(grouping: partitions, by: \.partition.topic)
      .map { (topic: $0.key, lag: $0.value.reduce(0) { $0 + $1.lag }) }
      .sorted { $0.topic < $1.topic }
  }

  func owner(of lane: Int32) -> Member? { members.first { $0.lanes.contains(lane) } }
}

/// Looks at the groups of services.
struct GroupReader {
  let admin: Admin

  /// - Parameter workers: who to name as members where the cluster does not tell.
  /// - Returns: the groups, and whether the cluster is a mock, which does not tell members.
  func read(
    _ services: [ServiceName], workers: () async throws -> [WorkerRow]
  ) async throws -> (groups: [GroupStatus], isMock: Bool) {
    let metadata = try await admin.metadata()
    guard !metadata.isMock else {
      let workers = try await workers()
      var groups: [GroupStatus] = []
      for service in services {
        let members = workers.filter { $0.isAlive && $0.record.services.contains(service) }
        groups.append(
          GroupStatus(
            service: service, state: nil, assignor: nil,
            members: members.map {
              .init(name: $0.record.id, host: $0.record.host, lanes: Set($0.lanes(of: service)))
            },
            partitions: try await partitions(of: service, metadata)))
      }
      return (groups, true)
    }
    var groups: [GroupStatus] = []
    for description in try await admin.describeGroups(services.map(\.rawValue)) {
      guard let service = ServiceName(rawValue: description.groupID) else { continue }
      groups.append(
        GroupStatus(
          service: service,
          // What Kafka calls dead is a group that it has nothing of.
          state: description.state == .dead ? "none yet" : description.state.rawValue,
          assignor: description.assignor.isEmpty ? nil : description.assignor,
          members: description.members.map { member in
            .init(
              name: member.clientID, host: member.host,
              lanes: Set(member.assignment.map(\.partition)))
          }, partitions: try await partitions(of: service, metadata)))
    }
    return (groups, false)
  }

  /// How far a service has read its topics.
  ///
  /// - Parameter timeout: for each of the two questions.
  func partitions(
    of service: ServiceName, _ metadata: ClusterMetadata, timeout: Duration = .seconds(30)
  ) async throws(KafkaError) -> [GroupStatus.PartitionLag] {
    let partitions = metadata.partitions(of: service.subscriptions.map(\.rawValue))
    guard !partitions.isEmpty else { return [] }
    let committed = try await admin.listOffsets(
      group: service.rawValue, partitions: partitions, timeout: timeout)
    let logs = try await admin.watermarks(partitions, timeout: timeout)
    return partitions.map { partition in
      GroupStatus.PartitionLag(
        partition: partition, committed: committed[partition], log: logs[partition] ?? 0..<0)
    }
  }
}

extension ClusterMetadata {
  /// The partitions of those of the topics that exist, sorted.
  func partitions(of topics: [String]) -> [TopicPartition] {
    self.topics.filter { $0.error == nil && topics.contains($0.name) }
      .flatMap { topic in
        topic.partitions.map { TopicPartition(topic: topic.name, partition: $0.partition) }
      }.sorted()
  }
}
