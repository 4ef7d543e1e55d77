import Contracts
import Foundation
import JSONSchema
import Kafka

/// What setting a group's offsets would come to: a pure value, so that each case is tested as a
/// table.
struct SeekPlan: Sendable {
  struct Move: Sendable {
    let partition: TopicPartition
    /// nil when the group has committed none.
    let committed: Int64?
    /// The oldest offset that is there, and the one after the newest.
    let log: Range<Int64>
    let target: Int64
    /// Of the first record at or after the target; nil where there is none.
    let time: Date?
    /// Of the lane: ids that its inbox took in before this may have been forgotten.
    let horizon: Date?

    /// Records that would be read again: of a log that has become shorter than what was committed,
    /// each may have been.
    var again: Int64 { max(0, min(committed ?? log.lowerBound, log.upperBound) - target) }
    /// Records that would never be read. An offset outside of the log says nothing of its records:
    /// the topic may have been made anew.
    var skipped: Int64 {
      let places = log.lowerBound...log.upperBound
      let current = committed.flatMap { places.contains($0) ? $0 : nil } ?? log.lowerBound
      return max(0, target - current)
    }
    /// Records that were deleted before the group had read them.
    var lost: Int64 { committed.map { max(0, log.lowerBound - $0) } ?? 0 }

    /// Why the group can't be set to the target.
    var obstacle: String? {
      guard (log.lowerBound...log.upperBound).contains(target) else {
        return "\(partition) has no offset \(target): its log is from \(log.lowerBound) to "
          + "\(log.upperBound)"
      }
      // Without a committed offset nobody knows what was handled.
      guard again > 0 || committed == nil, let horizon, let time, time < horizon else { return nil }
      return "\(partition)@\(target) is of \(Timestamp.format(time)), and the inbox has forgotten "
        + "what it took in before \(Timestamp.format(horizon)): it would be handled again"
    }
  }

  let service: ServiceName
  let moves: [Move]

  /// Why it can't be done, each a sentence without its end.
  var obstacles: [String] { moves.compactMap(\.obstacle) }

  var skipped: Int64 { moves.reduce(0) { $0 + $1.skipped } }

  /// What would not be handled, in words; nil where nothing is skipped.
  var skippedText: String? {
    let places = moves.filter { $0.skipped > 0 }.map {
      "\($0.partition) \($0.target - $0.skipped) to \($0.target - 1)"
    }
    guard !places.isEmpty else { return nil }
    return "\(counted(Int(skipped), "record")) would NEVER be handled by \(service.rawValue): "
      + "\(places.joined(separator: ", ")). Their orders stay as they are, with what they hold."
  }

  /// What has come of it, or would.
  var summary: String {
    let again = moves.reduce(0) { $0 + $1.again }
    return
      "\(counted(moves.count, "partition")): \(counted(Int(again), "record")) to be read again, "
      + "\(skipped) skipped"
  }

  var table: ResultTable {
    ResultTable(
      [
        .init("topic"), .init("partition", number: true), .init("committed", number: true),
        .init("new", number: true), .init("read again", number: true),
        .init("skipped", number: true), .init("time there"),
        .init("log", wide: true), .init("note"),
      ],
      rows: moves.map { move in
        let time = move.time.map { Timestamp.format($0) }
        return ResultTable.Row(
          name: move.partition.description,
          cells: [
            move.partition.topic, "\(move.partition.partition)",
            move.committed.map { "\($0)" } ?? "-", "\(move.target)", "\(move.again)",
            "\(move.skipped)", time ?? "-", "\(move.log.lowerBound) to \(move.log.upperBound)",
            move.lost > 0
              ? "\(counted(Int(move.lost), "record")) deleted before they were read" : "",
          ],
          object: [
            ("topic", .string(move.partition.topic)),
            ("partition", .integer(Int64(move.partition.partition))),
            ("committed", move.committed.map { .integer($0) } ?? .null),
            ("new", .integer(move.target)), ("readAgain", .integer(move.again)),
            ("skipped", .integer(move.skipped)), ("lost", .integer(move.lost)),
            ("time", .time(move.time)), ("horizon", .time(move.horizon)),
          ])
      })
  }
}
