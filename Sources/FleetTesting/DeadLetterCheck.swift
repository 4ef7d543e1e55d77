import Contracts
import Fleet
import Foundation

/// The checks of ``DeadLetterRule``: a service called inventory, its lane 0, and the order `x`.
struct DeadLetterCheck<Store: LaneStore, Letters: DeadLetterStore> {
  let store: Store
  let desk: DeadLetterDesk<Letters>
  let letters: Letters
  let now = Date(timeIntervalSince1970: 1_800_000_000)
  let x = OrderID(rawValue: "x")

  init(_ store: Store, _ letters: Letters) {
    self.store = store
    self.letters = letters
    desk = DeadLetterDesk(service: .inventory, store: letters)
  }

  // MARK: - Replays

  func aReplayGoesToTheHeadOfItsQueue() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    let letter = letter(1)
    try await stop(behind: [letter], later: [2, 3], epoch)
    let start = try await desk.replay(letter.id, at: now)
    try expect(start.waiting, 2, "the events behind it")
    try expect(start.lane, 0, "its lane")
    let queue = try await queue(epoch)
    try expect(queue.events.map(\.message.offset), [1, 2, 3], "the queue")
    try expect(queue.events.map(\.deadLetter), [letter.id, nil, nil], "what is replayed")
    try expect(queue.events[0].failure?.attempts, 4, "the attempts so far")
    try expect(queue.key.state, .waiting, "the state of the fence")
    try expect(queue.key.behind, letter.id, "what the key has stopped behind")
    try expect(queue.key.attempts, 0, "the attempts of the fence")
    try await expect(state(of: letter), .replaying, "the letter's state")
    // A later event goes behind all of them.
    try await step(epoch) { try $0.park([parked(4)], lane: 0) }
    try await expect(
      self.queue(epoch).events.map(\.message.offset), [1, 2, 3, 4], "the queue later")
  }

  func replaysKeepTheirOrder() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    let (first, second) = (letter(1), letter(2))
    try await stop(behind: [first, second], later: [3], epoch)
    _ = try await desk.replay(first.id, at: now)
    try await expect(queue(epoch).key.behind, second.id, "what the key has stopped behind")
    _ = try await desk.replay(second.id, at: now)
    let queue = try await queue(epoch)
    try expect(queue.events.map(\.message.offset), [1, 2, 3], "the queue")
    try expect(queue.key.behind, second.id, "what the key has stopped behind")
    // Parking one again, with a new failure, changes nothing about that.
    var head = queue.events[0]
    head.failure = EventFailure(reason: "again", detail: "", attempts: 5, first: now, last: now)
    try await step(epoch) { [head] in try $0.park([head], lane: 0) }
    try await expect(
      self.queue(epoch).events.map(\.deadLetter), [first.id, second.id, nil], "the queue later")
  }

  /// It came again after the inbox had forgotten it.
  func aReplayTakesItsCopyAlong() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    let letter = letter(1)
    try await stop(behind: [letter], later: [2, 1], epoch)
    _ = try await desk.replay(letter.id, at: now)
    let queue = try await queue(epoch)
    try expect(queue.events.map(\.message.offset), [1, 2], "the queue")
    try expect(queue.events.map(\.deadLetter), [letter.id, nil], "what is replayed")
  }

  func aReplayWithoutAFencePutsOneUp() async throws {
    _ = try await store.takeOver(lane: 0, owner: "a")
    let epoch = try await store.takeOver(lane: 5, owner: "a")
    // It came without a key, so that it may lie in any partition.
    var message = message(1)
    message.key = nil
    let letter = letter(message)
    try expect(letter.event, nil, "the event of a message without a key")
    try await stop(behind: [letter], later: [], 1, fenced: false)
    try await expectRefusal("an unreadable message was replayed") {
      _ = try await desk.replay(letter.id, lane: 5, at: now)
    }
    let edited = try await desk.edit(
      letter, value: message.value ?? [], headers: message.headers, at: now)
    try await expectRefusal("an order was put into a lane that nobody knows") {
      _ = try await desk.replay(letter.id, at: now)
    }
    let start = try await desk.replay(letter.id, lane: 5, at: now)
    try expect(start, ReplayStart(order: x, lane: 5, waiting: 0), "the replay")
    let id = try edited.replayedEvent().id
    let (parked, fresh) = try await store.step { step in
      let admission = try step.admit([id, try letter.headerID], keys: [x], lane: 5, epoch: epoch)
      return (admission.parked, admission.fresh)
    }
    try expect(parked, [x], "the fences")
    try expect(fresh, [try letter.headerID], "what the inbox does not have")
    let queue = try await queue(epoch, lane: 5)
    try expect(queue.events.map(\.id), [id], "the queue")
    try expect(queue.key.nextAttempt, now, "when it is tried")
  }

  func onlyAnOpenLetterIsReplayed() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    let letter = letter(1)
    try await stop(behind: [letter], later: [], epoch)
    _ = try await desk.replay(letter.id, at: now)
    try await expectRefusal("a replay was started twice") {
      _ = try await desk.replay(letter.id, at: now)
    }
    try await expectRefusal("a letter was edited while it was replayed") {
      _ = try await desk.edit(letter, value: [], headers: [], at: now)
    }
    try await expectRefusal("a letter was discarded while it was replayed") {
      _ = try await desk.discard(letter.id, at: now)
    }
    try await expectRefusal("a key was released while a letter of it was replayed") {
      _ = try await desk.release(x, at: now)
    }
    try await expect(queue(epoch).length, 1, "the queue's length")
  }

  /// Two copies that could not be read and now can: one of them is handled.
  func anEventOfAnotherMessageIsNotReplayed() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    var message = message(1)
    let letters = [1, 2 as Int64].map { offset in
      message.offset = offset
      return DeadLetter(
        service: .inventory, message: message, reason: "invalid-body", detail: "", attempts: 1,
        firstFailed: now, lastFailed: now)
    }
    try await stop(behind: letters, later: [], epoch, fenced: false)
    _ = try await desk.replay(letters[0].id, lane: 0, at: now)
    try await expectRefusal("an event was replayed twice") {
      _ = try await desk.replay(letters[1].id, lane: 0, at: now)
    }
    try await expect(state(of: letters[1]), .open, "the other's state")
    // Its own event it may replay again. By now its order is known.
    let id = try await queue(epoch).events[0].id
    try await step(epoch) { step in
      try step.unpark([id])
      try step.record([letters[0]], lane: 0)
    }
    try await expect(desk.letter(letters[0].id)?.order, x, "the order")
    _ = try await desk.replay(letters[0].id, at: now)
    try await expect(queue(epoch).events.map(\.id), [id], "the queue")
  }

  func aReplayedLetterIsOpenAgainOrResolved() async throws {
    let epoch = try await store.takeOver(lane: 0, owner: "a")
    let letter = letter(1)
    try await stop(behind: [letter], later: [], epoch)
    let newer = DeadLetter(
      service: .inventory, message: letter.message, reason: "worse", detail: "no answer, again",
      attempts: 12, firstFailed: letter.firstFailed, lastFailed: now + 9)
    // Neither concerns a letter that is open.
    try await step(epoch) { step in
      try step.record([newer], lane: 0)
      try step.resolve([letter.id], at: now + 1)
    }
    try await expect(desk.letter(letter.id)?.reason, letter.reason, "the reason of an open one")
    try await expect(state(of: letter), .open, "the state of an open one")
    _ = try await desk.replay(letter.id, at: now)
    try await step(epoch) { try $0.record([newer], lane: 0) }
    let reopened = try await desk.letter(letter.id)
    try expect(reopened?.state, .open, "the state after a replay that failed")
    try expect(reopened?.failure, newer.failure, "the failure")
    try expect(reopened?.stateSince, now + 9, "since when it is open")
    try expect(reopened?.message.value, letter.message.value, "the original")
    _ = try await desk.replay(letter.id, at: now)
    try await step(epoch) { try $0.resolve([letter.id], at: now + 20) }
    try await expect(state(of: letter), .resolved, "the state of one that was handled")
    try await step(epoch) { try $0.record([newer], lane: 0) }
    try await expect(state(of: letter), .resolved, "the state of a resolved one that comes again")
    try await expectRefusal("a resolved letter was replayed") {
      _ = try await desk.replay(letter.id, at: now)
    }
  }

  // MARK: - Tools

  /// A message about an order that inventory acts on.
  func message(
    _ offset: Int64, order: String = "x", partition: Int32 = 0
  ) -> RawMessage {
    let id = UUID(version5Of: "\(order)/\(offset)", namespace: .orderlyEvents)
    let event = Event(
      id: id, source: "/test", time: now,
      payload: .paymentVoided(PaymentVoided(orderId: OrderID(rawValue: order), reason: .timedOut)))
    return RawMessage(
      partition: Partition(topic: Topic.payments.rawValue, number: partition), offset: offset,
      key: Array(order.utf8), value: try? EventCodec.body(of: event.payload),
      headers: EventCodec.headers(of: event))
  }

  func letter(_ offset: Int64) -> DeadLetter { letter(message(offset)) }

  func letter(_ message: RawMessage) -> DeadLetter {
    DeadLetter(
      service: .inventory, message: message, reason: "down", detail: "no answer", attempts: 4,
      firstFailed: now - 60, lastFailed: now - 30,
      event: try? EventCodec.decode(
        key: message.key, value: message.value, headers: message.headers))
  }

  func parked(_ offset: Int64) -> ParkedEvent {
    let message = message(offset)
    return ParkedEvent(
      id: UUID(version5Of: "x/\(offset)", namespace: .orderlyEvents), order: x,
      type: EventType.paymentVoided.rawValue, message: message)
  }

  /// Leaves the letters, and the order stopped behind the last of them with later events.
  func stop(
    behind letters: [DeadLetter], later: [Int64], _ epoch: Int64, fenced: Bool = true
  ) async throws {
    try await step(epoch) { step in
      try step.record(letters, lane: 0)
      guard fenced, let last = letters.last else { return }
      let key = ParkedKey(
        key: x, state: .dead, attempts: 8, nextAttempt: now - 30, reason: last.reason,
        detail: last.detail, firstFailed: last.firstFailed, lastFailed: last.lastFailed,
        behind: last.id)
      try step.fence([key], lane: 0)
      if !later.isEmpty { try step.park(later.map(parked), lane: 0) }
    }
  }

  func step(
    _ epoch: Int64, lane: Int32 = 0, _ body: @Sendable (Store.Transaction) throws -> Void
  ) async throws {
    try await store.step { step in
      _ = try step.admit([], lane: lane, epoch: epoch)
      try body(step)
    }
  }

  func queue(_ epoch: Int64, lane: Int32 = 0) async throws -> ParkedQueue {
    let found = try await store.step { step in
      _ = try step.admit([], lane: lane, epoch: epoch)
      return try step.dueQueues(
        of: [x], lane: lane, at: now + 5, limit: 100, bytes: 1 << 20)
    }
    guard let queue = found.first else { throw ConformanceFailure("the order is not due") }
    return queue
  }

  func state(of letter: DeadLetter) async throws -> DeadLetter.State? {
    try await desk.letter(letter.id)?.state
  }

  func expect<Value: Equatable>(
    _ value: Value, _ expected: Value, _ what: String
  ) throws {
    if value != expected { throw ConformanceFailure("\(what): \(value), not \(expected)") }
  }

  func expectRefusal(_ what: String, _ body: () async throws -> Void) async throws {
    do { try await body() } catch is Refusal { return }
    throw ConformanceFailure(what)
  }
}

extension DeadLetter {
  /// The id that the message's headers have, whether or not the rest can be read.
  fileprivate var headerID: UUID {
    get throws {
      guard
        let id = message.headers.first(where: { $0.name == HeaderName.id })?.text
          .flatMap(UUID.init(uuidString:))
      else { throw ConformanceFailure("the message has no id") }
      return id
    }
  }
}
