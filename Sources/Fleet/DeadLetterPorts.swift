public import Contracts
public import Foundation

/// The database of one service, as a ``DeadLetterDesk`` uses it.
public protocol DeadLetterStore: Sendable {
  associatedtype Transaction: DeadLetterTransaction

  /// Runs `body` in one transaction and commits it, as ``LaneStore/step(_:)`` does.
  func change<Result: Sendable>(
    _ body: @Sendable (Transaction) throws -> Result
  ) async throws -> Result
}

/// A transaction that can fall between two steps of a lane without owning it.
public protocol LaneLocking {
  /// Locks the lane as its owner's steps do: waits for the one that runs, and holds the next ones
  /// up until this transaction ends.
  ///
  /// - Returns: false when nobody has ever owned it.
  func lock(lane: Int32) throws -> Bool
}

extension LaneLocking {
  /// As ``lock(lane:)``.
  ///
  /// - Throws: ``Refusal`` when nobody has ever owned it.
  func lock(lane: Int32, of service: ServiceName) throws {
    guard try lock(lane: lane) else {
      throw Refusal("\(service.rawValue) has never worked the partition \(lane).")
    }
  }
}

/// The statements of a desk. Not Sendable, as ``StepTransaction``.
public protocol DeadLetterTransaction: LaneLocking {
  /// The present time, by the database's clock.
  func now() throws -> Date
  /// The letter, locked. Lock letters before lanes; a step never waits for a letter that is open.
  func letter(_ id: UUID) throws -> DeadLetter?
  /// Writes the letter's state, edit, owner and note, and the ids of its event.
  func update(_ letter: DeadLetter) throws
  /// The fence around a key, not locked.
  func fence(of key: OrderID) throws -> StandingFence?
  /// As ``StepTransaction/fence(_:lane:)``.
  func fence(_ keys: [ParkedKey], lane: Int32) throws
  /// As ``StepTransaction/park(_:lane:)``.
  func park(_ events: [ParkedEvent], lane: Int32) throws
  /// Lets an effect that was given up on be called again, from its first attempt on, due at `now`.
  ///
  /// - Returns: its lane; nil when there is no such effect, or it is not dead.
  func revive(effect id: UUID, at now: Date) throws -> Int32?
  /// Lets a pending effect be called at `now`, unless it is due before. Lock its lane first.
  ///
  /// - Returns: false when the lane has no such effect, or it is not pending.
  func hasten(effect id: UUID, lane: Int32, at now: Date) throws -> Bool
  /// Enters an id into the inbox; false: it is there already.
  func enter(_ id: UUID, lane: Int32) throws -> Bool
}

/// A fence as an operator sees it.
public struct StandingFence: Sendable, Hashable {
  public var key: ParkedKey
  /// The lane that works the key.
  public var lane: Int32
  /// How many events wait behind it, without those that are replayed.
  public var waiting: Int

  public init(key: ParkedKey, lane: Int32, waiting: Int) {
    self.key = key
    self.lane = lane
    self.waiting = waiting
  }
}

/// A replay that is under way.
public struct ReplayStart: Sendable, Hashable {
  /// The one whose event, or whose call to a provider, is tried again.
  public var order: OrderID
  /// The lane that handles it.
  public var lane: Int32
  /// How many later events of the order wait behind it.
  public var waiting: Int

  public init(order: OrderID, lane: Int32, waiting: Int) {
    self.order = order
    self.lane = lane
    self.waiting = waiting
  }
}

/// An order that goes on.
public struct Release: Sendable, Hashable {
  /// How many events waited.
  public var waiting: Int
  /// The letter without which the order goes on, if nobody has decided about it.
  public var openLetter: UUID?

  public init(waiting: Int, openLetter: UUID?) {
    self.waiting = waiting
    self.openLetter = openLetter
  }
}
