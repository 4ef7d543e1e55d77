import Contracts
public import Fleet
public import Foundation

/// The table `reading_mark` of an ``InMemoryDatabase``, and the horizons of its lanes.
struct InMemoryReading: Sendable {
  /// Of each lane, the newest last.
  private(set) var marks: [Int32: [ReadingMark]] = [:]
  private(set) var horizons: [Int32: Date] = [:]

  mutating func record(
    _ mark: ReadingMark, lane: Int32, starts: [String: Int64], grace: Duration
  ) {
    marks[lane, default: []].append(mark)
    // A topic that is not read any more holds nothing back.
    let gone = marks[lane, default: []].last { mark in
      mark.places.allSatisfy { topic, place in starts[topic].map { place.end <= $0 } ?? true }
    }
    guard let gone else { return }
    let horizon = gone.at - grace / .seconds(1)
    horizons[lane] = max(horizon, horizons[lane] ?? .distantPast)
    marks[lane]?.removeAll { $0.at < gone.at }
  }
}

extension InMemoryLaneStore {
  public func lastMark(lane: Int32) async throws -> (now: Date, mark: ReadingMark?) {
    try withDatabase(.lastMark) { ($0.now, $0.reading.marks[lane]?.last) }
  }

  public func record(
    _ mark: ReadingMark, lane: Int32, epoch: Int64, starts: [String: Int64], grace: Duration
  ) async throws {
    try withDatabase(.mark, owning: lane, epoch) {
      $0.reading.record(mark, lane: lane, starts: starts, grace: grace)
    }
  }

  public func forget(lane: Int32, epoch: Int64, limit: Int) async throws -> Bool {
    try withDatabase(.forget, owning: lane, epoch) { database in
      guard let horizon = database.reading.horizons[lane] else { return false }
      let old = database.inbox
        .filter { $0.value.lane == lane && $0.value.receivedAt < horizon }
        .sorted { ($0.value.receivedAt, $0.key) < ($1.value.receivedAt, $1.key) }
        .prefix(limit)
      for (id, _) in old { database.inbox[id] = nil }
      return old.count == limit
    }
  }
}
