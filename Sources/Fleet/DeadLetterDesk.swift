public import Contracts
public import Foundation

/// Where people work through the dead letters of one service. Each call is one transaction that
/// falls between two steps of the lane that it concerns; whoever calls need not own the lane, and no
/// lane need be running.
///
/// A replay handles nothing itself. It puts the event back at the head of its order's queue, in
/// front of the events that wait there, and the lane tries it as it tries every parked event. What
/// makes it happen once is that the event leaves the queue in the transaction that handles it, which
/// also resolves the letter; and that only an open letter is replayed, which it then is not any more.
///
/// A letter about an effect has no event: its replay lets the lane call the provider again, by the
/// same key, and the answer resolves the letter.
///
/// The time is the database's, where none is given: of those who work at a desk each has a clock of
/// their own, which may be wrong by minutes.
public struct DeadLetterDesk<Store: DeadLetterStore>: Sendable {
  public let service: ServiceName
  private let store: Store

  public init(service: ServiceName, store: Store) {
    self.service = service
    self.store = store
  }

  /// nil: the service has no such letter.
  public func letter(_ id: UUID) async throws -> DeadLetter? {
    try await store.change { try $0.letter(id) }
  }

  /// Puts the letter's event, as it came or as it was edited, back at the head of its order's queue,
  /// due at once; or lets its effect be called again.
  ///
  /// - Parameter lane: the partition of the order, ``KeyHash/partition(of:count:)``. Asked for only
  ///   where the original could not be read, and so nobody knows that it lies where it belongs.
  /// - Throws: ``Refusal``, ``StoreError``.
  public func replay(
    _ id: UUID, lane: Int32? = nil, at time: Date? = nil
  ) async throws -> ReplayStart {
    try await store.change { transaction in
      var letter = try known(id, transaction)
      try letter.requireOpen("replayed")
      if let effect = letter.effectID {
        return try revive(effect, &letter, at: time ?? transaction.now(), transaction)
      }
      let event = try letter.replayedEvent()
      let (fence, number) = try fence(of: event.orderID, transaction) {
        try letter.lane(of: event, named: lane)
      }
      // Not before the lane is locked: what its owner tries next may have waited for that.
      let now = try time ?? transaction.now()
      let key = ParkedKey(fence?.key, replaying: letter, of: event.orderID, at: now)
      try transaction.fence([key], lane: number)
      let parked = ParkedEvent(
        id: event.id, order: event.orderID, type: event.type.rawValue,
        message: letter.replayed, failure: letter.failure, deadLetter: letter.id)
      try transaction.park([parked], lane: number)
      // In the inbox the cause of what follows is looked for. An edited event is new there, and that
      // of an old letter may have been cleared away.
      let isNew = try transaction.enter(event.id, lane: number)
      if letter.edit == nil, letter.eventID == nil {
        // It can be read since a newer version of the contracts came; or it came again, in order.
        guard isNew else {
          throw Refusal(
            "The event \(event.id.lowercaseText) has come in another message too, which is handled "
              + "or waits for its turn.")
        }
        letter.eventID = event.id
      }
      // From now on the order may stop behind it.
      letter.order = event.orderID
      letter.state = .replaying
      letter.stateSince = now
      try transaction.update(letter)
      return ReplayStart(order: event.orderID, lane: number, waiting: fence?.waiting ?? 0)
    }
  }

  private func revive(
    _ effect: UUID, _ letter: inout DeadLetter, at now: Date, _ transaction: Store.Transaction
  ) throws -> ReplayStart {
    guard let order = letter.order, let lane = try transaction.revive(effect: effect, at: now)
    else {
      throw Refusal(
        "\(service.rawValue) has given up on no effect \(effect.lowercaseText).")
    }
    letter.state = .replaying
    letter.stateSince = now
    try transaction.update(letter)
    return ReplayStart(order: order, lane: lane, waiting: 0)
  }

  /// Keeps another message to be replayed instead of the original, in place of an earlier edit. See
  /// ``DeadLetter/edited(value:headers:at:)``.
  ///
  /// - Parameter seen: the letter as whoever edits it has seen it.
  /// - Returns: the letter as it is now.
  /// - Throws: ``Refusal``, also when somebody else has edited it since; ``StoreError``.
  public func edit(
    _ seen: DeadLetter, value: [UInt8], headers: [EventHeader], at time: Date? = nil
  ) async throws -> DeadLetter {
    try await change(seen.id) { letter, transaction in
      guard letter.edit?.eventID == seen.edit?.eventID else {
        throw Refusal("The dead letter was edited by somebody else meanwhile. Look at it again.")
      }
      letter = try letter.edited(
        value: value, headers: headers, at: time ?? transaction.now())
    }
  }

  /// Gives the letter up for good. The later events of its order stay until ``release(_:at:)``.
  ///
  /// - Returns: the order that has stopped behind the letter, if there is one.
  /// - Throws: ``Refusal``, ``StoreError``.
  public func discard(_ id: UUID, at time: Date? = nil) async throws -> StandingFence? {
    try await store.change { transaction in
      var letter = try known(id, transaction)
      try letter.requireOpen("discarded")
      letter.state = .discarded
      letter.stateSince = try time ?? transaction.now()
      try transaction.update(letter)
      guard let order = letter.order, let fence = try transaction.fence(of: order),
        fence.key.behind == id
      else { return nil }
      return fence
    }
  }

  /// Lets the later events of an order go on without the letter behind which it has stopped, due at
  /// once. The letter stays as it is: an open one can still be replayed.
  ///
  /// - Throws: ``Refusal``, ``StoreError``.
  public func release(_ order: OrderID, at time: Date? = nil) async throws -> Release {
    try await store.change { transaction in
      // Before the lane: a replay of it locks them in this order too. One that is replayed is the
      // lane's to lock, and then the key waits.
      let standing = try transaction.fence(of: order)?.key
      let letter =
        try standing?.state == .dead ? standing?.behind.flatMap(transaction.letter) : nil
      // Its replay was there first: waiting for the lane with the letter locked, which the lane's step
      // is about to resolve, would be a deadlock.
      if letter?.state == .replaying { throw goesOn(order) }
      let refusal = "\(service.rawValue) has not parked the order \(order)."
      let (fence, lane) = try fence(of: order, transaction) { throw Refusal(refusal) }
      guard var key = fence?.key else { throw Refusal(refusal) }
      guard key.state == .dead else { throw goesOn(order) }
      let isOpen = letter?.state == .open && letter?.id == key.behind
      key.state = .waiting
      key.attempts = 0
      key.nextAttempt = try time ?? transaction.now()
      key.behind = nil
      try transaction.fence([key], lane: lane)
      return Release(waiting: fence?.waiting ?? 0, openLetter: isOpen ? letter?.id : nil)
    }
  }

  /// Lets an order that waits for its next attempt be tried at once.
  ///
  /// - Parameter isLast: whether its first event is dead-lettered when it fails again. False takes
  ///   that back where it was decided before.
  /// - Throws: ``Refusal`` when the order does not wait, ``StoreError``.
  public func tryNow(_ order: OrderID, isLast: Bool, at time: Date? = nil) async throws {
    try await store.change { transaction in
      let refusal = Refusal("The order \(order) waits for no attempt in \(service.rawValue).")
      let (fence, lane) = try fence(of: order, transaction) { throw refusal }
      guard var key = fence?.key, key.state == .waiting else { throw refusal }
      // Not before a replay that has just been put there: see `ParkedKey.init(_:replaying:of:at:)`.
      key.nextAttempt = min(key.nextAttempt, try (time ?? transaction.now()) + 1)
      key.isLastTry = isLast
      try transaction.fence([key], lane: lane)
    }
  }

  /// Lets a call to a provider that has failed, and waits for its next attempt, be made at once.
  ///
  /// Its lane looks for what is due at every tick, without what it holds; and what has failed it
  /// holds no longer than until that is committed. So it finds the call as one that is due.
  ///
  /// - Parameter lane: the effect's.
  /// - Throws: ``Refusal`` when the lane has no such effect, or it is not pending; ``StoreError``.
  public func tryNow(effect id: UUID, lane: Int32, at time: Date? = nil) async throws {
    try await store.change { transaction in
      try transaction.lock(lane: lane, of: service)
      let now = try time ?? transaction.now()
      guard try transaction.hasten(effect: id, lane: lane, at: now) else {
        throw Refusal("\(service.rawValue) waits for no attempt of the effect \(id.lowercaseText).")
      }
    }
  }

  /// Says who looks after the letter; nil for nobody.
  ///
  /// - Throws: ``Refusal`` when there is no such letter, ``StoreError``.
  public func assign(_ id: UUID, to owner: String?) async throws {
    _ = try await change(id) { letter, _ in letter.owner = owner.map(DeadLetter.printable) }
  }

  /// Keeps a remark, of 1000 characters at most, in place of an earlier one; nil for none.
  ///
  /// - Throws: ``Refusal`` when there is no such letter, ``StoreError``.
  public func note(_ id: UUID, _ text: String?) async throws {
    _ = try await change(id) { letter, _ in letter.note = text.map(DeadLetter.printable) }
  }

  private func change(
    _ id: UUID, _ body: @Sendable (inout DeadLetter, Store.Transaction) throws -> Void
  ) async throws -> DeadLetter {
    try await store.change { transaction in
      var letter = try known(id, transaction)
      try body(&letter, transaction)
      try transaction.update(letter)
      return letter
    }
  }

  private func goesOn(_ order: OrderID) -> Refusal {
    Refusal("The order \(order) is parked and tried again by itself: nothing stops it.")
  }

  private func known(_ id: UUID, _ transaction: Store.Transaction) throws -> DeadLetter {
    if let letter = try transaction.letter(id) { return letter }
    throw Refusal("\(service.rawValue) has no dead letter \(id.lowercaseText).")
  }

  /// The order's fence, if one stands, with the lane locked that works the order.
  ///
  /// - Parameter home: the order's lane, where no fence tells.
  private func fence(
    of order: OrderID, _ transaction: Store.Transaction, orElse home: () throws -> Int32
  ) throws -> (StandingFence?, lane: Int32) {
    let lane = try transaction.fence(of: order)?.lane ?? home()
    try transaction.lock(lane: lane, of: service)
    // Until the lock was there the lane may have lifted it.
    return (try transaction.fence(of: order), lane)
  }
}

extension ParkedKey {
  /// The fence that stands while a letter of its key is replayed.
  init(_ standing: ParkedKey?, replaying letter: DeadLetter, of key: OrderID, at now: Date) {
    self =
      standing
      ?? ParkedKey(key, .waiting, after: letter.failure, attempts: 0, nextAttempt: now)
    // A lane that is about to give up on the event that was first up to now finds the key not due,
    // and does not take the replayed one for it.
    nextAttempt = state == .waiting && standing != nil ? now + 1 : now
    // Whether it had stopped decides what a replay that fails does to it.
    if state == .dead { behind = behind ?? letter.id }
    state = .waiting
    attempts = 0
    isLastTry = false
  }
}
