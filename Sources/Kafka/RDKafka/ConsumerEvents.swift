internal import CRDKafka

/// The setting up of a consumer's one queue.
enum ConsumerEvents {
  /// What comes as events; nothing is left to callbacks.
  static let all =
    RD_KAFKA_EVENT_FETCH | RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_OFFSET_COMMIT
    | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG | RD_KAFKA_EVENT_STATS

  /// Sends everything to the consumer's queue, so that the order of messages, rebalances and
  /// errors is kept.
  static func queue(of client: ClientHandle) throws(KafkaError) -> ClientQueue {
    try client.borrow("create a consumer") { (client) throws(KafkaError) in
      try KafkaError.check(rd_kafka_poll_set_consumer(client), "create a consumer")
      guard let queue = rd_kafka_queue_get_consumer(client) else {
        throw KafkaError(
          code: .invalidArgument, operation: "create a consumer",
          message: "a consumer needs a group's name")
      }
      rd_kafka_set_log_queue(client, queue)
      return ClientQueue(owning: queue)
    }
  }
}

/// `RD_KAFKA_PARTITION_UA`, a macro with a cast, which Swift does not import.
let unassignedPartition: Int32 = -1
