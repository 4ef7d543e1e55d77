import Contracts
import Foundation
import Telemetry

/// One partition number of one service: takes what is waiting, handles it in steps, publishes what
/// the steps have emitted. Serial by construction: one task runs `run()`.
///
/// The order of things is the promise: commit the step, publish its outbox rows, delete them, and
/// only then report the offsets as done. The README lists what a crash leaves after each.
struct Lane<D: Decider, Store: LaneStore, Performer: EffectPerformer>: Sendable
where Store.Rows == D.Rows, Performer.Effect == D.Effect, Performer.Outcome == D.Outcome {
  let number: Int32
  /// Of each topic that the service reads.
  let partitionCount: Int32
  let step: Step<D, Performer>
  let store: Store
  let consumer: any EventConsumer
  let producer: any EventProducer
  let queue: LaneQueue
  /// Of each partition of the lane.
  let progress: LaneProgress
  let limits: FleetLimits
  let clock: any FleetClock
  let health: LaneHealth
  let activity: LaneActivity
  let metrics: ServiceMetrics
  let owner: String
  let logger: Logger
  /// Where the effects of the service are performed; nil: within its steps.
  let effects: EffectRunner<D.Effect, D.Outcome>?

  /// What the lane knows of its own past; the store knows it durably.
  struct Tenure {
    var epoch: Int64 = 0
    var counter: Int64 = 0
    /// The lane has to be taken over: for the first time, or because somebody else has done so.
    var isOver = true
    /// The lane may have rows in the outbox that this process does not remember.
    var hasLeftovers = true
    /// The answer to a step was lost. The server may not even have worked on its COMMIT yet.
    var hasUnknownStep = false
    /// How often in a row somebody else has taken the lane over.
    var losses = 0
    /// There may be effects that are due, and that were not handed over yet.
    var hasMoreEffects = true

    /// Ticks since the lane has last looked into its outbox.
    var ticks = 0
    /// When the lane marks again how far it has read, by the clock's `uptime`.
    var nextMark: Duration = .zero
    /// There may be ids that the lane needs no more.
    var mayForget = false

    var nextSequence: Int64 { epoch << 32 | counter }
  }

  /// The lane is over: it was stopped.
  struct Ended: Error {}

  /// Works until the queue is stopped.
  ///
  /// A newer owner alone does not end the lane. A process that was held up may send its take-over
  /// long after the partition has gone to this one; if the lane ended then, nobody would work it.
  /// So the lane waits a little and takes itself back, unless the group has said by then that the
  /// partition is somebody else's.
  func run() async {
    defer { health.ended() }
    var tenure = Tenure()
    do throws(Ended) {
      try await prepare(&tenure)
      try await checkReading(&tenure)
      try await loadEffects(&tenure)
      while true {
        switch await queue.next(
          maximumCount: limits.stepEvents, maximumWeight: limits.stepBytes)
        {
        case .stop:
          return
        case .tick:
          try await lookIntoOutbox(&tenure)
          try await handleDeadlines(&tenure)
          try await retryParked(&tenure)
          try await loadEffects(&tenure)
          await tidyUp(&tenure)
        case .effects(let settled):
          try await settle(settled, &tenure)
        case .messages(let messages):
          try await handle(messages, &tenure)
        }
      }
    } catch {
      logger.info("lane ended in the midst of its work", metadata: ["lane": "\(number)"])
    }
  }

  // MARK: - Taking over

  /// Makes sure that the next step can be run: the lane is this process's own, and nothing of an
  /// earlier step is left to be published.
  private func prepare(_ tenure: inout Tenure) async throws(Ended) {
    while tenure.isOver || tenure.hasLeftovers {
      if tenure.isOver { try await takeOver(&tenure) }
      if tenure.hasUnknownStep { try await waitForUnknownStep(&tenure) }
      if !tenure.isOver { try await publishLeftovers(&tenure) }
    }
  }

  private func takeOver(_ tenure: inout Tenure) async throws(Ended) {
    if tenure.losses > 0 { try await pause(Backoff.takeOver.delay(afterAttempt: tenure.losses)) }
    if queue.isStopped { throw Ended() }
    let epoch = try await retrying("take over the lane", &tenure) {
      try await store.confirmPartitions(partitionCount)
      return try await store.takeOver(lane: number, owner: owner)
    }
    tenure = Tenure(
      epoch: epoch, isOver: false, losses: tenure.losses, nextMark: tenure.nextMark,
      mayForget: tenure.mayForget)
    health.works()
  }

  /// An empty step: it waits for the lane's lock, and so until the server has committed the unknown
  /// step or rolled it back. Looking into the outbox before that would miss its rows.
  private func waitForUnknownStep(_ tenure: inout Tenure) async throws(Ended) {
    let (lane, epoch) = (number, tenure.epoch)
    let isOwner = try await retrying("find out how the last step ended", &tenure) {
      do {
        _ = try await store.step { try $0.admit([], lane: lane, epoch: epoch) }
        return true
      } catch StoreError.fenced {
        return false
      }
    }
    tenure.hasUnknownStep = false
    if !isOwner { lose(&tenure) }
  }

  private func publishLeftovers(_ tenure: inout Tenure) async throws(Ended) {
    while tenure.hasLeftovers {
      let limit = limits.stepEvents
      tenure.hasLeftovers = false
      tenure.ticks = 0
      let records = try await retrying("read the outbox", &tenure) {
        try await store.outbox(lane: number, limit: limit)
      }
      // Places that an unknown step has taken are not given out again: a deletion that the disk
      // never saw could bring its rows back.
      if let last = records.last?.sequence, last >= tenure.nextSequence {
        tenure.counter = (last - tenure.epoch << 32) + 1
      }
      try await publish(records, &tenure)
      if records.count == limit { tenure.hasLeftovers = true }
    }
  }

  /// Somebody else has taken the lane over.
  func lose(_ tenure: inout Tenure) {
    logger.warning(
      "lane has a newer owner",
      metadata: ["lane": "\(number)", "epoch": "\(tenure.epoch)", "owner": "\(owner)"])
    health.waits()
    tenure.isOver = true
    tenure.losses += 1
  }

  /// A server that has crashed may bring rows back whose deletion it has never written to its disk.
  /// The connection that this has cost need not be one that this lane was using, so it also looks
  /// now and then without any reason.
  private func lookIntoOutbox(_ tenure: inout Tenure) async throws(Ended) {
    tenure.ticks += 1
    if tenure.ticks >= limits.outboxTicks { tenure.hasLeftovers = true }
    try await prepare(&tenure)
  }

  // MARK: - Handling

  private func handle(_ messages: [RawMessage], _ tenure: inout Tenure) async throws(Ended) {
    let items = messages.compactMap {
      LaneItem($0, for: step.service)
    }
    metrics.passedOver.increment(by: messages.count - items.count)
    try await handle(items, &tenure)
    progress.done(messages)
  }

  private func handleDeadlines(_ tenure: inout Tenure) async throws(Ended) {
    guard store.hasDeadlines else { return }
    let now = clock.now
    let orders = try await retrying("look for deadlines", &tenure) {
      try await store.dueDeadlines(lane: number, at: now, limit: limits.stepEvents)
    }
    try await handle(orders.map(LaneItem.deadline), &tenure)
  }

  /// One step at most for each tick, so that many parked keys do not hold up the other orders: what
  /// is left is found at the next one.
  private func retryParked(_ tenure: inout Tenure) async throws(Ended) {
    let now = clock.now
    let keys = try await retrying("look for parked keys", &tenure) {
      try await store.dueKeys(lane: number, at: now, limit: limits.stepEvents)
    }
    try await handle(keys.map { LaneItem.retry($0, .queue) }, &tenure)
  }

  func handle(_ items: [LaneItem], _ tenure: inout Tenure) async throws(Ended) {
    var work = WorkList(items, service: step.service, limits: limits)
    while let unit = work.next {
      if let delay = unit.delay { try await pause(delay) }
      try await prepare(&tenure)
      if queue.isStopped { throw Ended() }
      let context = Step<D, Performer>.Context(
        lane: number, epoch: tenure.epoch, nextSequence: tenure.nextSequence, now: clock.now,
        attempt: unit.attempt)
      let started = ContinuousClock.now
      do {
        let step = self.step
        let result = try await activity.during("in a step") {
          try await store.step { transaction in
            try step.run(unit.items, context, in: transaction)
          }
        }
        metrics.stepDone(unit.items.count, result, ContinuousClock.now - started)
        health.resolve(.database)
        work.finish()
        tenure.counter += Int64(result.outbox.count)
        tenure.losses = 0
        // The counter's bits would run into those of the epoch.
        if tenure.counter > 1 << 31 { tenure.isOver = true }
        report(result)
        begin(result.effects, &tenure)
        try await publish(result.outbox, &tenure)
      } catch let error as Step<D, Performer>.ItemFailures {
        metrics.retries.increment(by: error.causes.count)
        work.retry(error.causes, at: clock.now)
      } catch let error as StoreError {
        settle(error, &work, &tenure)
      } catch is Ended {
        throw Ended()
      } catch {
        // Cancelled while it waited for a connection, or a defect: nothing was committed as far as
        // anyone knows, so look first and try again.
        settle(.unavailable(String(describing: error)), &work, &tenure)
      }
    }
  }

  /// Decides what becomes of the unit of work that the store has refused.
  private func settle(_ error: StoreError, _ work: inout WorkList, _ tenure: inout Tenure) {
    metrics.retries.increment()
    switch error {
    case .fenced:
      lose(&tenure)
    case .unavailable(let detail):
      health.report(.database, detail)
      tenure.hasLeftovers = true
      tenure.hasUnknownStep = true
      work.delay(.connection)
    case .misconfigured(let detail):
      health.report(.database, detail)
      work.delay(.connection)
    case .conflict:
      work.delay(.event)
    case .rejected(let detail):
      logger.warning(
        "the database refuses a step",
        metadata: [
          "lane": "\(number)", "items": "\(work.next?.items.count ?? 0)", "problem": "\(detail)",
        ])
      if !work.split(because: detail, at: clock.now) {
        health.report(.database, "a dead letter can't be written: \(detail)")
        work.delay(.connection)
      }
    }
  }

  // MARK: - Publishing

  /// Publishes rows of the outbox in order and deletes them. Tries until it is done: the rows are
  /// committed, so there is no way back.
  private func publish(
    _ records: [OutboxRecord], _ tenure: inout Tenure
  ) async throws(Ended) {
    var rest = records[...]
    var attempt = 0
    while !rest.isEmpty {
      let (lane, batch) = (number, rest)
      let errors = await activity.during("publishing to \(batch.topics(lane: lane))") {
        await producer.publish(batch.map { $0.outbound(lane: lane) })
      }
      // From the first failure on all are published again: first copies must stay in order, and
      // the second copies of those that did succeed drop out at the readers' inboxes.
      let failed = errors.firstIndex { $0 != nil }
      let published = rest.prefix(failed ?? rest.count)
      rest = rest.dropFirst(published.count)
      if !published.isEmpty { try await delete(published.map(\.sequence), &tenure) }
      guard let failed, let error = errors[failed] else { break }
      attempt += 1
      health.report(
        .publishing, "can't publish to \(rest.first?.topic ?? "?")[\(number)]: \(error)")
      try await pause(Backoff.connection.delay(afterAttempt: attempt))
    }
    if !records.isEmpty { health.resolve(.publishing) }
  }

  private func delete(_ sequences: [Int64], _ tenure: inout Tenure) async throws(Ended) {
    try await retrying("delete published rows from the outbox", &tenure) {
      try await store.removeFromOutbox(lane: number, sequences: sequences)
    }
  }

  // MARK: - Retrying

  /// Tries until it succeeds or the lane ends.
  func retrying<Result: Sendable>(
    _ what: String, _ tenure: inout Tenure, _ body: () async throws -> Result
  ) async throws(Ended) -> Result {
    var attempt = 0
    while true {
      do {
        let result = try await activity.during("trying to \(what)", body)
        health.resolve(.database)
        return result
      } catch {
        attempt += 1
        tenure.hasLeftovers = true
        metrics.retries.increment()
        health.report(.database, "can't \(what): \(error)")
        try await pause(Backoff.connection.delay(afterAttempt: attempt))
      }
    }
  }

  func pause(_ duration: Duration) async throws(Ended) {
    if queue.isStopped { throw Ended() }
    try? await clock.sleep(for: duration)
    if queue.isStopped { throw Ended() }
  }
}

extension ArraySlice<OutboxRecord> {
  /// The partitions that they are published to, for people.
  fileprivate func topics(lane: Int32) -> String {
    Set(map(\.topic)).sorted().map { "\($0)[\(lane)]" }.joined(separator: ", ")
  }
}
