import Contracts
import Fleet
import Foundation

/// The checks of ``LaneStoreRule`` that are about marks, and about what the inbox forgets.
struct ReadingCheck<Store: LaneStore> {
  private let store: Store

  init(_ store: Store) {
    self.store = store
  }

  func theNewestMarkIsTheLast() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    try await expect(store.lastMark(lane: 0).mark, nil, "the mark of a new lane")
    try await mark(epoch, end: 5)
    let now = try await store.lastMark(lane: 0).now
    let mark = ReadingMark(
      at: now, places: ["t": .init(handled: 3, end: 7), "u": .init(handled: 0, end: 0)])
    try await store.record(mark, lane: 0, epoch: epoch, starts: [:], grace: .zero)
    let last = try await store.lastMark(lane: 0)
    try expect(last.mark?.places, mark.places, "the newest mark")
    // A database keeps microseconds.
    let difference = abs((last.mark?.at ?? .distantPast).timeIntervalSince(now))
    try expect(difference < 0.000_01, true, "whether it is of the time that it was given")
    try expect(last.now > now, true, "whether the database's time goes on")
    try await expect(store.lastMark(lane: 1).mark, nil, "the mark of another lane")
  }

  func idsAreForgottenWhenTheLogHasLostThem() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    let (old, new) = (UUID(), UUID())
    try await admit([old], epoch)
    try await mark(epoch, end: 5)
    try await admit([new], epoch)
    try await expect(forget(epoch), false, "forgetting before anything is gone")
    try await expect(known([old, new], epoch), [old, new], "what is in the log")
    try await mark(epoch, end: 9, start: 4)
    try await expect(forget(epoch), false, "forgetting while a record is left")
    try await expect(known([old, new], epoch), [old, new], "what may be in the log")
    try await mark(epoch, end: 9, start: 5)
    _ = try await forget(epoch)
    try await expect(known([old, new], epoch), [new], "what is remembered")
  }

  func theSlowestTopicHoldsTheHorizon() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    let id = UUID()
    try await admit([id], epoch)
    try await mark(epoch, ["t": 5, "u": 8, "v": 3], starts: ["t": 0, "u": 0, "v": 0])
    try await mark(epoch, ["t": 6, "u": 8], starts: ["t": 6, "u": 7])
    _ = try await forget(epoch)
    try await expect(known([id], epoch), [id], "while one topic has its records")
    // A topic that is not read any more holds nothing back.
    try await mark(epoch, ["t": 6, "u": 8], starts: ["t": 6, "u": 8])
    _ = try await forget(epoch)
    try await expect(known([id], epoch), [], "when all topics have lost theirs")
  }

  func theGraceIsKept() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    let (first, second) = (UUID(), UUID())
    try await admit([first], epoch)
    try await mark(epoch, end: 5, start: 5)
    try await mark(epoch, end: 5, start: 5, grace: .seconds(3_600))
    _ = try await forget(epoch)
    try await expect(known([first], epoch), [], "a horizon does not move back")
    try await admit([second], epoch)
    try await mark(epoch, end: 6, start: 6, grace: .seconds(3_600))
    _ = try await forget(epoch)
    try await expect(known([second], epoch), [second], "what came an hour ago at most")
  }

  func forgettingIsBounded() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    let ids = (0..<5).map { _ in UUID() }
    for id in ids { try await admit([id], epoch) }
    try await mark(epoch, end: 5, start: 5)
    try await expect(forget(epoch, limit: 2), true, "whether there may be more")
    try await expect(known(ids, epoch), Set(ids[2...]), "the oldest go first")
    try await expect(forget(epoch, limit: 2), true, "whether there may be more")
    try await expect(forget(epoch, limit: 2), false, "whether there may be more in the end")
    try await expect(known(ids, epoch), [], "what is remembered in the end")
  }

  func aLaneForgetsItsOwnIds() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    let other = try await store.takeOver(lane: 1, owner: "a")
    let id = UUID()
    try await store.step { _ = try $0.admit([id], lane: 1, epoch: other) }
    try await mark(epoch, end: 5, start: 5)
    _ = try await forget(epoch)
    try await expect(known([id], epoch), [id], "another lane's id")
  }

  func formerOwnersMarkAndForgetNothing() async throws {
    let old = try await store.takeOver(lane: 0, owner: "a")
    let id = UUID()
    try await admit([id], old)
    try await mark(old, end: 5, start: 5)
    let new = try await store.takeOver(lane: 0, owner: "b")
    let before = try await store.lastMark(lane: 0).mark
    try await expectFenced { try await mark(old, end: 9, start: 9) }
    try await expectFenced { _ = try await forget(old) }
    try await expect(store.lastMark(lane: 0).mark, before, "the newest mark")
    try await expect(known([id], new), [id], "what is remembered")
  }

  // MARK: - Tools

  private func admit(_ ids: [UUID], _ epoch: Int64) async throws {
    try await store.step { _ = try $0.admit(ids, lane: 0, epoch: epoch) }
  }

  private func mark(
    _ epoch: Int64, end: Int64, start: Int64 = 0, grace: Duration = .zero
  ) async throws {
    try await mark(epoch, ["t": end], starts: ["t": start], grace: grace)
  }

  private func mark(
    _ epoch: Int64, _ ends: [String: Int64], starts: [String: Int64], grace: Duration = .zero
  ) async throws {
    let mark = ReadingMark(
      at: try await store.lastMark(lane: 0).now,
      places: ends.mapValues { ReadingMark.Place(handled: 0, end: $0) })
    try await store.record(mark, lane: 0, epoch: epoch, starts: starts, grace: grace)
  }

  private func forget(_ epoch: Int64, limit: Int = 100) async throws -> Bool {
    try await store.forget(lane: 0, epoch: epoch, limit: limit)
  }

  /// Those of the ids that the inbox has. Leaves it as it is.
  private func known(_ ids: [UUID], _ epoch: Int64) async throws -> Set<UUID> {
    do {
      try await store.step { step in
        throw Answer(fresh: try step.admit(ids, lane: 0, epoch: epoch))
      }
    } catch let answer as Answer {
      return Set(ids).subtracting(answer.fresh)
    }
    throw ConformanceFailure("a step whose body throws was committed")
  }

  private func expect<Value: Equatable>(
    _ value: Value, _ expected: Value, _ what: String
  ) throws {
    if value != expected { throw ConformanceFailure("\(what): \(value), not \(expected)") }
  }

  private func expectFenced(_ body: () async throws -> Void) async throws {
    do { try await body() } catch StoreError.fenced { return }
    throw ConformanceFailure("a former owner has marked or forgotten something")
  }
}

/// What an inbox has said, by way of a step that comes to nothing.
private struct Answer: Error {
  let fresh: Set<UUID>
}
