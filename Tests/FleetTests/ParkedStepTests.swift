import Contracts
import FleetTesting
import Foundation
import Testing

@testable import Fleet

/// Parking within single steps: what one transaction does.
struct ParkedStepTests {
  private let store = SampleStore(SampleTables())
  private let now = Date(timeIntervalSince1970: 1_800_000_000)
  private let x = OrderID(rawValue: "x")

  private func run(
    _ items: [LaneItem], after seconds: TimeInterval = 0, nextSequence: Int64 = 7,
    limits: FleetLimits = FleetLimits()
  ) async throws -> StepResult {
    if store.epoch(of: 0) == nil { _ = try await store.takeOver(lane: 0, owner: "me") }
    let step = SampleStep(
      service: .payments, decider: SampleDecider(), performer: SamplePerformer(), limits: limits)
    let context = SampleStep.Context(
      lane: 0, epoch: 1, nextSequence: nextSequence, now: now + seconds, attempt: 1)
    return try await store.step { try step.run(items, context, in: $0) }
  }

  /// Parks the events, the first as one that has failed three times.
  private func park(_ events: [Event]) async throws {
    let failure = EventFailure(
      reason: "down", detail: "", attempts: 3, first: now - 9, last: now)
    let first = LaneItem.parked(
      ParkedEvent(events[0], message(record(events[0])), failure: failure))
    _ = try await run([first] + events.dropFirst().map { item($0) })
  }

  private let retry = [LaneItem.retry(OrderID(rawValue: "x"), .queue)]

  @Test func theInboxKnowsWhatIsParked() async throws {
    let events = [reservation("x", "1"), reservation("x", "2")]
    try await park(events)
    #expect(store.inbox == Set(events.map(\.id)))
    #expect(store.tables.rows.isEmpty && store.allOutbox(lane: 0).isEmpty)
    #expect(store.parkedEvents.map(\.id) == events.map(\.id))
    #expect(try await run(events.map { item($0) }).duplicates == 2)
  }

  @Test func theFenceIsLiftedByTheStepThatFindsTheQueueEmpty() async throws {
    try await park([reservation("x", "1"), reservation("x", "2"), reservation("x", "3")])
    // Not committed: all of it stays.
    store.setFaults(StoreFaults.at(.commit, 0..<1, .fail(.unavailable("away"))))
    await #expect(throws: StoreError.self) { try await run(retry, after: 1) }
    #expect(store.parkedKeys.count == 1 && store.parkedEvents.count == 3)
    let result = try await run(retry, after: 1)
    #expect(store.tables.rows[x]?.handled == ["1", "2", "3"])
    #expect(store.parkedKeys.isEmpty && store.parkedEvents.isEmpty)
    #expect(result.handled == ["inventory.reserved": 3])
    #expect(result.outbox.map(\.sequence) == [7, 8, 9])
    // The very next event is not diverted.
    _ = try await run([item(reservation("x", "4"))], after: 1, nextSequence: 10)
    #expect(store.tables.rows[x]?.handled == ["1", "2", "3", "4"])
  }

  @Test func anEventThatFailsLeavesWhatTheOnesBeforeItHaveDone() async throws {
    try await park([
      reservation("x", "1"), reservation("x", "2", token: "flaky-1"), reservation("x", "3"),
    ])
    let result = try await run(retry, after: 1)
    #expect(store.tables.rows[x]?.handled == ["1"])
    #expect(result.outbox.count == 1 && result.handled == ["inventory.reserved": 1])
    #expect(store.parkedEvents.map(\.label) == ["x/2", "x/3"])
    #expect(store.parkedEvents.map(\.failure?.attempts) == [1, nil])
    #expect(store.parkedKeys[x]?.attempts == 1)
    // Not due yet: nothing is tried.
    #expect(try await run(retry, after: 1).handled.isEmpty)
    #expect(store.parkedKeys[x]?.attempts == 1)
    _ = try await run(retry, after: 60, nextSequence: 8)
    #expect(store.tables.rows[x]?.handled == ["1", "2", "3"])
    #expect(store.parkedKeys.isEmpty)
  }

  @Test func aLongQueueIsTakenInParts() async throws {
    var limits = FleetLimits()
    limits.stepEvents = 2
    try await park((1...5).map { reservation("x", "\($0)") })
    for (round, expected) in [2, 4, 5].enumerated() {
      _ = try await run(retry, after: 1, nextSequence: Int64(10 * round), limits: limits)
      #expect(store.tables.rows[x]?.handled.count == expected)
      #expect(store.parkedKeys.isEmpty == (expected == 5))
    }
    #expect(store.tables.rows[x]?.handled == ["1", "2", "3", "4", "5"])
  }

  /// Written by a version whose contracts were others.
  @Test func aParkedEventThatCannotBeReadAnyMoreIsGivenUp() async throws {
    let event = reservation("x", "1")
    var raw = message(record(event))
    raw.value = Array("{}".utf8)
    let failure = EventFailure(reason: "down", detail: "", attempts: 3, first: now, last: now)
    _ = try await run([.parked(ParkedEvent(event, raw, failure: failure))])
    let result = try await run(retry, after: 1)
    #expect(result.deadLetters.map(\.reason) == ["invalid-body"])
    #expect(result.outbox.map(\.topic) == ["payments.dlq"])
    #expect(store.deadLetters.map(\.attempts) == [4])
    #expect(store.parkedKeys[x]?.state == .dead && store.parkedEvents.isEmpty)
  }

  /// The rules answer a deadline in every state, and it is no message that could wait.
  @Test func aDeadlinePassesTheFence() async throws {
    _ = try await run([item(reservation("x", "0", total: 0))])
    try await park([reservation("x", "1")])
    _ = try await run([.deadline(x), item(reservation("x", "2"))], nextSequence: 8)
    #expect(store.tables.rows[x]?.handled == ["0", "deadline"])
    #expect(store.parkedEvents.map(\.label) == ["x/1", "x/2"])
  }

  @Test func manyKeysAreTriedInOneStep() async throws {
    let orders = (0..<50).map { OrderID(rawValue: "order-\($0)") }
    let failure = EventFailure(reason: "down", detail: "", attempts: 3, first: now, last: now)
    _ = try await run(
      orders.enumerated().map { index, order in
        let event = reservation(order.rawValue, "1", token: index % 2 == 0 ? "ok" : "down")
        return .parked(ParkedEvent(event, message(record(event)), failure: failure))
      })
    let due = try await store.dueKeys(lane: 0, at: now + 1, limit: 500)
    #expect(due.count == 50)
    let result = try await run(due.map { .retry($0, .queue) }, after: 1)
    #expect(result.handled == ["inventory.reserved": 25])
    #expect(store.tables.rows.count == 25 && store.parkedKeys.count == 25)
    #expect(store.parkedKeys.values.allSatisfy { $0.attempts == 1 })
  }
}
