import Contracts
import Fleet
import FleetTesting
import Workload

/// Old age: records are deleted that everybody has read, the lanes forget the ids of their events, and
/// the groups read once more what is left. Nothing of it may be handled again.
struct Retention: Sendable {
  let world: World
  /// The oldest offset that is left of each partition, by `topic/partition`.
  private(set) var starts: [String: Int] = [:]

  init(_ world: World) {
    self.world = world
  }

  /// Deletes up to a point that is drawn for each partition.
  mutating func deleteRecords() {
    for topic in Topic.allCases.map(\.rawValue) {
      for number in 0..<world.plan.partitions {
        let ids = world.broker.records(topic, number).map { Evidence.Record($0).identity }
        let drawn = world.scheduler.draw { $0.chance(0.6) ? ids.count : $0.below(ids.count + 1) }
        let start = Self.start(ids, from: drawn)
        starts["\(topic)/\(number)"] = start
        world.scheduler.note(-1, "\(topic)/\(number)", .deleted, start)
        world.broker.deleteRecords(topic, number, before: Int64(start))
      }
    }
  }

  /// The first place from `start` on that separates no two copies of an event. In the runs a second
  /// copy may follow after any time, so that no time would be long enough to remember the first.
  private static func start(_ ids: [String?], from start: Int) -> Int {
    var last: [String: Int] = [:]
    for (place, id) in ids.enumerated() {
      if let id { last[id] = place }
    }
    var (start, place) = (start, 0)
    while place < start {
      if let id = ids[place], let copy = last[id] { start = max(start, copy + 1) }
      place += 1
    }
    return start
  }

  /// Takes all groups back to anything that is left.
  func rewind() {
    for service in ServiceName.allCases {
      var offsets: [Partition: Int64] = [:]
      for topic in service.subscriptions.map(\.rawValue) {
        for number in 0..<world.plan.partitions {
          let start = starts["\(topic)/\(number)", default: 0]
          let end = world.broker.records(topic, number).count
          offsets[Partition(topic: topic, number: number)] =
            Int64(world.scheduler.draw { $0.within(start...end) })
        }
      }
      world.scheduler.note(-1, service.rawValue, .rewound)
      world.broker.rewind(service.rawValue, to: offsets)
    }
  }

  /// How many ids all services remember.
  var remembered: Int {
    world.orders.store.inbox.count + world.inventory.store.inbox.count
      + world.payments.store.inbox.count + world.fulfilment.store.inbox.count
  }
}
