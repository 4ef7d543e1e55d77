internal import CRDKafka

/// A Kafka cluster inside this process: librdkafka's mock brokers, which other processes reach over
/// TCP on the loopback interface.
///
/// It keeps topics, messages and committed offsets in memory until `close`. It has consumer groups
/// and idempotent producers, and makes a topic when it is first asked for. Where it differs from a
/// real cluster (`rdkafka_mock.c` and `rdkafka_mock_cgrp.c` of 2.0.2; none of it can be set):
///
/// - Of each partition it keeps the newest 5 MiB as sent, compressed where the producer compresses,
///   and at most 100,000 batches. Older batches are dropped, as by retention.
/// - A group's first distribution of partitions takes 3 s; every later one, also after the last
///   member has left, takes the members' session timeout less 1 s. Give members a short one.
/// - While a group distributes, its members cannot commit (`.rebalanceInProgress`).
/// - It does not look at times, and has none of the calls that change or describe topics and groups.
public final class MockCluster: Sendable {
  private let client: ClientHandle
  private let cluster: Cluster

  /// Sendable by hand: the mock cluster's calls are locked, or handed over to its own thread
  /// (`rdkafka_mock.c`); the pointer is used only while the client is borrowed, and freed
  /// after the last borrower, by `close`.
  private struct Cluster: @unchecked Sendable {
    let pointer: OpaquePointer
  }

  /// `host:port` of all brokers, to be given to clients.
  public let bootstrapServers: String

  /// Starts a cluster on free ports of the loopback interface.
  ///
  /// - Throws: when it cannot listen.
  public init(brokers: Int = 1) throws(KafkaError) {
    let operation = "start a mock cluster of \(brokers) brokers"
    client = try ClientHandle(
      .producer, settings: [("client.id", "mock-cluster"), ("log_level", "0")], overrides: [:],
      events: 0)
    let cluster = try client.borrow(operation) { (client) throws(KafkaError) in
      guard let cluster = rd_kafka_mock_cluster_new(client, Int32(brokers)) else {
        throw KafkaError(code: .invalidArgument, operation: operation)
      }
      return Cluster(pointer: cluster)
    }
    self.cluster = cluster
    bootstrapServers = String(cString: rd_kafka_mock_cluster_bootstraps(cluster.pointer))
  }

  /// `bootstrapServers` one by one, as `KafkaConfiguration` has them.
  public var servers: [String] { bootstrapServers.split(separator: ",").map(String.init) }

  /// Makes a topic. Without this, topics have four partitions.
  ///
  /// - Throws: `.topicAlreadyExists`, also for one that has been made by being asked for.
  public func createTopic(
    _ name: String, partitions: Int32, replicationFactor: Int32 = 1
  ) throws(KafkaError) {
    try call("create topic \(name)") {
      rd_kafka_mock_topic_create($0, name, partitions, replicationFactor)
    }
  }

  /// Makes another broker the leader of a partition.
  ///
  /// - Parameter broker: its number, from 1.
  public func setLeader(_ broker: Int32, of partition: TopicPartition) throws(KafkaError) {
    try call("set the leader of \(partition)") {
      rd_kafka_mock_partition_set_leader($0, partition.topic, partition.partition, broker)
    }
  }

  /// Makes every use of a topic fail, or no longer with nil.
  public func setError(_ error: KafkaError.Code?, ofTopic name: String) throws(KafkaError) {
    try call("set the error of topic \(name)") { cluster in
      rd_kafka_mock_topic_set_error(
        cluster, name, rd_kafka_resp_err_t(rawValue: error?.rawValue ?? 0))
      return RD_KAFKA_RESP_ERR_NO_ERROR
    }
  }

  /// The requests that can be made to fail, by their numbers in Kafka's protocol.
  public enum Request: Int16, Sendable {
    case produce = 0
    case fetch = 1
    case listOffsets = 2
    case metadata = 3
    case offsetCommit = 8
    case offsetFetch = 9
    case findCoordinator = 10
    case joinGroup = 11
    case heartbeat = 12
    case leaveGroup = 13
    case syncGroup = 14
    case initProducerID = 22
  }

  /// Makes the next requests of a kind fail, one for each error in their order.
  public func pushErrors(
    _ errors: [KafkaError.Code], for request: Request
  ) throws(KafkaError) {
    try call("push errors") { cluster in
      let codes = errors.map { rd_kafka_resp_err_t(rawValue: $0.rawValue) }
      rd_kafka_mock_push_request_errors_array(cluster, request.rawValue, codes.count, codes)
      return RD_KAFKA_RESP_ERR_NO_ERROR
    }
  }

  /// Closes a broker's connections and refuses new ones.
  ///
  /// - Parameter broker: from 1; nil for all.
  public func takeDown(broker: Int32? = nil) throws(KafkaError) {
    try call("take broker \(broker ?? -1) down") {
      rd_kafka_mock_broker_set_down($0, broker ?? -1)
    }
  }

  /// Accepts connections again.
  public func bringUp(broker: Int32? = nil) throws(KafkaError) {
    try call("bring broker \(broker ?? -1) up") { rd_kafka_mock_broker_set_up($0, broker ?? -1) }
  }

  /// Ends the cluster; all that was in it is gone.
  public func close() async {
    await client.destroy(timeout: .seconds(5)) { [cluster] in
      rd_kafka_mock_cluster_destroy(cluster.pointer)
    }
  }

  private func call(
    _ operation: String, _ body: (OpaquePointer) -> rd_kafka_resp_err_t
  ) throws(KafkaError) {
    try client.borrow(operation) { (_) throws(KafkaError) in
      try KafkaError.check(body(cluster.pointer), operation)
    }
  }
}
