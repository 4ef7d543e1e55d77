public import Fleet

/// What a lane does with its store: the points at which an ``InMemoryLaneStore`` can fail.
public enum StoreOperation: Hashable, Sendable {
  case takeOver, outbox, removeFromOutbox, dueDeadlines, dueKeys, dueEffects
  /// The COMMIT of a desk's transaction.
  case change
  case lastMark, mark, forget
  /// The statements of a step.
  case admit, load, save, append, record, resolve, dueQueues, fence, park, unpark, lift, store,
    settle, commit
}

/// How an operation of an ``InMemoryLaneStore`` fails.
public enum StoreFault: Sendable {
  /// It does nothing and throws. Within a step nothing of the step stays.
  case fail(StoreError)
  /// It is done, but its answer is lost: `unavailable` is thrown. Within a step only at `commit`.
  case loseReply
  /// The connection is lost after COMMIT was sent, and the server works on it only later: when
  /// someone waits for the step's lock. Nobody sees the step's rows before. Only at `commit`.
  case commitLater
}

/// Decides which operations fail. `count` is how often the operation has been called before.
public typealias StoreFaultPlan =
  @Sendable (_ operation: StoreOperation, _ count: Int) -> StoreFault?

/// Plans for the usual cases.
public enum StoreFaults {
  public static let none: StoreFaultPlan = { _, _ in nil }

  /// The calls of `operation` that are in `counts` (from 0) fail with `fault`.
  public static func at(
    _ operation: StoreOperation, _ counts: Range<Int> = 0..<1, _ fault: StoreFault
  ) -> StoreFaultPlan {
    { $0 == operation && counts.contains($1) ? fault : nil }
  }
}
