import Contracts
import Fleet
import FleetTesting
import Foundation
import Fulfilment
import Inventory
import Orders
import Payments
import Synchronization
import Telemetry
import Workload

/// Everything of a run: the broker, the databases, the processes, and what goes wrong with them.
final class World: Sendable {
  private struct State {
    var processes: [SimulatedProcess] = []
    /// Those of operators.
    var desks: [SimulatedProcess] = []
    /// Until when nobody reaches a place.
    var away: [SimulatedProcess.Place: Int] = [:]
    var isFaulty = true
    var counts: [FaultKind: Int] = [:]
    var problems: [@Sendable () -> [String]] = []
    var arrived = 0
    /// The records that nobody can read, by their place, and the services that must say so.
    var poison: [String: Set<String>] = [:]
  }

  let scheduler: Scheduler
  let bug: PlantedBug?
  let faults: FaultMix
  let plan: SimulatedOrders
  let broker = InMemoryBroker()
  let bank = SimulatedBank()
  let orders: SimulatedDatabase<OrderTables>
  let inventory: SimulatedDatabase<InventoryTables>
  let payments: SimulatedDatabase<PaymentTables>
  let fulfilment: SimulatedDatabase<ShipmentTables>
  private let state = Mutex(State())

  static let logger: Logger = {
    var logger = Logger(label: "simulation")
    logger.logLevel = .critical
    return logger
  }()

  init(seed: UInt64, bug: PlantedBug?, keepsTrace: Bool) {
    var random = SplitMix64(seed: seed)
    let scheduler = Scheduler(seed: random.next(), keepsTrace: keepsTrace)
    self.scheduler = scheduler
    self.bug = bug
    faults = FaultMix(&random)
    plan = SimulatedOrders(seed: seed, &random)
    orders = SimulatedDatabase(.orders, OrderTables())
    inventory = SimulatedDatabase(
      .inventory, InventoryTables(stock: plan.stock.mapValues { Stock(onHand: $0, reserved: 0) }))
    payments = SimulatedDatabase(.payments, PaymentTables())
    fulfilment = SimulatedDatabase(.fulfilment, ShipmentTables())
    for service in ServiceName.allCases {
      broker.createTopics(of: service, partitions: Int(plan.partitions))
    }
    broker.setFetches { partitions in
      scheduler.draw { random in
        let isCut = random.chance(0.5)
        return random.shuffled(partitions).map { ($0, isCut ? 1 + random.below(8) : .max) }
      }
    }
  }

  // MARK: - Faults

  var isFaulty: Bool { state.withLock { $0.isFaulty } }
  var counts: [FaultKind: Int] { state.withLock { $0.counts } }

  func count(_ kind: FaultKind) {
    state.withLock { $0.counts[kind, default: 0] += 1 }
  }

  /// Whether a fault of this kind happens now.
  func strikes(_ kind: FaultKind) -> Bool {
    guard isFaulty, faults[kind] > 0, scheduler.draw({ $0.chance(faults[kind]) }) else {
      return false
    }
    count(kind)
    return true
  }

  func isAway(_ place: SimulatedProcess.Place) -> Bool {
    state.withLock { $0.away[place, default: 0] } > scheduler.now
  }

  func takeAway(_ place: SimulatedProcess.Place, for microseconds: Int) {
    state.withLock { $0.away[place] = scheduler.now + microseconds }
  }

  /// Nothing goes wrong any more.
  func heal() {
    state.withLock { state in
      state.isFaulty = false
      state.away = [:]
    }
    scheduler.note(-1, "", .healed)
  }

  // MARK: - Customers

  /// Publishes what comes from outside, each record at its time.
  func scheduleArrivals() {
    for arrival in plan.arrivals {
      scheduler.after(arrival.time) { [weak self] in self?.publish(arrival) }
    }
  }

  private func publish(_ arrival: SimulatedOrders.Arrival) {
    let offset = broker.append(arrival.record)
    let place = Evidence.place(
      arrival.record.partition.topic, Int(arrival.record.partition.number), Int(offset))
    state.withLock { state in
      state.arrived += 1
      if !arrival.refusedBy.isEmpty { state.poison[place] = arrival.refusedBy }
    }
  }

  var hasAllArrived: Bool { state.withLock { $0.arrived } == plan.arrivals.count }
  var poison: [String: Set<String>] { state.withLock { $0.poison } }

  // MARK: - Processes

  /// All that were ever started.
  var processes: [SimulatedProcess] { state.withLock { $0.processes } }
  /// Those of operators.
  var desks: [SimulatedProcess] { state.withLock { $0.desks } }
  /// Those that work.
  var workers: [SimulatedProcess] { processes.filter { !$0.isDead && !$0.isStopping } }

  func startProcess(_ services: [String]) {
    let process = state.withLock { state in
      let process = SimulatedProcess(state.processes.count, services: services, world: self)
      state.processes.append(process)
      return process
    }
    scheduler.note(process.number, "", .started, services.count)
    for service in services {
      switch ServiceName(rawValue: service) {
      case .orders:
        start(.orders, bug.orders(deadlineAfter: plan.deadlineAfter), NoEffects(), orders, process)
      case .inventory: start(.inventory, bug.inventory, NoEffects(), inventory, process)
      case .payments:
        start(
          .payments, bug.payments, TestProvider(), payments, process,
          plan.runtime.storesEffects ? SimulatedProvider(process: process) : nil)
      case .fulfilment: start(.fulfilment, bug.fulfilment, TestCarrier(), fulfilment, process)
      case nil: preconditionFailure("there is no service \(service)")
      }
    }
  }

  private func start<Base, Tables: InMemoryTables, Performer: EffectPerformer>(
    _ service: ServiceName, _ decider: Rules<Base, Performer.Effect, Performer.Outcome>,
    _ performer: Performer, _ database: SimulatedDatabase<Tables>, _ process: SimulatedProcess,
    _ provider: (any EffectProvider<Performer.Effect, Performer.Outcome>)? = nil
  ) where Tables.Rows == Witnessed<Base> {
    let consumer = InMemoryConsumer(broker, service: service, clock: process)
    let runner = ServiceRunner(
      service: service, decider: decider,
      performer: SimulatedPerformer(inner: performer, service: service, world: self),
      provider: provider, effectPolicy: plan.runtime.effectPolicy,
      store: SimulatedStore(database: database, process: process),
      consumer: SimulatedConsumer(consumer, process),
      producer: SimulatedProducer(process: process), limits: plan.runtime.limits, clock: process,
      owner: "p\(process.number)",
      executor: scheduler, logger: Self.logger)
    process.began(consumer) { runner.stop() }
    state.withLock { state in
      state.problems.append {
        process.isDead || process.isStopping
          ? [] : runner.health.problems.map { "p\(process.number) \(service.rawValue): \($0)" }
      }
    }
    run(process) { await runner.run() }
  }

  private func run(_ process: SimulatedProcess, _ body: @escaping @Sendable () async -> Void) {
    let scheduler = scheduler
    Task(executorPreference: scheduler, priority: .medium) {
      let jitter = Jitter { scheduler.draw { 0.5 + $0.unit() / 2 } }
      await Backoff.$jitter.withValue(jitter) { await body() }
      process.ended()
    }
  }

  /// Somebody sits down at a desk.
  func startOperator() {
    let process = state.withLock { state in
      let process = SimulatedProcess(1_000 + state.desks.count, services: [], world: self)
      state.desks.append(process)
      return process
    }
    process.began(nil) {}
    run(process) { [self] in await SimulatedOperator(world: self, process: process).run() }
  }

  /// Lets go of what refers back to it.
  func dispose() {
    scheduler.clear()
    for process in processes + desks { process.dispose() }
    state.withLock { $0 = State() }
  }

  /// Why working processes say that they are not ready.
  var problems: [String] { state.withLock { $0.problems }.flatMap { $0() } }

  /// The group learns of a process's death when its session ends, and a supervisor starts another.
  func died(_ process: SimulatedProcess) {
    let (session, restart) = scheduler.draw { ($0.below(8_000_000), $0.below(6_000_000)) }
    let broker = broker
    scheduler.after(session) {
      for consumer in process.consumers { broker.remove(consumer) }
    }
    scheduler.after(restart) { [weak self] in
      if process.services.isEmpty {
        self?.startOperator()
      } else {
        self?.startProcess(process.services)
      }
    }
  }
}
