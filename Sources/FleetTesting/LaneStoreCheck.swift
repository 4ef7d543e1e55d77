import Contracts
import Fleet
import Foundation

/// The checks of ``LaneStoreRule``.
struct LaneStoreCheck<Store: LaneStore> {
  private let store: Store

  init(_ store: Store) {
    self.store = store
  }

  // MARK: - Owners

  func partitionsStayAsMany() async throws {
    try await store.confirmPartitions(6)
    try await store.confirmPartitions(6)
    for count: Int32 in [5, 8] {
      do {
        try await store.confirmPartitions(count)
      } catch StoreError.misconfigured {
        continue
      }
      throw ConformanceFailure("\(count) partitions were taken after 6")
    }
    try await store.confirmPartitions(6)
  }

  func epochsRiseByLane() async throws {
    try await expect(store.takeOver(lane: 0, owner: "a"), 1, "the first epoch")
    try await expect(store.takeOver(lane: 0, owner: "b"), 2, "the second epoch")
    try await expect(store.takeOver(lane: 0, owner: "b"), 3, "the same owner's next epoch")
    try await expect(store.takeOver(lane: 1, owner: "b"), 1, "the first epoch of another lane")
  }

  func formerOwnersAreFenced() async throws {
    let old = try await store.takeOver(lane: 0, owner: "a")
    try await step(0, old, [UUID()], [sampleRecord(1)])
    let new = try await store.takeOver(lane: 0, owner: "b")
    let id = UUID()
    try await expectFenced { try await step(0, old, [id], [sampleRecord(2)]) }
    try await expect(admitted(0, new, [id]), [id], "what a fenced step had admitted")
    try await expect(sequences(0), [1], "the outbox after a fenced step")
  }

  func unknownLanesAreFenced() async throws {
    try await expectFenced { try await step(7, 1, [UUID()], []) }
    let epoch = try await store.takeOver(lane: 7, owner: "a")
    try await expectFenced { try await step(7, epoch + 1, [UUID()], []) }
  }

  /// A take-over in the midst of a step either comes first, and the step is fenced; or it waits,
  /// and what the step has written is there as soon as it returns. Never comes a row later.
  func aTakeOverWaitsForARunningStep() async throws {
    let store = store
    for round in 0..<20 as Range<Int64> {
      let epoch = try await store.takeOver(lane: 0, owner: "a")
      let sequence = epoch << 32
      let takeOver = TaskBox()
      let isCommitted: Bool
      do {
        try await store.step { transaction in
          if round % 2 == 0 { takeOver.start(store) }
          _ = try transaction.admit([UUID()], lane: 0, epoch: epoch)
          if round % 2 == 1 { takeOver.start(store) }
          try transaction.append([sampleRecord(sequence)], lane: 0)
        }
        isCommitted = true
      } catch StoreError.fenced {
        isCommitted = false
      }
      let seen = try await takeOver.value()
      try expect(
        seen.contains(sequence), isCommitted, "whether the row is there after the take-over")
      try await expect(
        sequences(0).contains(sequence), isCommitted, "whether the row is there in the end")
    }
  }

  // MARK: - Inbox

  func idsAreAdmittedOnce() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    let (first, second, third) = (UUID(), UUID(), UUID())
    try await expect(
      admitted(0, epoch, [first, second, first]), [first, second], "an id twice in a batch")
    try await expect(
      admitted(0, epoch, [second, third]), [third], "an id of an earlier batch")
    try await expect(admitted(0, epoch, [first, second, third]), [], "nothing new")
  }

  func anEmptyStepChecksTheFence() async throws {
    let old = try await store.takeOver(lane: 0, owner: "a")
    try await expect(admitted(0, old, []), [], "an empty step")
    _ = try await store.takeOver(lane: 0, owner: "b")
    try await expectFenced { _ = try await admitted(0, old, []) }
  }

  func aFailedStepLeavesNothing() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    let id = UUID()
    do {
      try await store.step { transaction in
        _ = try transaction.admit([id], lane: 0, epoch: epoch)
        try transaction.append([sampleRecord(1)], lane: 0)
        try transaction.record([sampleLetter(1)], lane: 0)
        throw PlannedFailure()
      }
      throw ConformanceFailure("a step whose body throws was committed")
    } catch is PlannedFailure {}
    try await expect(sequences(0), [], "the outbox after a failed step")
    try await expect(admitted(0, epoch, [id]), [id], "the inbox after a failed step")
    // The row is free again, and so is the letter's.
    try await step(0, epoch, [UUID()], [sampleRecord(1)], [sampleLetter(1)])
    try await expect(sequences(0), [1], "the outbox after the step that followed")
  }

  // MARK: - Outbox

  func outboxKeepsItsOrderOverEpochs() async throws {
    let first = try await store.takeOver(lane: 0, owner: "a")
    try await step(0, first, [UUID()], [2, 0, 1].map { sampleRecord(first << 32 | $0) })
    let second = try await store.takeOver(lane: 0, owner: "b")
    try await step(0, second, [UUID()], [1, 0].map { sampleRecord(second << 32 | $0) })
    let other = try await store.takeOver(lane: 1, owner: "b")
    try await step(1, other, [UUID()], [sampleRecord(other << 32)])
    let all = [0, 1, 2].map { first << 32 | $0 } + [0, 1].map { second << 32 | $0 }
    try await expect(sequences(0), all, "the outbox's order")
    try await expect(
      store.outbox(lane: 0, limit: 4).map(\.sequence), Array(all.prefix(4)), "its oldest rows")
  }

  func outboxRowsComeBackAsTheyWere() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    var bare = sampleRecord(2)
    bare.key = nil
    bare.value = nil
    bare.causationID = nil
    bare.traceparent = nil
    var hostile = sampleRecord(3)
    hostile.key = HostileData.bytes
    hostile.value = HostileData.bytes
    hostile.headers = HostileData.headers
    var headless = sampleRecord(4)
    headless.headers = []
    let records = [sampleRecord(1), bare, hostile, headless]
    try await step(0, epoch, [UUID()], records)
    for (found, expected) in zip(try await store.outbox(lane: 0, limit: 10), records) {
      try expect(found, expected, "row \(expected.sequence)")
    }
    try await expect(sequences(0).count, records.count, "the rows")
  }

  func outboxRowsAreRemovedByLaneAndSequence() async throws {
    for lane in [0, 1] as [Int32] {
      let epoch = try await store.takeOver(lane: lane, owner: "a")
      try await step(lane, epoch, [UUID()], (1...4).map { sampleRecord($0) })
    }
    try await store.removeFromOutbox(lane: 0, sequences: [1, 3, 99])
    try await store.removeFromOutbox(lane: 0, sequences: [1])
    try await store.removeFromOutbox(lane: 0, sequences: [])
    try await expect(sequences(0), [2, 4], "what is left")
    try await expect(sequences(1), [1, 2, 3, 4], "another lane's outbox")
  }

  func oneOutboxPlaceHoldsOneRow() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    try await step(0, epoch, [UUID()], [sampleRecord(1)])
    do {
      try await step(0, epoch, [UUID()], [sampleRecord(1)])
    } catch StoreError.rejected {
      return
    }
    throw ConformanceFailure("two rows were taken in one place of the outbox")
  }

  // MARK: - Dead letters

  func deadLettersTakeHostileBytes() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    let letters = [
      sampleLetter(1),
      DeadLetter(
        service: .payments,
        message: RawMessage(
          partition: Partition(topic: "inventory.v1", number: 0), offset: .max, key: nil,
          value: nil, headers: []),
        reason: "\u{0}\u{1b}", detail: String(repeating: "\u{0}\u{1F980}", count: 2_000),
        attempts: 1, firstFailed: sampleTime, lastFailed: sampleTime - 1),
    ]
    try await step(0, epoch, letters.map(\.id), [], letters)
  }

  func aSecondLetterForAMessageIsNoError() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    try await step(0, epoch, [UUID()], [], [sampleLetter(1)])
    try await step(0, epoch, [UUID()], [], [sampleLetter(1), sampleLetter(2)])
  }

  // MARK: - Tools

  private var sampleTime: Date { Date(timeIntervalSince1970: 1_800_000_000) }

  private func sampleLetter(_ offset: Int64) -> DeadLetter {
    DeadLetter(
      service: .payments, message: HostileData.message(offset: offset), reason: "invalid-body",
      detail: "lines[0].quantity", attempts: 1, firstFailed: sampleTime, lastFailed: sampleTime)
  }

  private func step(
    _ lane: Int32, _ epoch: Int64, _ ids: [UUID], _ records: [OutboxRecord],
    _ letters: [DeadLetter] = []
  ) async throws {
    try await store.step { transaction in
      _ = try transaction.admit(ids, lane: lane, epoch: epoch)
      if !letters.isEmpty { try transaction.record(letters, lane: lane) }
      if !records.isEmpty { try transaction.append(records, lane: lane) }
    }
  }

  private func admitted(_ lane: Int32, _ epoch: Int64, _ ids: [UUID]) async throws -> Set<UUID> {
    try await store.step { try $0.admit(ids, lane: lane, epoch: epoch) }
  }

  private func sequences(_ lane: Int32) async throws -> [Int64] {
    try await store.outbox(lane: lane, limit: 1_000).map(\.sequence)
  }

  private func expect<Value: Equatable>(
    _ value: Value, _ expected: Value, _ what: String
  ) throws {
    if value != expected { throw ConformanceFailure("\(what): \(value), not \(expected)") }
  }

  private func expectFenced(_ body: () async throws -> Void) async throws {
    do { try await body() } catch StoreError.fenced { return }
    throw ConformanceFailure("a step of an owner that is none was committed")
  }
}

private struct PlannedFailure: Error {}

/// A take-over that runs beside a step, and what it finds in the outbox when it is done.
private final class TaskBox: Sendable {
  private let results: AsyncThrowingStream<[Int64], any Error>
  private let continuation: AsyncThrowingStream<[Int64], any Error>.Continuation

  init() {
    (results, continuation) = AsyncThrowingStream.makeStream()
  }

  func start<Store: LaneStore>(_ store: Store) {
    Task { [continuation] in
      do {
        _ = try await store.takeOver(lane: 0, owner: "b")
        continuation.yield(try await store.outbox(lane: 0, limit: 1_000).map(\.sequence))
        continuation.finish()
      } catch {
        continuation.finish(throwing: error)
      }
    }
  }

  func value() async throws -> [Int64] {
    for try await result in results { return result }
    throw CancellationError()
  }
}
