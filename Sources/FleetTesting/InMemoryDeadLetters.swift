public import Contracts
public import Fleet
public import Foundation

extension InMemoryLaneStore: DeadLetterStore {
  public func change<Result: Sendable>(
    _ body: @Sendable (InMemoryStep<Tables>) throws -> Result
  ) async throws -> Result {
    try run(at: .change, body)
  }
}

extension InMemoryStep: DeadLetterTransaction {
  public func now() throws -> Date { working.now }

  /// Waits for the lane's step, and sees what it has written.
  public func lock(lane: Int32) throws -> Bool {
    storage.waitForLock(of: lane)
    try write { $0.lane = lane }
    return working.epochs[lane] != nil
  }

  public func letter(_ id: UUID) throws -> DeadLetter? {
    // The row is locked by a step that reopens or resolves it.
    storage.waitForSteps { step in step.letters.contains { $0.touches(id) } }
    try write { _ in }
    return working.deadLetters.first { $0.id == id }
  }

  public func update(_ letter: DeadLetter) throws {
    try write { $0.letters.append(.update(letter)) }
  }

  public func fence(of key: OrderID) throws -> StandingFence? { working.parking.fence(of: key) }

  public func enter(_ id: UUID, lane: Int32) throws -> Bool {
    let isNew = working.inbox[id] == nil
    try write { $0.inbox.insert(id) }
    return isNew
  }
}

extension InMemoryLetterChange {
  fileprivate func touches(_ id: UUID) -> Bool {
    switch self {
    case .record(let letter), .update(let letter): letter.id == id
    case .resolve(let ids, _): ids.contains(id)
    }
  }
}
