import Contracts
import FleetTesting
import Foundation
import Testing

@testable import Fleet

struct StepTests {
  private let store = SampleStore(SampleTables())
  private let step = SampleStep(
    service: .payments, decider: SampleDecider(), performer: SamplePerformer())
  private let now = Date(timeIntervalSince1970: 1_800_000_000)

  private func run(
    _ items: [LaneItem], attempt: Int = 1, nextSequence: Int64 = 7
  ) async throws -> StepResult {
    if store.epoch(of: 0) == nil { _ = try await store.takeOver(lane: 0, owner: "me") }
    let context = SampleStep.Context(
      lane: 0, epoch: 1, nextSequence: nextSequence, now: now, attempt: attempt)
    return try await store.step { [step] in try step.run(items, context, in: $0) }
  }

  @Test func changesRowsAndEmitsInOrder() async throws {
    let result = try await run([
      item(reservation("x", "1")), item(reservation("y", "1")), item(reservation("x", "2")),
    ])
    #expect(
      store.tables.rows == [
        OrderID(rawValue: "x"): Account(handled: ["1", "2"]),
        OrderID(rawValue: "y"): Account(handled: ["1"]),
      ])
    #expect(result.handled == ["inventory.reserved": 3])
    #expect(result.duplicates == 0)
    #expect(store.allOutbox(lane: 0) == result.outbox)
    #expect(result.outbox.map(\.sequence) == [7, 8, 9])
    #expect(result.outbox.map { String(decoding: $0.key ?? [], as: UTF8.self) } == ["x", "y", "x"])
    #expect(result.outbox.allSatisfy { $0.type == "payment.captured" && $0.topic == "payments.v1" })
    #expect(store.inbox.count == 3)
  }

  @Test func aDuplicateWithinABatchAndAcrossBatchesDropsOut() async throws {
    let event = reservation("x", "1")
    let first = try await run([item(event), item(event, offset: 1)])
    #expect(first.duplicates == 1)
    #expect(first.outbox.count == 1)
    let second = try await run([item(event, offset: 2)])
    #expect(second.duplicates == 1)
    #expect(second.outbox.isEmpty && second.handled.isEmpty)
    #expect(store.tables.rows[OrderID(rawValue: "x")]?.handled == ["1"])
  }

  @Test func emittedIDsDependOnTheCauseOnly() async throws {
    let event = reservation("x", "1")
    let other = StepTests()
    let here = try await run([item(event)])
    let there = try await other.run(
      [item(reservation("y")), item(event, offset: 9)], nextSequence: 40)
    #expect(here.outbox[0].id == there.outbox[1].id)
    #expect(here.outbox[0].causationID == event.id)
    #expect(here.outbox[0].traceparent == event.traceparent)
  }

  @Test func anEffectsOutcomeIsDecidedInTheSameStep() async throws {
    let result = try await run([item(reservation("x", token: "flaky-2"))], attempt: 3)
    let body = String(decoding: result.outbox[0].value ?? [], as: UTF8.self)
    #expect(body.contains("\"ref-3\""))
  }

  @Test func failedItemsAreNamedByTheirPlaceAndNothingStays() async throws {
    let items = [
      item(reservation("x", token: "down")), item(reservation("y")),
      item(reservation("x", "2", token: "down")), item(reservation("z", token: "flaky-1")),
    ]
    let failures = try await #require(throws: SampleStep.ItemFailures.self) {
      _ = try await run(items)
    }
    #expect(failures.causes.keys.sorted() == [0, 3])
    #expect(failures.causes[0]?.reason == "provider-unavailable")
    #expect(store.tables.rows.isEmpty && store.inbox.isEmpty)
    #expect(store.allOutbox(lane: 0).isEmpty)
  }

  @Test func unreadableMessagesBecomeDeadLettersInTheOutbox() async throws {
    let raw = message(unreadableRecord(), offset: 5)
    let bad = try #require(LaneItem(raw, for: .payments))
    let result = try await run([item(reservation("x")), bad])
    #expect(result.outbox.map(\.topic) == ["payments.v1", "payments.dlq"])
    let row = result.outbox[1]
    #expect(row.value == [0xff, 0x00])
    #expect(row.key == nil)
    let headers = Dictionary(uniqueKeysWithValues: (row.headers ?? []).map { ($0.name, $0.text) })
    #expect(headers["dlq-offset"] == "5")
    #expect(headers["dlq-topic"] == "inventory.v1")
    #expect(headers["dlq-reason"] == "missing-header")
    #expect(store.deadLetters.map(\.id) == [row.id])
    // The second time it is a duplicate.
    #expect(try await run([bad]).duplicates == 1)
    #expect(store.deadLetters.count == 1)
  }

  /// A batch that holds dead letters only reads no rows: they may be what is wrong with them.
  @Test func aDeadLetterTouchesNoRows() async throws {
    let event = reservation("refused", "1")
    let letter = DeadLetter(
      service: .payments, message: message(record(event), offset: 3), reason: "r\u{0}",
      detail: "d\u{1b}[0m", attempts: 2, firstFailed: now, lastFailed: now - 60, event: event)
    store.setFaults(StoreFaults.at(.load, 0..<9, .fail(.rejected("unreadable row"))))
    let result = try await run([.dead(letter)])
    #expect(result.deadLetters.count == 1)
    #expect(store.inbox == [event.id])
    #expect(letter.reason == "r\u{FFFD}" && letter.detail == "d\u{FFFD}[0m")
    // A clock that was set back makes no letter that the table refuses.
    #expect(letter.lastFailed == now)
  }

  @Test func aStepOfAFormerOwnerIsFenced() async throws {
    _ = try await run([item(reservation("x"))])
    _ = try await store.takeOver(lane: 0, owner: "other")
    await #expect {
      _ = try await run([item(reservation("y"))])
    } throws: {
      if case StoreError.fenced = $0 { true } else { false }
    }
  }

  @Test(arguments: [
    (EventType.paymentCaptured, "inventory.v1", "passed over"),
    (.inventoryReserved, "fulfilment.v1", "unreadable"),
    (.inventoryReserved, "inventory.v1", "read"),
  ])
  func readsOnlyWhatTheServiceConsumes(type: EventType, topic: String, expected: String) {
    var raw = message(record(reservation("x")))
    raw.partition = Partition(topic: topic, number: 0)
    let place = raw.headers.firstIndex { $0.name == HeaderName.type }
    if let place { raw.headers[place].value = Array(type.rawValue.utf8) }
    switch LaneItem(raw, for: .payments) {
    case nil: #expect(expected == "passed over")
    case .unreadable(let error, _):
      #expect(expected == "unreadable")
      #expect(error.reason == .wrongTopic)
    case .event: #expect(expected == "read")
    default: Issue.record("neither")
    }
  }
}
