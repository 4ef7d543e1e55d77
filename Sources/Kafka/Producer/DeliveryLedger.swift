/// What became of one record.
struct DeliveryOutcome: Equatable {
  var partition: Int32
  var offset: Int64
  /// A librdkafka error, 0 for an acknowledged record.
  var error: Int32
}

/// One record of one batch, as the integer that travels with the record through C.
struct RecordID: Equatable {
  let batch: UInt32
  let index: UInt32

  init(batch: UInt32, index: Int) {
    self.batch = batch
    self.index = UInt32(index)
  }

  /// nil for the null pointer. Batches count from 1, so no id is null.
  init?(opaque: UnsafeMutableRawPointer?) {
    guard let opaque else { return nil }
    let bits = UInt64(UInt(bitPattern: opaque))
    batch = UInt32(truncatingIfNeeded: bits >> 32)
    index = UInt32(truncatingIfNeeded: bits)
  }

  var opaque: UnsafeMutableRawPointer? {
    UnsafeMutableRawPointer(bitPattern: UInt(UInt64(batch) << 32 | UInt64(index)))
  }
}

/// Who waits for which delivery reports: the state of a `Producer`, without its I/O.
///
/// ```
///   open ──▶ batch of n records ──settle × n──▶ settled ──▶ taken by its waiter
///                     │                            ▲
///                     └── wait (before or after) ──┘
/// ```
///
/// Reports may come before the sender waits, and do as soon as a batch takes longer to enqueue than
/// the broker to answer; the batch keeps them. `Waiter` is the continuation in production.
struct DeliveryLedger<Waiter> {
  /// A waiter and what it has waited for.
  struct Settled {
    let waiter: Waiter
    let outcomes: [DeliveryOutcome]
  }

  private struct Batch {
    var outcomes: [DeliveryOutcome?]
    var unsettled: Int
    var waiter: Waiter?
  }

  private var batches: [UInt32: Batch] = [:]
  private var lastBatch: UInt32 = 0
  private(set) var isClosed = false

  /// Whether nobody waits for anything.
  var isEmpty: Bool { batches.isEmpty }

  /// Begins a batch; nil when closed.
  mutating func open(count: Int) -> UInt32? {
    guard !isClosed else { return nil }
    repeat {
      lastBatch = lastBatch == .max ? 1 : lastBatch + 1
    } while batches[lastBatch] != nil
    batches[lastBatch] = Batch(
      outcomes: [DeliveryOutcome?](repeating: nil, count: count), unsettled: count, waiter: nil)
    return lastBatch
  }

  /// Notes what became of a record. The first report counts.
  ///
  /// - Returns: the batch's waiter if this was the last record that it waited for.
  mutating func settle(_ record: RecordID, _ outcome: DeliveryOutcome) -> Settled? {
    let index = Int(record.index)
    guard let isSettled = batches[record.batch].map({ $0.outcomes[index] != nil }), !isSettled
    else { return nil }
    batches[record.batch]!.outcomes[index] = outcome
    batches[record.batch]!.unsettled -= 1
    return take(record.batch)
  }

  /// Waits for all records of a batch.
  ///
  /// - Returns: the waiter itself if there is nothing left to wait for.
  mutating func wait(for batch: UInt32, _ waiter: Waiter) -> Settled? {
    batches[batch]?.waiter = waiter
    return take(batch)
  }

  /// Lets no new batch in.
  mutating func close() {
    isClosed = true
  }

  /// Settles all records for which no report has come.
  mutating func settleAll(error: Int32) -> [Settled] {
    var settled: [Settled] = []
    for batch in batches.keys {
      let count = batches[batch]!.outcomes.count
      for index in 0..<count {
        let outcome = DeliveryOutcome(partition: -1, offset: -1, error: error)
        if let one = settle(RecordID(batch: batch, index: index), outcome) {
          settled.append(one)
        }
      }
    }
    return settled
  }

  private mutating func take(_ id: UInt32) -> Settled? {
    guard let batch = batches[id], batch.unsettled == 0, let waiter = batch.waiter else {
      return nil
    }
    batches[id] = nil
    return Settled(waiter: waiter, outcomes: batch.outcomes.compactMap { $0 })
  }
}

extension DeliveryLedger.Settled: Equatable where Waiter: Equatable {}
