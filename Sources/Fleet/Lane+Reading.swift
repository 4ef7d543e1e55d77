import Contracts
import Foundation
import Telemetry

/// How far the lane has read, and what its inbox may forget.
extension Lane {
  private var partitions: [Partition] {
    step.service.subscriptions.map { Partition(topic: $0.rawValue, number: number) }
  }

  /// Makes sure, before anything is handled, that nothing was lost with the group's committed
  /// offsets. If it may have been, somebody has to decide, and the lane handles nothing.
  func checkReading(_ tenure: inout Tenure) async throws(Ended) {
    let known = try await retrying("look up how far the lane has read", &tenure) {
      try await store.lastMark(lane: number)
    }
    let standings = try await standings()
    let obstacles = partitions.compactMap { partition in
      standings[partition].flatMap { known.mark?.places[partition.topic]?.obstacle(in: $0) }
        .map { "\(partition) \($0)" }
    }
    guard obstacles.isEmpty else {
      let service = step.service.rawValue
      health.report(
        .topics,
        "\(obstacles.joined(separator: "; ")). Stop the service's workers and decide where it is to "
          + "go on, with 'orderly group seek \(service) --partition \(number) --to …'")
      // The group's offsets can only be set while it has no members.
      while true { try await pause(.seconds(1)) }
    }
    // What a former owner was at.
    tenure.mayForget = true
    let marked = known.mark.map { Set($0.places.keys) } ?? []
    let age = known.mark.map { known.now.timeIntervalSince($0.at) } ?? .infinity
    if age >= limits.markInterval / .seconds(1) || !marked.isSuperset(of: partitions.map(\.topic)) {
      await mark(at: known.now, standings, &tenure)
    } else {
      tenure.nextMark = clock.uptime + limits.markInterval
    }
  }

  /// Until the brokers answer.
  private func standings() async throws(Ended) -> [Partition: LogStanding] {
    var attempt = 0
    while true {
      do {
        let standings = try await activity.during("asking for offsets") {
          try await consumer.standings(of: partitions)
        }
        health.resolve(.broker)
        return standings
      } catch {
        attempt += 1
        health.report(.broker, "can't look up offsets: \(error)")
        try await pause(Backoff.connection.delay(afterAttempt: attempt))
      }
    }
  }

  /// Marks now and then how far the lane has read, and forgets a bounded number of the ids that it
  /// needs no more. What fails here is no reason not to work: it has time until the next mark.
  func tidyUp(_ tenure: inout Tenure) async {
    if clock.uptime >= tenure.nextMark {
      do {
        let now = try await activity.during("reading its last mark") {
          try await store.lastMark(lane: number).now
        }
        let standings = try await activity.during("asking for offsets") {
          try await consumer.standings(of: partitions)
        }
        await mark(at: now, standings, &tenure)
      } catch {
        postpone("mark how far the lane has read", error, &tenure)
      }
    }
    guard tenure.mayForget, !tenure.isOver else { return }
    do {
      let (epoch, limit) = (tenure.epoch, limits.forgetRows)
      tenure.mayForget = try await activity.during("forgetting old ids") {
        try await store.forget(lane: number, epoch: epoch, limit: limit)
      }
    } catch StoreError.fenced {
      lose(&tenure)
    } catch {
      tenure.mayForget = false
      postpone("forget old ids", error, &tenure)
    }
  }

  /// - Parameter standings: looked up after `now`.
  private func mark(
    at now: Date, _ standings: [Partition: LogStanding], _ tenure: inout Tenure
  ) async {
    tenure.nextMark = clock.uptime + limits.markInterval
    let places = standings.map { ($0.key.topic, ReadingMark.Place($0.value)) }
    let starts = standings.map { ($0.key.topic, $0.value.log.lowerBound) }
    let mark = ReadingMark(at: now, places: Dictionary(uniqueKeysWithValues: places))
    do {
      let (epoch, grace) = (tenure.epoch, limits.forgetGrace)
      try await activity.during("marking how far it has read") {
        try await store.record(
          mark, lane: number, epoch: epoch, starts: Dictionary(uniqueKeysWithValues: starts),
          grace: grace)
      }
      tenure.mayForget = true
    } catch StoreError.fenced {
      lose(&tenure)
    } catch {
      postpone("mark how far the lane has read", error, &tenure)
    }
  }

  private func postpone(_ what: String, _ error: any Error, _ tenure: inout Tenure) {
    tenure.nextMark = clock.uptime + limits.markInterval
    logger.warning("can't \(what)", metadata: ["lane": "\(number)", "problem": "\(error)"])
  }
}
