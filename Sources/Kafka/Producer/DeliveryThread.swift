internal import CRDKafka
internal import Dispatch
internal import Synchronization

/// The thread of a producer that takes delivery reports and events, and what it shares with the
/// senders.
///
/// One event carries the reports of a whole request. They are drained under one lock, and a sender
/// is resumed once for all its records, after the event has been freed: only then does librdkafka's
/// queue have room again.
final class DeliveryThread: Sendable {
  typealias Ledger = DeliveryLedger<CheckedContinuation<[DeliveryOutcome], Never>>

  /// The senders that wait for room in librdkafka's queue.
  private struct Room {
    /// Grows whenever records have left the queue.
    var reports: UInt64 = 0
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  let queue: ClientQueue
  private let client: ClientHandle
  private let onEvent: (@Sendable (ClientEvent) -> Void)?
  private let ledger = Mutex(Ledger())
  private let room = Mutex(Room())
  private let isStopping = Atomic(false)
  private let closing = Atomic(false)
  private let running = DispatchGroup()

  /// Starts the thread.
  init(
    _ client: ClientHandle, onEvent: (@Sendable (ClientEvent) -> Void)?
  ) throws(KafkaError) {
    self.client = client
    self.onEvent = onEvent
    queue = try client.borrow("create a producer") { client in
      rd_kafka_set_log_queue(client, nil)
      return ClientQueue(owning: rd_kafka_queue_get_main(client))
    }
    DispatchQueue(label: "kafka.producer").async(group: running) { [self] in
      while !isStopping.load(ordering: .acquiring) {
        serve(milliseconds: 1000)
      }
    }
  }

  // MARK: Senders

  /// Begins a batch; nil when closing.
  func open(count: Int) -> UInt32? {
    ledger.withLock { $0.open(count: count) }
  }

  func settle(_ record: RecordID, _ outcome: DeliveryOutcome) {
    resume(ledger.withLock { $0.settle(record, outcome) })
  }

  /// Waits until all records of a batch are settled.
  func wait(for batch: UInt32) async -> [DeliveryOutcome] {
    await withCheckedContinuation { continuation in
      resume(ledger.withLock { $0.wait(for: batch, continuation) })
    }
  }

  /// To be read before an attempt to enqueue and given to `waitForRoom` after it.
  var reportCount: UInt64 { room.withLock { $0.reports } }

  /// Waits until records have left the queue since `count` was read.
  func waitForRoom(since count: UInt64) async {
    await withCheckedContinuation { continuation in
      let isStale = room.withLock { room in
        if room.reports == count { room.waiters.append(continuation) }
        return room.reports != count
      }
      if isStale { continuation.resume() }
    }
  }

  // MARK: Closing

  var isClosing: Bool { closing.load(ordering: .acquiring) }

  /// Lets no more batches in, and wakes those who wait for room.
  ///
  /// - Returns: false when that has been done before.
  func close() -> Bool {
    let isFirst = ledger.withLock { ledger in
      defer { ledger.close() }
      return !ledger.isClosed
    }
    guard isFirst else { return false }
    closing.store(true, ordering: .releasing)
    announceRoom()
    return true
  }

  /// Ends the thread, and settles what it has left.
  func stop() async {
    isStopping.store(true, ordering: .releasing)
    queue.wake()
    await withCheckedContinuation { continuation in
      running.notify(queue: .global()) { continuation.resume() }
    }
    let rest = ledger.withLock {
      $0.settleAll(error: RD_KAFKA_RESP_ERR__PURGE_INFLIGHT.rawValue)
    }
    rest.forEach(resume)
  }

  // MARK: The thread

  private func serve(milliseconds: Int32) {
    _ = client.borrowIfOpen { client in
      var settled: [Ledger.Settled] = []
      let hadReports = queue.poll(milliseconds) { event in
        guard event.type != RD_KAFKA_EVENT_DR else {
          settled = drain(event)
          return true
        }
        if let event = event.clientEvent(client: client, operation: client.clientName) {
          onEvent?(event)
        }
        return false
      }
      if hadReports == true { announceRoom() }
      settled.forEach(resume)
    }
  }

  private func drain(_ event: borrowing ClientQueueEvent) -> [Ledger.Settled] {
    let event = event.pointer
    return ledger.withLock { ledger in
      var settled: [Ledger.Settled] = []
      while let message = rd_kafka_event_message_next(event)?.pointee {
        guard let record = RecordID(opaque: message._private) else { continue }
        let outcome = DeliveryOutcome(
          partition: message.partition, offset: message.offset, error: message.err.rawValue)
        if let one = ledger.settle(record, outcome) { settled.append(one) }
      }
      return settled
    }
  }

  private func announceRoom() {
    let waiters = room.withLock { room in
      room.reports += 1
      defer { room.waiters = [] }
      return room.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  private func resume(_ settled: Ledger.Settled?) {
    settled?.waiter.resume(returning: settled!.outcomes)
  }
}
