import Contracts
import Fleet
import FleetTesting
import Foundation
import Workload

/// A run of the whole fleet in one thread: the four services on the ports in memory, several
/// processes, customers, and what goes wrong with all of them, as the seed has it.
public struct SimulatedRun: Sendable {
  /// What a run has come to.
  public struct Report: Sendable {
    public var seed: UInt64
    /// Jobs run and timers fired.
    public var steps = 0
    /// Records in the topics at the end.
    public var records = 0
    public var virtualSeconds = 0.0
    public var faults: [FaultKind: Int] = [:]
    /// Orders by `completed` and `cancelled`.
    public var endings: [String: Int] = [:]
    /// What has happened to parked keys, dead letters and effects, by words for it.
    public var happenings: [String: Int] = [:]
    /// Broken promises, each with its number.
    public var violations: [String] = []
    public var trace: Trace
  }

  public let seed: UInt64
  /// The faults end after this many steps, or after 30 virtual seconds.
  public let steps: Int
  public let bug: PlantedBug?

  public init(seed: UInt64, steps: Int = 50_000, bug: PlantedBug? = nil) {
    self.seed = seed
    self.steps = steps
    self.bug = bug
  }

  /// Runs it to its end. All of it happens on the calling thread, which must not be that of a task.
  ///
  /// - Parameter keepsTrace: whether the report has the lines of the trace.
  public func run(keepsTrace: Bool = false) -> Report {
    let world = World(seed: seed, bug: bug, keepsTrace: keepsTrace)
    defer { world.dispose() }
    world.scheduleArrivals()
    startFleet(world)
    world.startOperator()
    FaultDriver(world: world).schedule()
    while world.scheduler.steps < steps, world.scheduler.now < 30_000_000 {
      guard world.scheduler.advance() else { break }
    }
    world.heal()
    var violations: [String] = []
    let deadline = Int(world.plan.deadlineAfter * 1_000_000)
    // Further than all the steps back that the clocks have made since an order was placed.
    for jump in [0, deadline + 10_000_000_000] {
      world.scheduler.moveWallClock(by: jump)
      if !settle(world) { violations.append("I9: the fleet does not come to rest") }
    }
    var retention = Retention(world)
    let forgotten =
      world.plan.runtime.deletesRecords ? grow(old: world, &retention, &violations) : 0
    violations += world.problems.map { "I9: not ready: \($0)" }
    if !stop(world) { violations.append("I9: a process does not stop") }
    var report = judge(world, violations, retention.starts)
    report.happenings["forgotten ids"] = forgotten
    return report
  }

  /// - Returns: how many ids were forgotten.
  private func grow(
    old world: World, _ retention: inout Retention, _ violations: inout [String]
  ) -> Int {
    let before = retention.remembered
    retention.deleteRecords()
    let end =
      world.scheduler.now + 2 * Int(world.plan.runtime.limits.markInterval / .microseconds(1))
    while world.scheduler.now < end, world.scheduler.advance() {}
    let after = retention.remembered
    retention.rewind()
    if !settle(world) { violations.append("I9: the fleet does not come to rest in its old age") }
    return before - after
  }

  private func startFleet(_ world: World) {
    let services = ServiceName.allCases.map(\.rawValue)
    switch world.scheduler.draw({ $0.below(3) }) {
    case 0: for _ in 0..<2 { world.startProcess(services) }
    case 1: for _ in 0..<2 { for service in services { world.startProcess([service]) } }
    default:
      world.startProcess(services)
      world.startProcess(Array(services.prefix(2)))
      world.startProcess(Array(services.suffix(2)))
    }
  }

  /// Runs on until nothing happens any more; false when it takes too long.
  private func settle(_ world: World) -> Bool {
    let end = world.scheduler.now + 600_000_000
    var quietSince: Int?
    var next = world.scheduler.now
    while world.scheduler.now < end {
      guard world.scheduler.advance() else { return isQuiet(world) }
      guard world.scheduler.now >= next else { continue }
      next = world.scheduler.now + 500_000
      if isQuiet(world) {
        let since = quietSince ?? world.scheduler.now
        quietSince = since
        // Two ticks, each of which may find a deadline.
        if world.scheduler.now - since > 4_000_000 { return true }
      } else {
        quietSince = nil
      }
    }
    return false
  }

  private func isQuiet(_ world: World) -> Bool {
    guard world.hasAllArrived, world.problems.isEmpty else { return false }
    // A process that is still frozen may own lanes whose deadlines nobody else looks for.
    guard world.workers.allSatisfy({ $0.frozenUntil <= world.scheduler.now }) else { return false }
    for service in ServiceName.allCases {
      guard world.broker.isStable(service.rawValue),
        world.workers.contains(where: { $0.services.contains(service.rawValue) })
      else { return false }
      for topic in service.subscriptions.map(\.rawValue) {
        for number in 0..<world.plan.partitions {
          let end = world.broker.records(topic, number).count
          let committed = world.broker.committed(service.rawValue, topic, number) ?? 0
          guard committed == Int64(end) else { return false }
        }
      }
    }
    let lanes = 0..<world.plan.partitions
    return lanes.allSatisfy { lane in
      world.orders.store.allOutbox(lane: lane).isEmpty
        && world.inventory.store.allOutbox(lane: lane).isEmpty
        && world.payments.store.allOutbox(lane: lane).isEmpty
        && world.fulfilment.store.allOutbox(lane: lane).isEmpty
    } && isQuiet(world.orders) && isQuiet(world.inventory) && isQuiet(world.payments)
      && isQuiet(world.fulfilment)
  }

  /// Nothing waits, and nobody has to decide anything.
  private func isQuiet<Tables: InMemoryTables>(_ database: SimulatedDatabase<Tables>) -> Bool {
    database.store.parkedKeys.isEmpty
      && database.store.deadLetters.allSatisfy { $0.state == .resolved || $0.state == .discarded }
      && database.store.effects.values.allSatisfy { $0.state == .done }
  }

  private func stop(_ world: World) -> Bool {
    for process in world.workers + world.desks { process.stop() }
    let end = world.scheduler.now + 120_000_000
    while world.scheduler.now < end {
      if (world.processes + world.desks).allSatisfy(\.hasEnded) { return true }
      guard world.scheduler.advance() else { break }
    }
    return (world.processes + world.desks).allSatisfy(\.hasEnded)
  }

  private func judge(
    _ world: World, _ violations: [String], _ starts: [String: Int]
  ) -> Report {
    var evidence = Evidence(world)
    evidence.starts = starts
    var checker = Checker(evidence)
    checker.check()
    for topic in evidence.log.keys.sorted() {
      for record in evidence.log[topic]!.joined() {
        world.scheduler.note(-1, record.identity ?? "?", .recorded, record.offset)
      }
    }
    return Report(
      seed: seed, steps: world.scheduler.steps,
      records: evidence.log.values.reduce(0) { $0 + $1.reduce(0) { $0 + $1.count } },
      virtualSeconds: Double(world.scheduler.now) / 1_000_000, faults: world.counts,
      endings: Dictionary(checker.endings.values.map { ($0, 1) }, uniquingKeysWith: +),
      happenings: checker.happenings,
      violations: violations + checker.violations, trace: world.scheduler.trace)
  }
}
