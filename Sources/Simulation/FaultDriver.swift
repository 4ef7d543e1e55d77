import Contracts
import Fleet
import FleetTesting
import Workload

/// Makes things go wrong that no call of a port is needed for.
struct FaultDriver: Sendable {
  let world: World

  private var scheduler: Scheduler { world.scheduler }
  private static let maximumProcesses = 12

  /// Draws the time of the next fault.
  func schedule() {
    guard !world.faults.events.isEmpty else { return }
    let delay = scheduler.draw { 1 + $0.below(2 * world.faults.eventInterval) }
    scheduler.after(delay) {
      guard world.isFaulty else { return }
      inject(scheduler.draw { $0.pick(world.faults.events) })
      schedule()
    }
  }

  private func inject(_ kind: FaultKind) {
    switch kind {
    case .databaseOutage:
      let service = scheduler.draw { $0.pick(ServiceName.allCases) }.rawValue
      scheduler.note(-1, service, .databaseAway)
      world.takeAway(.database(service), for: scheduler.draw { $0.below(5_000_000) })
    case .brokerOutage:
      scheduler.note(-1, "", .brokerAway)
      world.takeAway(.broker, for: scheduler.draw { $0.below(5_000_000) })
    case .providerOutage:
      let service = scheduler.draw { $0.pick([ServiceName.payments, .fulfilment]) }.rawValue
      scheduler.note(-1, service, .providerAway)
      world.takeAway(.provider(service), for: scheduler.draw { $0.below(20_000_000) })
    case .clockJump:
      let jump = scheduler.draw {
        $0.pick([1_000_000, 60_000_000, 1_000_000_000, -5_000_000, -60_000_000])
      }
      scheduler.note(-1, "", .clockMoved, jump)
      world.scheduler.moveWallClock(by: jump)
    case .rewind:
      let service = scheduler.draw { $0.pick(ServiceName.allCases) }
      scheduler.note(-1, service.rawValue, .rewound)
      world.broker.rewind(service.rawValue, to: drawOffsets(service))
    default:
      injectIntoProcess(kind)
      return
    }
    world.count(kind)
  }

  private func drawOffsets(_ service: ServiceName) -> [Partition: Int64] {
    var offsets: [Partition: Int64] = [:]
    for topic in service.subscriptions {
      for number in 0..<world.plan.partitions {
        let end = world.broker.records(topic.rawValue, number).count
        offsets[Partition(topic: topic.rawValue, number: number)] =
          Int64(scheduler.draw { $0.below(end + 1) })
      }
    }
    return offsets
  }

  private func injectIntoProcess(_ kind: FaultKind) {
    let workers = world.workers
    guard !workers.isEmpty else { return }
    let victim = scheduler.draw { workers[$0.below(workers.count)] }
    switch kind {
    case .kill: victim.kill()
    case .stop:
      scheduler.note(victim.number, "", .stopped)
      victim.stop()
      let world = world
      scheduler.after(scheduler.draw { $0.below(5_000_000) }) {
        world.startProcess(victim.services)
      }
    case .join:
      guard workers.count < Self.maximumProcesses else { return }
      world.startProcess(victim.services)
    case .freeze: freeze(victim)
    case .expel:
      let consumer = scheduler.draw { $0.pick(victim.consumers) }
      scheduler.note(victim.number, consumer.group, .expelled)
      world.broker.expel(consumer)
    default: return
    }
    world.count(kind)
  }

  /// Stops it, past the end of its session or not.
  private func freeze(_ process: SimulatedProcess) {
    let length = scheduler.draw { $0.below(20_000_000) }
    scheduler.note(process.number, "", .frozen, length)
    process.freeze(length)
    let session = 6_000_000
    guard length > session else { return }
    let world = world
    scheduler.after(session) {
      guard process.frozenUntil > world.scheduler.now else { return }
      world.scheduler.note(process.number, "", .expelled)
      for consumer in process.consumers { world.broker.expel(consumer) }
    }
  }
}
