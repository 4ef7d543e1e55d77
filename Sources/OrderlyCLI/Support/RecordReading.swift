import Foundation
import Kafka

/// Reads what is in the ranges, a batch at a time, and shows how far it has come.
///
/// - Parameter take: gets the records of a batch; those of a partition come in their order.
/// - Throws: ``CommandFailure`` when records are deleted meanwhile, or when nothing comes for half a
///   minute; what `take` throws.
func readRecords(
  _ ranges: [TopicPartition: Range<Int64>], with reader: PartitionReader,
  _ take: ([Message]) async throws -> Void
) async throws {
  var open = ranges.filter { !$0.value.isEmpty }
  guard !open.isEmpty else { return }
  let total = open.values.reduce(0) { $0 + $1.count }
  let progress = ProgressBar("reading records", total: total)
  defer { progress.finish() }
  var read = 0
  try await reader.assign(open.mapValues(\.lowerBound))
  // Errors and log lines may come all the time: they are no sign that anything can be read.
  var lastRead = ContinuousClock.now
  var lastError: KafkaError?
  while !open.isEmpty {
    var batch: [Message] = []
    for event in try await reader.poll(maxMessages: 5000, timeout: .seconds(1)) {
      switch event {
      case .messages(let messages):
        lastRead = .now
        for message in messages {
          guard let range = open[message.topicPartition] else { continue }
          if message.offset < range.upperBound { batch.append(message) }
          if message.offset + 1 >= range.upperBound { open[message.topicPartition] = nil }
        }
      case .endOfPartition(let partition, let offset):
        lastRead = .now
        // A broker that lags behind the leader may end before what was there.
        if let range = open[partition], offset >= range.upperBound { open[partition] = nil }
      case .offsetOutOfRange(let partition, let offset, _):
        throw CommandFailure(
          "\(partition) has lost the records from \(offset) on to retention while they were read. "
            + "Try again.")
      case .error(let error):
        if error.isFatal { throw error }
        lastError = error
      case .assigned, .revoked, .committed, .statistics, .log: break
      }
    }
    try await take(batch)
    read += batch.count
    progress.show(min(total, read))
    guard ContinuousClock.now - lastRead < .seconds(30) else {
      throw CommandFailure(
        "Kafka has stopped answering with \(counted(open.count, "partition")) still to be read"
          + (lastError.map { ": \($0)" } ?? "")
          + ". Look at the brokers with 'orderly doctor', then try again.")
    }
  }
}
