import Contracts
import Fleet
import Foundation

/// The checks of ``LaneStoreRule`` that are about parked keys.
struct ParkingCheck<Store: LaneStore> {
  private let store: Store
  private let now = Date(timeIntervalSince1970: 1_800_000_000)

  init(_ store: Store) {
    self.store = store
  }

  // MARK: - Fences

  func parkedKeysAreFoundOnAdmission() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    let (id, keys) = (UUID(), [key("a"), key("b"), key("c"), key("a")])
    try await expect(parked(among: keys, epoch), [], "when nothing is parked")
    try await step(epoch) { step in
      try step.fence([fence("a"), fence("b", .dead), fence("d")], lane: 0)
      try step.park([event("a", offset: 1)], lane: 0)
    }
    let admission = try await store.step {
      try $0.admit([id], keys: keys, lane: 0, epoch: epoch)
    }
    try expect(admission.fresh, [id], "the fresh ids")
    try expect(admission.parked, [key("a"), key("b")], "the parked ones of the keys")
    try await expect(parked(among: [], epoch), [], "of no keys")
  }

  func aFailedStepParksNothing() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    do {
      try await step(epoch) { step in
        try step.fence([fence("a")], lane: 0)
        try step.park([event("a", offset: 1)], lane: 0)
        throw PlannedFailure()
      }
    } catch is PlannedFailure {}
    try await expect(parked(among: [key("a")], epoch), [], "after a failed step")
    try await step(epoch) { try $0.fence([fence("a")], lane: 0) }
    try await expect(queues(["a"], epoch).map(\.length), [0], "the queue's length")
  }

  func eventsNeedAFence() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    try await expectRejected("an event was parked without a fence") {
      try await step(epoch) { try $0.park([event("a", offset: 1)], lane: 0) }
    }
    try await step(epoch) { step in
      try step.fence([fence("a")], lane: 0)
      try step.park([event("a", offset: 1)], lane: 0)
    }
    try await expectRejected("a fence was lifted from events") {
      try await step(epoch) { try $0.lift([key("a")]) }
    }
    let id = try await queues(["a"], epoch)[0].events[0].id
    try await step(epoch) { step in
      try step.unpark([id, UUID()])
      try step.lift([key("a"), key("nobody")])
    }
    try await expect(parked(among: [key("a")], epoch), [], "after the fence was lifted")
  }

  func fencesAreReplaced() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    try await step(epoch) { step in
      try step.fence([fence("a")], lane: 0)
      try step.park([event("a", offset: 1)], lane: 0)
    }
    var later = fence("a", due: -5, attempts: 7)
    later.reason = "other"
    later.detail = "another reason"
    later.firstFailed -= 60
    later.lastFailed += 60
    let expected = later
    try await step(epoch) { try $0.fence([expected], lane: 0) }
    let found = try await queues(["a"], epoch)
    try expect(found.map(\.key), [later], "the fence")
    try expect(found.map(\.length), [1], "the queue's length")
  }

  // MARK: - Queues

  func queuesKeepTheOrderOfArrival() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    // Offsets of several topics: they say nothing about the order of arrival.
    try await step(epoch) { step in
      try step.fence([fence("b", due: -1), fence("a")], lane: 0)
      try step.park(
        [("a", 9), ("b", 5), ("a", 3), ("b", 8)].map { event($0, offset: $1) }, lane: 0)
    }
    try await step(epoch) { try $0.park([event("a", offset: 6), event("b", offset: 1)], lane: 0) }
    _ = try await store.takeOver(lane: 0, owner: "b")
    try await step(epoch + 1) { try $0.park([event("a", offset: 2)], lane: 0) }
    let found = try await queues(["a", "b", "c"], epoch + 1)
    try expect(found.map(\.key.key), [key("b"), key("a")], "the longest overdue first")
    try expect(found[0].events.map(\.message.offset), [5, 8, 1], "the queue of b")
    try expect(found[1].events.map(\.message.offset), [9, 3, 6, 2], "the queue of a")
  }

  func parkedMessagesComeBackAsTheyWere() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    let failure = EventFailure(
      reason: "\u{0}\u{1b}", detail: String(repeating: "\u{0}\u{1F980}", count: 2_000),
      attempts: 3, first: now, last: now - 1)
    var bare = event("a", offset: .max)
    bare.message.key = nil
    bare.message.value = nil
    bare.message.headers = []
    bare.type = "of.another-version"
    let events = [event("a", offset: 0, failure), bare]
    try await step(epoch) { step in
      try step.fence([fence("a")], lane: 0)
      try step.park(events, lane: 0)
    }
    let found = try await queues(["a"], epoch).first?.events ?? []
    for (found, expected) in zip(found, events) { try expectSame(found, expected) }
    try expect(found.count, 2, "the events")
  }

  func parkingAgainKeepsThePlace() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    var first = event("a", offset: 1)
    try await step(epoch) { [first] step in
      try step.fence([fence("a")], lane: 0)
      try step.park([first, event("a", offset: 2)], lane: 0)
    }
    first.failure = EventFailure(
      reason: "down", detail: "again", attempts: 4, first: now, last: now + 9)
    try await step(epoch) { [first] in try $0.park([first], lane: 0) }
    let found = try await queues(["a"], epoch)[0].events
    try expect(found.map(\.message.offset), [1, 2], "the queue")
    try expectSame(found[0], first)
    try expect(found[1].failure, nil, "the failure of the second")
  }

  func queuesAreBounded() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    try await step(epoch) { step in
      try step.fence([fence("a", due: -3), fence("b", due: -2), fence("c", due: -1)], lane: 0)
      try step.park((0..<3).map { event("a", offset: $0) }, lane: 0)
      try step.park((0..<3).map { event("c", offset: $0) }, lane: 0)
    }
    for (limit, expected) in [(1, [1]), (2, [2]), (3, [3]), (4, [3, 0]), (6, [3, 0, 2])] {
      let found = try await queues(["a", "b", "c"], epoch, limit: limit)
      try expect(found.map(\.events.count), expected, "the events for a limit of \(limit)")
      try expect(
        found.map(\.length), Array([3, 0, 3].prefix(found.count)),
        "the lengths for a limit of \(limit)")
    }
    let size = HostileData.bytes.count
    for (bytes, expected) in [
      (0, [1]), (size, [1]), (3 * size, [3, 0]), (5 * size - 1, [3, 0, 1]),
    ] {
      let found = try await queues(["a", "b", "c"], epoch, bytes: bytes)
      try expect(found.map(\.events.count), expected, "the events for \(bytes) bytes")
      try expect(found[0].length, 3, "the length for \(bytes) bytes")
    }
  }

  // MARK: - What is due

  func dueKeysAreTheLanesWaitingOnes() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    let other = try await store.takeOver(lane: 1, owner: "a")
    try await step(epoch) { step in
      try step.fence(
        [
          fence("now", due: 0), fence("long", due: -900), fence("later", due: 0.001),
          fence("dead", .dead, due: -900),
        ], lane: 0)
    }
    try await store.step { step in
      _ = try step.admit([], lane: 1, epoch: other)
      try step.fence([fence("elsewhere", due: -900)], lane: 1)
    }
    let due = [key("long"), key("now")]
    try await expect(store.dueKeys(lane: 0, at: now, limit: 9), due, "what is due")
    try await expect(store.dueKeys(lane: 0, at: now, limit: 1), [due[0]], "the first due")
    let all = ["now", "long", "later", "dead", "elsewhere"]
    try await expect(queues(all, epoch).map(\.key.key), due, "the due queues")
  }

  // MARK: - Tools

  private func key(_ name: String) -> OrderID { OrderID(rawValue: name) }

  private func fence(
    _ name: String, _ state: ParkedKey.State = .waiting, due: TimeInterval = 0, attempts: Int = 0
  ) -> ParkedKey {
    ParkedKey(
      key: key(name), state: state, attempts: attempts, nextAttempt: now + due, reason: "down",
      detail: "no answer", firstFailed: now - 10, lastFailed: now)
  }

  private func event(
    _ name: String, offset: Int64, _ failure: EventFailure? = nil
  ) -> ParkedEvent {
    ParkedEvent(
      id: UUID(), order: key(name), type: "inventory.reserved",
      message: HostileData.message(offset: offset), failure: failure)
  }

  private func step(
    _ epoch: Int64, _ body: @Sendable (Store.Transaction) throws -> Void
  ) async throws {
    try await store.step { step in
      _ = try step.admit([], lane: 0, epoch: epoch)
      try body(step)
    }
  }

  private func parked(among keys: [OrderID], _ epoch: Int64) async throws -> Set<OrderID> {
    try await store.step { try $0.admit([], keys: keys, lane: 0, epoch: epoch).parked }
  }

  private func queues(
    _ names: [String], _ epoch: Int64, limit: Int = 100, bytes: Int = 1 << 20
  ) async throws -> [ParkedQueue] {
    try await store.step { step in
      _ = try step.admit([], lane: 0, epoch: epoch)
      return try step.dueQueues(of: names.map(key), lane: 0, at: now, limit: limit, bytes: bytes)
    }
  }

  private func expect<Value: Equatable>(
    _ value: Value, _ expected: Value, _ what: String
  ) throws {
    if value != expected { throw ConformanceFailure("\(what): \(value), not \(expected)") }
  }

  private func expectSame(_ event: ParkedEvent, _ expected: ParkedEvent) throws {
    try expect(event.id, expected.id, "the id")
    try expect(event.order, expected.order, "the order")
    try expect(event.type, expected.type, "the type")
    try expect(event.failure, expected.failure, "the failure")
    try expect(event.message.partition, expected.message.partition, "the partition")
    try expect(event.message.offset, expected.message.offset, "the offset")
    try expect(event.message.key, expected.message.key, "the record key")
    try expect(event.message.value, expected.message.value, "the value")
    try expect(event.message.headers, expected.message.headers, "the headers")
  }

  private func expectRejected(_ what: String, _ body: () async throws -> Void) async throws {
    do { try await body() } catch StoreError.rejected { return }
    throw ConformanceFailure(what)
  }
}

private struct PlannedFailure: Error {}
