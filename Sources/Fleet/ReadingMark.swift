public import Foundation

/// What is left of a partition, and how far the group has read it.
public struct LogStanding: Sendable, Hashable {
  /// The oldest offset that is there, and the one after the newest.
  public var log: Range<Int64>
  /// The group's committed offset: that of the next record to be read. nil when it has none.
  public var committed: Int64?

  public init(log: Range<Int64>, committed: Int64?) {
    self.log = log
    self.committed = committed
  }
}

/// How far a lane had read its partitions at a time: what its database keeps of it, about once an
/// hour.
///
/// With its marks a lane knows which ids it may forget, by offsets, because the times of records
/// are whatever their producers make of them: when the log has lost all records before `end`, no
/// record is left that was handled before `at`. And it knows, should the group's committed offset
/// be lost, whether records were deleted that it has not read.
public struct ReadingMark: Sendable, Hashable {
  /// Of one topic.
  public struct Place: Sendable, Hashable {
    /// Every record before this offset had been handled.
    public var handled: Int64
    /// No record at or after this offset had been.
    public var end: Int64

    public init(handled: Int64, end: Int64) {
      self.handled = handled
      self.end = end
    }
  }

  /// By the database's clock, and before anything else was looked up.
  public var at: Date
  /// By topic.
  public var places: [String: Place]

  public init(at: Date, places: [String: Place]) {
    self.at = at
    self.places = places
  }
}

extension ReadingMark.Place {
  /// - Parameter standing: as it was looked up after the mark's time, by a lane that has handled all
  ///   that the group has committed. Where nothing is committed it reads the log from its beginning.
  init(_ standing: LogStanding) {
    let handled = standing.committed ?? standing.log.lowerBound
    self.init(handled: handled, end: max(handled, standing.log.upperBound))
  }

  /// Why a lane that had read so far must not go on by itself; nil where nothing can be lost.
  ///
  /// Without a committed offset the partition is read from its beginning, and what was handled
  /// before drops out at the inbox. That is right as long as the beginning is not behind what was
  /// handled; and it has to be the log that was read then.
  func obstacle(in standing: LogStanding) -> String? {
    guard standing.committed == nil else { return nil }
    if handled < standing.log.lowerBound {
      return "has no committed offset any more, and records were deleted that may not have been "
        + "handled: it had come to offset \(handled), the oldest one left is "
        + "\(standing.log.lowerBound)"
    }
    if handled > standing.log.upperBound {
      return "has no committed offset any more, and is not the log that was read before: it had "
        + "come to offset \(handled), the log ends at \(standing.log.upperBound)"
    }
    return nil
  }
}
