import Contracts
import Foundation
import Testing

@testable import Fleet

/// What becomes of a queue with replays in it after it was tried.
struct ReplaySettlementTests {
  private static let now = Date(timeIntervalSince1970: 1_800_000_000)
  private static let down = QueueFailure.transient(TransientFailure("down", "no answer"))
  private static let final = QueueFailure.final(reason: "rejected-by-database", detail: "no")

  struct Case: Sendable {
    /// Of the queue x/1, x/2, x/3, how many were read, and how many there are.
    var read = 3
    var length = 3
    /// How many of them are replayed, from the first on.
    var replays = 1
    /// Whether the key has stopped behind a letter that is not replayed.
    var isBehind = false
    /// Which of the replays is that of the letter behind which it has stopped.
    var own: Int?
    var attempts = 0
    var triable: Int
    var handled: Int
    var failure: QueueFailure?
    var gone: Int
    var resolved: Int
    /// `new` or `reopened`, and the event.
    var letter: String?
    /// The state, the attempts, and what it has stopped behind: `older`, `letter` or nothing.
    var key: String?
  }

  static let cases = [
    // All of it, replays and others.
    Case(own: 0, triable: 3, handled: 3, gone: 3, resolved: 1),
    Case(replays: 3, own: 1, triable: 3, handled: 3, gone: 3, resolved: 3),
    Case(triable: 3, handled: 3, gone: 3, resolved: 1),
    // The first replay fails again, and for the last time.
    Case(
      own: 0, triable: 3, handled: 0, failure: down, gone: 0, resolved: 0, key: "waiting 1 own"),
    Case(
      own: 0, attempts: 3, triable: 3, handled: 0, failure: down, gone: 1, resolved: 0,
      letter: "reopened x/1", key: "dead 4 own"),
    Case(
      read: 1, length: 1, own: 0, triable: 1, handled: 0, failure: final, gone: 1, resolved: 0,
      letter: "reopened x/1", key: "dead 1 own"),
    // Nobody knows whether what was not read is replayed.
    Case(
      read: 1, own: 0, triable: 1, handled: 0, failure: final, gone: 1, resolved: 0,
      letter: "reopened x/1", key: "waiting 0 own"),
    // An order that had not stopped goes on: with what waits, or without a fence.
    Case(triable: 3, handled: 0, failure: down, gone: 0, resolved: 0, key: "waiting 1"),
    Case(
      attempts: 3, triable: 3, handled: 0, failure: down, gone: 1, resolved: 0,
      letter: "reopened x/1", key: "waiting 0"),
    Case(
      read: 1, length: 1, triable: 1, handled: 0, failure: final, gone: 1, resolved: 0,
      letter: "reopened x/1"),
    // A replay that fails keeps no other from its turn.
    Case(
      replays: 2, own: 0, triable: 3, handled: 0, failure: final, gone: 1, resolved: 0,
      letter: "reopened x/1", key: "waiting 0 own"),
    Case(
      replays: 2, own: 1, triable: 3, handled: 0, failure: final, gone: 1, resolved: 0,
      letter: "reopened x/1", key: "waiting 0 own"),
    Case(
      replays: 2, own: 0, triable: 3, handled: 1, failure: final, gone: 2, resolved: 1,
      letter: "reopened x/2", key: "waiting 0"),
    // A later event does, after a replay that was handled.
    Case(
      own: 0, triable: 3, handled: 1, failure: final, gone: 2, resolved: 1, letter: "new x/2",
      key: "dead 1 letter"),
    Case(own: 0, triable: 3, handled: 1, failure: down, gone: 1, resolved: 1, key: "waiting 1"),
    // Nothing goes past the letter that is not replayed.
    Case(isBehind: true, triable: 1, handled: 1, gone: 1, resolved: 1, key: "dead 0 older"),
    Case(
      replays: 3, isBehind: true, triable: 3, handled: 3, gone: 3, resolved: 3, key: "dead 0 older"),
    Case(
      replays: 0, isBehind: true, triable: 0, handled: 0, gone: 0, resolved: 0, key: "dead 0 older"),
    // Not even when the database refuses something: it is not what is first.
    Case(
      replays: 0, isBehind: true, triable: 0, handled: 0, failure: final, gone: 0, resolved: 0,
      key: "dead 0 older"),
    Case(
      read: 0, length: 0, replays: 0, isBehind: true, triable: 0, handled: 0, gone: 0, resolved: 0,
      key: "dead 0 older"),
    // There may be more replays than were read.
    Case(
      read: 2, replays: 2, isBehind: true, triable: 2, handled: 2, gone: 2, resolved: 2,
      key: "waiting 0 older"),
    // A replay that fails leaves the older one in force: both have to be decided.
    Case(
      isBehind: true, triable: 1, handled: 0, failure: down, gone: 0, resolved: 0,
      key: "waiting 1 older"),
    Case(
      isBehind: true, attempts: 3, triable: 1, handled: 0, failure: down, gone: 1, resolved: 0,
      letter: "reopened x/1", key: "dead 4 older"),
  ]

  @Test(arguments: cases) func settles(_ example: Case) throws {
    let older = UUID()
    let events = (0..<example.read).map { index in
      let event = reservation("x", "\(index + 1)")
      var parked = ParkedEvent(event, message(record(event), offset: Int64(index)))
      if index < example.replays {
        parked.deadLetter = DeadLetter.id(of: parked.message, in: .payments)
      }
      return parked
    }
    let key = ParkedKey(
      key: OrderID(rawValue: "x"), state: .waiting, attempts: example.attempts,
      nextAttempt: Self.now, reason: "earlier", detail: "", firstFailed: Self.now - 60,
      lastFailed: Self.now - 30,
      behind: example.isBehind ? older : example.own.flatMap { events[$0].deadLetter })
    let queue = ParkedQueue(key: key, events: events, length: example.length)
    #expect(queue.triable == example.triable)
    let settlement = QueueSettlement(
      queue, handled: example.handled, failure: example.failure, service: .payments,
      tiers: ParkingTiers(standard: ParkingPolicy(attempts: 4, backoff: .parked)), at: Self.now)
    #expect(settlement.gone == events.prefix(example.gone).map(\.id))
    #expect(settlement.resolved == events.prefix(example.resolved).compactMap(\.deadLetter))
    let letter = settlement.letter.map {
      "\(settlement.isReopened ? "reopened" : "new") \($0.event?.label ?? "?")"
    }
    #expect(letter == example.letter)
    let found = settlement.key.map { key in
      let behind = key.behind.map {
        if $0 == older { return " older" }
        if let own = example.own, $0 == events[own].deadLetter { return " own" }
        return $0 == settlement.letter?.id ? " letter" : " ?"
      }
      return "\(key.state) \(key.attempts)\(behind ?? "")"
    }
    #expect(found == example.key)
  }
}

/// The fence of an order of which a letter is replayed.
struct ReplayFenceTests {
  private let now = Date(timeIntervalSince1970: 1_800_000_000)

  private func fence(
    _ state: ParkedKey.State, behind: UUID?, due: TimeInterval = 600
  ) -> ParkedKey {
    ParkedKey(
      key: OrderID(rawValue: "x"), state: state, attempts: 5, nextAttempt: now + due,
      reason: "earlier", detail: "", firstFailed: now - 60, lastFailed: now - 30, behind: behind)
  }

  @Test func isDueAndKeepsWhatElseStopsTheOrder() {
    let event = reservation("x", "1")
    let letter = DeadLetter(
      ParkedEvent(event, message(record(event))), service: .payments,
      failure: EventFailure(reason: "down", detail: "", attempts: 11, first: now - 9, last: now - 8)
    )
    let (id, other) = (letter.id, UUID())
    let cases: [(standing: ParkedKey?, behind: UUID?, due: TimeInterval)] = [
      (nil, nil, 0), (fence(.dead, behind: id), id, 0), (fence(.dead, behind: other), other, 0),
      // From before anyone noted what a key has stopped behind.
      (fence(.dead, behind: nil), id, 0),
      // One that is tried is left to itself for a moment.
      (fence(.waiting, behind: nil), nil, 1), (fence(.waiting, behind: other), other, 1),
    ]
    for example in cases {
      let key = ParkedKey(example.standing, replaying: letter, of: event.orderID, at: now)
      #expect(key.state == .waiting && key.attempts == 0)
      #expect(key.behind == example.behind)
      #expect(key.nextAttempt == now + example.due)
      #expect(key.reason == (example.standing == nil ? "down" : "earlier"))
    }
  }
}
