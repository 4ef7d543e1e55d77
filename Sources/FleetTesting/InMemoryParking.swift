import Contracts
import Fleet
import Foundation

/// The tables `parked_key` and `parked` of an ``InMemoryDatabase``.
struct InMemoryParking: Sendable {
  /// One statement of a step.
  enum Change: Sendable {
    case fence([ParkedKey])
    case park([ParkedEvent])
    case unpark([UUID])
    case lift([OrderID])
  }

  private(set) var keys: [OrderID: ParkedKey] = [:]
  private(set) var lanes: [OrderID: Int32] = [:]
  /// Those that are replayed first, each part in the order of arrival.
  private(set) var events: [ParkedEvent] = []

  /// - Throws: `rejected` where a key has events and no fence.
  mutating func apply(_ change: Change, lane: Int32) throws {
    switch change {
    case .fence(let keys):
      for key in keys {
        self.keys[key.key] = key
        lanes[key.key] = lane
      }
    case .park(let events):
      for event in events {
        guard keys[event.order] != nil else {
          throw StoreError.rejected("parked: the key \(event.order) has no fence")
        }
        var event = event
        if let index = self.events.firstIndex(where: { $0.id == event.id }) {
          let standing = self.events[index]
          event.deadLetter = event.deadLetter ?? standing.deadLetter
          if event.deadLetter == standing.deadLetter {
            self.events[index].failure = event.failure
            continue
          }
          self.events.remove(at: index)
        }
        if event.deadLetter != nil {
          let place = self.events.firstIndex { $0.deadLetter == nil } ?? self.events.count
          self.events.insert(event, at: place)
        } else {
          self.events.append(event)
        }
      }
    case .unpark(let ids):
      let ids = Set(ids)
      events.removeAll { ids.contains($0.id) }
    case .lift(let keys):
      for key in keys {
        guard !events.contains(where: { $0.order == key }) else {
          throw StoreError.rejected("parked_key: the key \(key) has events")
        }
        self.keys[key] = nil
        lanes[key] = nil
      }
    }
  }

  func dueKeys(lane: Int32, at now: Date) -> [ParkedKey] {
    keys.values
      .filter { $0.state == .waiting && $0.nextAttempt <= now && lanes[$0.key] == lane }
      .sorted { ($0.nextAttempt, $0.key) < ($1.nextAttempt, $1.key) }
  }

  func dueQueues(
    of wanted: Set<OrderID>, lane: Int32, at now: Date, limit: Int, bytes: Int
  ) -> [ParkedQueue] {
    var queues: [ParkedQueue] = []
    var rest = limit
    var weight = 0
    for key in dueKeys(lane: lane, at: now) where wanted.contains(key.key) {
      // An empty queue is a row of its own.
      guard rest > 0 else { break }
      let all = events.filter { $0.order == key.key }
      let some = all.prefix(rest).prefix { event in
        weight += event.message.value?.count ?? 0
        return weight <= bytes || rest == limit && event.id == all.first?.id
      }
      guard !some.isEmpty || all.isEmpty && weight <= bytes else { break }
      rest -= max(1, some.count)
      queues.append(ParkedQueue(key: key, events: Array(some), length: all.count))
    }
    return queues
  }

  func fence(of key: OrderID) -> StandingFence? {
    guard let fence = keys[key], let lane = lanes[key] else { return nil }
    return StandingFence(
      key: fence, lane: lane, waiting: events.count { $0.order == key && $0.deadLetter == nil })
  }
}
