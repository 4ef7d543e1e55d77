public import Contracts
import Foundation
import Synchronization
public import Telemetry

/// Runs one service in this process: a member of its consumer group, and a lane for each partition
/// number that the group gives it.
///
/// A lane takes its events from the same partition number of every topic the service reads; the
/// range assignor gives all of them to the same member, because the topics have the same number of
/// partitions. Where they do not, the runner refuses to work and says so.
public actor ServiceRunner<D: Decider, Store: LaneStore, Performer: EffectPerformer>
where Store.Rows == D.Rows, Performer.Effect == D.Effect, Performer.Outcome == D.Outcome {
  /// Whether the service does its work, for `/readyz`.
  public nonisolated let health: Health
  public nonisolated let service: ServiceName

  private struct RunningLane {
    let queue: LaneQueue
    let task: Task<Void, Never>
    var isPaused = false
  }

  private let step: Step<D, Performer>
  private let store: Store
  private let consumer: any EventConsumer
  private let producer: any EventProducer
  private let limits: FleetLimits
  private let clock: any FleetClock
  private let owner: String
  private let logger: Logger
  private let metrics: ServiceMetrics
  private let progress = LaneProgress()
  private nonisolated let isStopping = Atomic(false)

  private var partitions: [Partition] = []
  private var lanes: [Int32: RunningLane] = [:]

  /// - Parameter owner: names this process in the database and the logs.
  public init(
    service: ServiceName, decider: D, performer: Performer, store: Store,
    consumer: any EventConsumer, producer: any EventProducer, limits: FleetLimits = FleetLimits(),
    clock: any FleetClock = SystemClock(), owner: String, logger: Logger
  ) {
    self.service = service
    self.step = Step(service: service, decider: decider, performer: performer)
    self.store = store
    self.consumer = consumer
    self.producer = producer
    self.limits = limits
    self.clock = clock
    self.owner = owner
    self.logger = logger
    self.health = Health(logger: logger)
    self.metrics = ServiceMetrics(service)
  }

  /// Lets `run()` end: lanes finish their step, offsets are committed, the group is left.
  public nonisolated func stop() {
    isStopping.store(true, ordering: .relaxed)
  }

  /// Works until ``stop()`` or cancellation.
  public func run() async {
    var lastCommit = ContinuousClock.now
    var lastTick = lastCommit
    var failures = 0
    while !isStopping.load(ordering: .relaxed), !Task.isCancelled {
      do {
        for event in try await consumer.poll(
          maximum: limits.pollMessages, timeout: .milliseconds(100))
        {
          try await handle(event)
        }
        try await resumeDrained()
        let now = ContinuousClock.now
        if now - lastCommit >= limits.commitInterval {
          lastCommit = now
          await commitInBackground()
        }
        if now - lastTick >= limits.tickInterval {
          lastTick = now
          await tick()
        }
        failures = 0
      } catch {
        failures += 1
        health.report(.broker, "\(error)")
        try? await clock.sleep(for: Backoff.connection.delay(afterAttempt: failures))
      }
    }
    await shutDown()
  }

  private func handle(_ event: ConsumerEvent) async throws {
    switch event {
    case .messages(let messages):
      health.resolve(.broker)
      try await route(messages)
    case .assigned(let partitions):
      try await take(partitions)
    case .revoked(_, let lost):
      await giveUp(lost: lost)
      try await consumer.unassign()
    case .trouble(let problem):
      health.report(.broker, problem)
    case .offsetOutOfRange(let partition, let problem):
      // Going on from somewhere else would skip events in silence.
      health.report(.topics, "\(partition): \(problem)")
    case .notice(let text):
      logger.notice("broker client", metadata: ["message": "\(text)"])
    case .commitFailed(let problem):
      logger.warning("offsets not committed", metadata: ["problem": "\(problem)"])
    }
  }

  // MARK: - Partitions come and go

  private func take(_ partitions: [Partition]) async throws {
    let numbers = Set(partitions.map(\.number))
    let expected = service.subscriptions.count * numbers.count
    guard partitions.count == expected else {
      health.report(
        .topics,
        "the topics \(service.subscriptions.map(\.rawValue).joined(separator: ", ")) have different "
          + "numbers of partitions; run 'orderly topics verify'")
      try await consumer.assign([])
      return
    }
    health.resolve(.topics)
    health.resolve(.broker)
    health.assigned(numbers)
    self.partitions = partitions
    for number in numbers.sorted() { lanes[number] = start(number) }
    try await consumer.assign(partitions)
    logger.info(
      "partitions assigned",
      metadata: ["lanes": "\(numbers.sorted().map { "\($0)" }.joined(separator: ","))"])
  }

  private func start(_ number: Int32) -> RunningLane {
    let queue = LaneQueue()
    let lane = Lane(
      number: number, step: step, store: store, producer: producer, queue: queue,
      progress: progress, limits: limits, clock: clock, health: health, metrics: metrics,
      owner: owner, logger: logger)
    // A lane lives as long as the assignment, not as any scope of this actor: `giveUp` ends it
    // and waits for it, within a bound.
    return RunningLane(queue: queue, task: Task { await lane.run() })
  }

  /// Ends all lanes (an eager rebalance takes all partitions at once) and commits what is done.
  private func giveUp(lost: Bool) async {
    for lane in lanes.values { lane.queue.stop() }
    let tasks = lanes.values.map(\.task)
    lanes.removeAll()
    partitions.removeAll()
    health.revoked()
    metrics.setLag([:])
    // A lane that is stuck is left behind: the next owner's epoch fences it off.
    let ended = await within(limits.stopTimeout) { for task in tasks { await task.value } }
    if !ended {
      logger.error("lanes did not end in time; the next owner's epoch fences them off")
    }
    let offsets = progress.take()
    guard !lost, !offsets.isEmpty else { return }
    do {
      try await consumer.commit(offsets)
    } catch {
      // The next owner reads them again, and its inbox drops them.
      logger.warning("offsets not committed", metadata: ["problem": "\(error)"])
    }
  }

  private func shutDown() async {
    await giveUp(lost: false)
    await consumer.close(timeout: limits.stopTimeout)
    logger.info("stopped")
  }

  // MARK: - Messages

  private func route(_ messages: [RawMessage]) async throws {
    for (number, batch) in Dictionary(grouping: messages, by: \.partition.number) {
      // Read before the partition was taken away: the next owner reads them.
      guard let lane = lanes[number] else { continue }
      let weight = lane.queue.add(batch)
      if weight > limits.queueBytes, !lane.isPaused {
        lanes[number]?.isPaused = true
        try await consumer.pause(partitions.filter { $0.number == number })
      }
    }
  }

  private func resumeDrained() async throws {
    for (number, lane) in lanes
    where lane.isPaused && lane.queue.weight < limits.queueBytes / 2 {
      lanes[number]?.isPaused = false
      try await consumer.resume(partitions.filter { $0.number == number })
    }
  }

  private func commitInBackground() async {
    let offsets = progress.take()
    guard !offsets.isEmpty else { return }
    do {
      try await consumer.commitInBackground(offsets)
    } catch {
      progress.restore(offsets)
      logger.warning("offsets not committed", metadata: ["problem": "\(error)"])
    }
  }

  private func tick() async {
    for lane in lanes.values { lane.queue.tick() }
    if let lag = try? await consumer.lag() { metrics.setLag(lag) }
  }
}

/// Waits for `body`, at most for `limit`; false when it had not ended by then. It is not cancelled.
private func within(_ limit: Duration, _ body: @escaping @Sendable () async -> Void) async -> Bool {
  let (results, continuation) = AsyncStream<Bool>.makeStream()
  let work = Task {
    await body()
    continuation.yield(true)
  }
  let timer = Task {
    try? await Task.sleep(for: limit)
    continuation.yield(false)
  }
  defer {
    timer.cancel()
    _ = work
  }
  for await result in results { return result }
  return false
}
