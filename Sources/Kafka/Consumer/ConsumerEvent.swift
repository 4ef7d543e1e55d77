/// What `poll` returns, in the order in which it happened.
public enum ConsumerEvent: Sendable {
  /// Messages of any of the assigned partitions; those of one partition in its order.
  case messages([Message])
  /// The group gives these partitions to this member. Answer with `assign`, also when there are
  /// none.
  case assigned([TopicPartition])
  /// The group takes these partitions back. Finish and commit, then answer with `unassign`; until
  /// then the group waits, no longer than its rebalance timeout (`maxPollInterval`). When they are
  /// `lost`, others have them already and nothing may be committed.
  case revoked([TopicPartition], lost: Bool)
  /// A partition cannot be read any further, since the offset is not in it: retention has deleted
  /// it or the topic has been made anew. Nothing is skipped by itself.
  case offsetOutOfRange(TopicPartition, offset: Int64, KafkaError)
  /// A broker cannot be reached, the group has thrown the member out, or (`isFatal`) the consumer
  /// has failed for good. Anything that is not fatal is tried again by librdkafka.
  case error(KafkaError)
  /// What became of a `commitInBackground`.
  case committed([TopicPartition: Result<Int64, KafkaError>])
  /// The next message is not there yet; `offset` is the one that it will have. Only from a
  /// `PartitionReader`.
  case endOfPartition(TopicPartition, offset: Int64)
  /// librdkafka's statistics as JSON, where `statistics.interval.ms` is set.
  case statistics(String)
  /// A line of librdkafka's log.
  case log(LogLine)
}
