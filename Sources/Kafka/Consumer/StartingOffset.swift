/// Where the reading of a partition begins.
public enum StartingOffset: Sendable, Hashable {
  /// At the group's committed offset, or at the beginning where the group has none yet.
  case committed
  /// At the oldest message that is there.
  case beginning
  /// After the newest message that is there.
  case end
  /// At this offset, which has to be in the partition or at its end.
  case offset(Int64)
}
