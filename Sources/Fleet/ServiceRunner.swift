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
    let health: LaneHealth
    let activity: LaneActivity
    var isPaused = false
  }

  private let step: Step<D, Performer>
  private let store: Store
  private let consumer: any EventConsumer
  private let producer: any EventProducer
  private let limits: FleetLimits
  private let clock: any FleetClock
  private let owner: String
  private let executor: (any TaskExecutor)?
  private let logger: Logger
  private let metrics: ServiceMetrics
  private let effects: EffectRunner<D.Effect, D.Outcome>?
  private nonisolated let isStopping = Atomic(false)
  private nonisolated let fatalError = Mutex<FatalClientError?>(nil)

  private var partitions: [Partition] = []
  /// How many partitions each topic has.
  private var partitionCount: Int32 = 0
  private var lanes: [Int32: RunningLane] = [:]
  /// Of the lanes of this assignment. A lane that is left behind keeps the one of its own, so that
  /// it can't bring back an old offset of a partition that has returned.
  private var progress = LaneProgress()
  /// What the group has said last and has not been answered yet.
  private var unanswered: RebalanceAnswer?
  /// What was committed in the background, to be committed again if that fails.
  private var committing: [Partition: Int64] = [:]

  /// - Parameters:
  ///   - performer: answers effects within the step, where there is no `provider`.
  ///   - provider: answers effects after the step, which stores them.
  ///   - effectPolicy: how it is called.
  ///   - owner: names this process in the database and the logs.
  ///   - executor: where the tasks that the runner starts are to run. A task that is not a child
  ///     does not inherit the preference of the one that calls ``run()``.
  public init(
    service: ServiceName, decider: D, performer: Performer,
    provider: (any EffectProvider<D.Effect, D.Outcome>)? = nil,
    effectPolicy: EffectPolicy = EffectPolicy(), store: Store,
    consumer: any EventConsumer, producer: any EventProducer, limits: FleetLimits = FleetLimits(),
    clock: any FleetClock = SteadyClock(), owner: String, executor: (any TaskExecutor)? = nil,
    logger: Logger
  ) {
    self.service = service
    self.step = Step(
      service: service, decider: decider, performer: performer, limits: limits,
      storesEffects: provider != nil)
    self.store = store
    self.consumer = consumer
    self.producer = producer
    self.limits = limits
    self.clock = clock
    self.owner = owner
    self.executor = executor
    self.logger = logger
    let health = Health(logger: logger)
    self.health = health
    self.effects = provider.map {
      EffectRunner(
        service: service, provider: $0, policy: effectPolicy, clock: clock, executor: executor,
        health: health)
    }
    self.metrics = ServiceMetrics(service)
  }

  /// Lets `run()` end: lanes finish their step, offsets are committed, the group is left.
  public nonisolated func stop() {
    isStopping.store(true, ordering: .relaxed)
  }

  /// Why ``run()`` has ended by itself; nil when it was stopped.
  public nonisolated var failure: FatalClientError? { fatalError.withLock { $0 } }

  /// Works until ``stop()`` or cancellation, or until a client has failed for good: see
  /// ``failure``.
  public func run() async {
    var commits = Interval(limits.commitInterval, from: clock.uptime)
    var ticks = Interval(limits.tickInterval, from: clock.uptime)
    var failures = 0
    while !isStopping.load(ordering: .relaxed), !Task.isCancelled {
      do {
        let events = try await consumer.poll(
          maximum: limits.pollMessages, timeout: .milliseconds(100))
        failures = 0
        for event in events { await handle(event) }
      } catch let error as FatalClientError {
        fail(error)
      } catch {
        if Task.isCancelled { break }
        failures += 1
        health.report(.broker, "\(error)")
        try? await clock.sleep(for: Backoff.connection.delay(afterAttempt: failures))
      }
      if let error = producer.fatalError { fail(error) }
      if failure != nil { break }
      await answerRebalance()
      await resumeDrained()
      if commits.isDue(at: clock.uptime) { await commitInBackground() }
      if ticks.isDue(at: clock.uptime) { await tick() }
    }
    // In a task of its own: a cancelled one could not wait for the lanes.
    await Task(executorPreference: executor) { await self.shutDown() }.value
  }

  private func fail(_ error: FatalClientError) {
    let isFirst = fatalError.withLock { first in
      defer { first = first ?? error }
      return first == nil
    }
    if isFirst {
      logger.critical("a Kafka client has failed for good", metadata: ["problem": "\(error)"])
    }
  }

  /// Does not throw: the events behind this one hold records that no poll will return again.
  private func handle(_ event: ConsumerEvent) async {
    switch event {
    case .messages(let messages):
      if unanswered == nil { health.resolve(.broker) }
      await route(messages)
    case .assigned(let partitions):
      self.partitions = partitions
      health.resolveTopics()
      unanswered = RebalanceAnswer(.take)
      await answerRebalance()
    case .revoked(_, let lost):
      await giveUp(lost: lost)
      unanswered = RebalanceAnswer(.unassign)
      await answerRebalance()
    case .trouble(let problem):
      health.report(.broker, problem)
    case .offsetOutOfRange(let partition, let problem):
      // Going on from somewhere else would skip events in silence.
      health.report(.topics, topic: partition.description, problem)
    case .topicTrouble(let topic, let problem):
      health.report(.topics, topic: topic, problem)
    case .fatal(let error):
      fail(error)
    case .notice(let text):
      logger.debug("broker client", metadata: ["line": "\(text)"])
    case .commitFailed(let problem):
      // One of an assignment that is over is nobody's any more.
      guard !committing.isEmpty else { break }
      health.report(.commits, problem)
      progress.restore(committing)
    case .committed:
      health.resolve(.commits)
    }
  }

  private func reportingTrouble(_ body: () async throws -> Void) async {
    do { try await body() } catch { health.report(.broker, "\(error)") }
  }

  // MARK: - Partitions come and go

  /// Starts the lanes of an assignment, unless it is one that can't be worked on.
  private func take() async throws -> RebalanceAnswer.Call {
    let counts = try await consumer.partitionCounts()
    let topics = service.subscriptions.map(\.rawValue)
    let numbers = Set(partitions.map(\.number))
    let distinct = Set(topics.map { counts[$0] ?? 0 })
    guard distinct.count == 1, partitions.count == topics.count * numbers.count else {
      let list = topics.map { "\($0) (\(counts[$0] ?? 0))" }.joined(separator: ", ")
      health.report(
        .topics,
        "the topics \(list) have different numbers of partitions; run 'orderly topics verify'")
      return .refuse
    }
    partitionCount = distinct.first ?? 0
    for number in numbers.sorted() { lanes[number] = start(number) }
    logger.info(
      "partitions assigned",
      metadata: ["lanes": "\(numbers.sorted().map { "\($0)" }.joined(separator: ","))"])
    return .assign
  }

  /// In an order of their own and not the dictionary's, which differs from run to run.
  private var lanesInOrder: [(number: Int32, lane: RunningLane)] {
    lanes.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// Tells the client what it waits for since the last rebalance. Until that has succeeded nothing
  /// is read, so it is tried again, until the group says something newer.
  private func answerRebalance() async {
    while var answer = unanswered, answer.isDue(at: clock.uptime) {
      do {
        switch answer.call {
        case .take:
          unanswered = RebalanceAnswer(try await take())
          continue
        case .assign:
          try await consumer.assign(partitions)
          health.assigned(Set(partitions.map(\.number)))
          // librdkafka keeps a partition paused over a rebalance: confluentinc/librdkafka#1849,
          // confluentinc/confluent-kafka-go#193.
          unanswered = RebalanceAnswer(.resume)
          continue
        case .resume: try await consumer.resume(partitions)
        case .refuse: try await consumer.assign([])
        case .unassign: try await consumer.unassign()
        }
        unanswered = nil
        health.resolve(.broker)
      } catch {
        health.report(.broker, "can't \(answer.call.rawValue): \(error)")
        answer.failed(at: clock.uptime)
        unanswered = answer
      }
    }
  }

  private func start(_ number: Int32) -> RunningLane {
    let queue = LaneQueue()
    let activity = LaneActivity(clock: clock)
    let health = health.lane(number)
    effects?.begin(queue)
    let lane = Lane(
      number: number, partitionCount: partitionCount, step: step, store: store, consumer: consumer,
      producer: producer, queue: queue, progress: progress, limits: limits, clock: clock,
      health: health, activity: activity, metrics: metrics, owner: owner, logger: logger,
      effects: effects)
    // A lane lives as long as the assignment, not as any scope of this actor: `giveUp` ends it
    // and waits for it, within a bound.
    return RunningLane(
      queue: queue, task: Task(executorPreference: executor) { await lane.run() }, health: health,
      activity: activity)
  }

  /// Ends all lanes (an eager rebalance takes all partitions at once) and commits what is done.
  private func giveUp(lost: Bool) async {
    let ending = lanesInOrder.map(\.lane)
    for lane in ending {
      lane.queue.stop()
      effects?.end(lane.queue)
    }
    let tasks = ending.map(\.task)
    lanes.removeAll()
    partitions.removeAll()
    health.revoked()
    metrics.setLag([:])
    // A lane that is stuck is left behind: the next owner's epoch fences it off.
    let ended = await within(limits.stopTimeout, by: clock, on: executor) {
      for task in tasks { await task.value }
    }
    if !ended {
      logger.error("lanes did not end in time; the next owner's epoch fences them off")
    }
    // What was committed in the background may not have arrived yet.
    progress.restore(committing)
    let offsets = progress.take()
    progress = LaneProgress()
    committing = [:]
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

  private func route(_ messages: [RawMessage]) async {
    if health.isTroubled(.topics) {
      let partitions = Set(messages.map(\.partition))
      health.resolve(
        .topics, topics: Set(partitions.flatMap { [$0.topic, $0.description] }))
    }
    let batches = Dictionary(grouping: messages, by: \.partition.number)
    for (number, batch) in batches.sorted(by: { $0.key < $1.key }) {
      // Read before the partition was taken away: the next owner reads them.
      guard let lane = lanes[number] else { continue }
      let weight = lane.queue.add(batch)
      if weight > limits.queueBytes, !lane.isPaused {
        await reportingTrouble {
          try await consumer.pause(partitions.filter { $0.number == number })
          lanes[number]?.isPaused = true
        }
      }
    }
  }

  private func resumeDrained() async {
    for (number, lane) in lanesInOrder
    where lane.isPaused && lane.queue.weight < limits.queueBytes / 2 {
      await reportingTrouble {
        try await consumer.resume(partitions.filter { $0.number == number })
        lanes[number]?.isPaused = false
      }
    }
  }

  private func commitInBackground() async {
    let offsets = progress.take()
    guard !offsets.isEmpty else { return }
    committing.merge(offsets) { _, new in new }
    do {
      try await consumer.commitInBackground(offsets)
    } catch {
      progress.restore(offsets)
      health.report(.commits, "\(error)")
    }
  }

  private func tick() async {
    effects?.tick()
    for (_, lane) in lanesInOrder {
      lane.queue.tick()
      if let problem = lane.activity.stuck(after: limits.stuckAfter) {
        lane.health.report(.progress, problem)
      } else {
        lane.health.resolve(.progress)
      }
    }
    if let lag = try? await consumer.lag() { metrics.setLag(lag) }
    // The client says when it has lost the brokers, not when it has found them again.
    if unanswered == nil, health.isTroubled(.broker), (try? await consumer.ping()) != nil {
      health.resolve(.broker)
    }
  }
}
