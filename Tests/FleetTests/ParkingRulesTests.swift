import Contracts
import Foundation
import Testing

@testable import Fleet

/// What becomes of the items of a batch whose keys are parked, or become it.
struct DiversionTests {
  private let now = Date(timeIntervalSince1970: 1_800_000_000)

  /// `x/1`; with a prefix `parked`, `dead`; `unreadable`, `deadline x`.
  private func makeItem(_ text: String, offset: Int64) throws -> LaneItem {
    let words = text.split(separator: " ").map(String.init)
    if words[0] == "unreadable" {
      return try #require(LaneItem(message(unreadableRecord(), offset: offset), for: .payments))
    }
    if words[0] == "deadline" { return .deadline(OrderID(rawValue: words[1])) }
    let parts = (words.last ?? "").split(separator: "/").map(String.init)
    let event = reservation(parts[0], parts[1])
    let raw = message(record(event), offset: offset)
    let failure = EventFailure(
      reason: "down", detail: "", attempts: 3, first: now - 9, last: now - 1)
    switch words[0] {
    case "parked": return .parked(ParkedEvent(event, raw, failure: failure))
    case "dead":
      return .dead(DeadLetter(ParkedEvent(event, raw), service: .payments, failure: failure))
    default: return .event(event, raw)
    }
  }

  struct Case: Sendable {
    var batch: [String]
    var fenced: [String] = []
    var duplicates: Set<Int> = []
    var decided: [String] = []
    var parked: [String] = []
    var keys: [String] = []
    var letters = 0
  }

  static let cases = [
    Case(batch: ["x/1", "y/1", "x/2"], decided: ["x/1", "y/1", "x/2"]),
    // Behind a fence, in order; the others flow on.
    Case(
      batch: ["x/1", "y/1", "x/2"], fenced: ["x"], decided: ["y/1"], parked: ["x/1", "x/2"]),
    // What comes later in the same batch waits too, what came before does not.
    Case(
      batch: ["x/1", "parked x/2", "x/3", "y/1"], decided: ["x/1", "y/1"],
      parked: ["x/2", "x/3"], keys: ["x waiting"]),
    Case(
      batch: ["parked x/1", "parked y/1", "x/2"], parked: ["x/1", "y/1", "x/2"],
      keys: ["x waiting", "y waiting"]),
    // A fence that stands stays as it is.
    Case(batch: ["parked x/1"], fenced: ["x"], parked: ["x/1"]),
    // A dead letter keeps the later events of its key.
    Case(
      batch: ["dead x/1", "x/2", "y/1"], decided: ["y/1"], parked: ["x/2"], keys: ["x dead"],
      letters: 1),
    // What is replayed meanwhile still goes before it.
    Case(batch: ["dead x/1"], fenced: ["x"], keys: ["x waiting"], letters: 1),
    // What can't be read has no key that could be trusted.
    Case(batch: ["unreadable", "x/1"], fenced: ["y"], decided: ["x/1"], letters: 1),
    // A deadline is no message that could wait.
    Case(
      batch: ["deadline x", "deadline y"], fenced: ["x"], decided: ["deadline x", "deadline y"]),
    // Duplicates drop out before.
    Case(
      batch: ["parked x/1", "x/2", "x/2", "dead y/1"], duplicates: [0, 2, 3], decided: ["x/2"]),
  ]

  @Test(arguments: cases) func divides(_ example: Case) throws {
    let items = try example.batch.enumerated().map { try makeItem($1, offset: Int64($0)) }
    let diversion = Diversion(
      items, isNew: items.indices.map { !example.duplicates.contains($0) },
      fenced: Set(example.fenced.map(OrderID.init(rawValue:))), service: .payments,
      tiers: ParkingTiers(), at: now)
    #expect(diversion.decided.map { items[$0].label } == example.decided)
    #expect(diversion.parked.map(\.label) == example.parked)
    #expect(diversion.keys.map { "\($0.key) \($0.state)" } == example.keys)
    #expect(diversion.letters.count == example.letters)
    #expect(diversion.changes.count == example.keys.count)
  }

  @Test func aNewFenceHasTheFailureAndTheFirstWait() throws {
    let diversion = Diversion(
      [try makeItem("parked x/1", offset: 0)], isNew: [true], fenced: [], service: .payments,
      tiers: ParkingTiers(), at: now)
    let key = try #require(diversion.keys.first)
    #expect(key.reason == "down" && key.attempts == 0)
    #expect(key.firstFailed == now - 9 && key.lastFailed == now - 1)
    #expect((0.5...1).contains(key.nextAttempt.timeIntervalSince(now)))
  }
}

/// What becomes of a parked key after its queue was tried.
struct QueueSettlementTests {
  private static let now = Date(timeIntervalSince1970: 1_800_000_000)
  private static let down = QueueFailure.transient(TransientFailure("down", "no answer"))
  private static let final = QueueFailure.final(reason: "rejected-by-database", detail: "no")

  struct Case: Sendable {
    /// Of the queue x/1, x/2, x/3, how many were read, and how many there are.
    var read = 3
    var length = 3
    /// The failed tries of the key, of 4.
    var attempts = 0
    var isLastTry = false
    var handled: Int
    var failure: QueueFailure?
    var gone: Int
    var head: String?
    var letter: String?
    /// The state and the attempts, of a fence that stays.
    var key: String?
    /// The bounds of the next wait, in seconds.
    var wait: ClosedRange<Double> = 0...0
  }

  static let cases = [
    // All of it: the fence is lifted.
    Case(handled: 3, gone: 3),
    Case(read: 0, length: 0, attempts: 3, handled: 0, gone: 0),
    Case(read: 0, length: 0, handled: 0, failure: final, gone: 0),
    // As much as was read: the rest is due at once, with attempts of its own.
    Case(read: 2, attempts: 3, handled: 2, gone: 2, key: "waiting 0"),
    // The first has failed again.
    Case(
      handled: 0, failure: down, gone: 0, head: "x/1", key: "waiting 1", wait: 1...2),
    Case(
      attempts: 2, handled: 0, failure: down, gone: 0, head: "x/1", key: "waiting 3", wait: 4...8),
    // A later one has, for the first time.
    Case(
      attempts: 3, handled: 1, failure: down, gone: 1, head: "x/2", key: "waiting 1", wait: 1...2),
    // The last attempt.
    Case(attempts: 3, handled: 0, failure: down, gone: 1, letter: "x/1", key: "dead 4"),
    // Attempts that were allowed when the limit was higher.
    Case(attempts: 9, handled: 0, failure: down, gone: 1, letter: "x/1", key: "dead 10"),
    // Somebody has said that it is the last; of another event that fails nothing was said.
    Case(isLastTry: true, handled: 0, failure: down, gone: 1, letter: "x/1", key: "dead 1"),
    Case(
      isLastTry: true, handled: 1, failure: down, gone: 1, head: "x/2", key: "waiting 1",
      wait: 1...2),
    Case(read: 2, isLastTry: true, handled: 2, gone: 2, key: "waiting 0"),
    // No attempt can help.
    Case(handled: 1, failure: final, gone: 2, letter: "x/2", key: "dead 1"),
    // The fence stays around an empty queue, for what is still to come.
    Case(read: 1, length: 1, handled: 0, failure: final, gone: 1, letter: "x/1", key: "dead 1"),
  ]

  @Test(arguments: cases) func settles(_ example: Case) throws {
    let now = Self.now
    let events = (0..<example.read).map { index in
      let event = reservation("x", "\(index + 1)")
      return ParkedEvent(event, message(record(event), offset: Int64(index)))
    }
    let key = ParkedKey(
      key: OrderID(rawValue: "x"), state: .waiting, attempts: example.attempts, nextAttempt: now,
      reason: "earlier", detail: "", firstFailed: now - 60, lastFailed: now - 30,
      isLastTry: example.isLastTry)
    let policy = ParkingPolicy(
      attempts: 4, backoff: Backoff(base: .seconds(1), cap: .seconds(900)))
    let settlement = QueueSettlement(
      ParkedQueue(key: key, events: events, length: example.length), handled: example.handled,
      failure: example.failure, service: .payments, tiers: ParkingTiers(standard: policy), at: now)
    #expect(settlement.gone == events.prefix(example.gone).map(\.id))
    #expect(settlement.head?.label == example.head)
    #expect(settlement.letter?.event?.label == example.letter)
    #expect(settlement.key.map { "\($0.state) \($0.attempts)" } == example.key)
    #expect(settlement.key?.isLastTry != true)
    let wait = settlement.key?.nextAttempt.timeIntervalSince(now) ?? 0
    #expect(example.wait.contains(wait))
  }

  @Test func triesInPlaceAndWhileParkedAddUp() throws {
    let now = Self.now
    let event = reservation("x", "1")
    let failure = EventFailure(
      reason: "slow", detail: "", attempts: 3, first: now - 100, last: now - 90)
    let key = ParkedKey(
      key: event.orderID, state: .waiting, attempts: 7, nextAttempt: now, reason: "slow",
      detail: "", firstFailed: now - 100, lastFailed: now - 90)
    let queue = ParkedQueue(
      key: key, events: [ParkedEvent(event, message(record(event)), failure: failure)], length: 1)
    let settlement = QueueSettlement(
      queue, handled: 0, failure: Self.down, service: .payments, tiers: ParkingTiers(), at: now)
    let letter = try #require(settlement.letter)
    #expect(letter.attempts == 4)
    #expect(letter.firstFailed == now - 100 && letter.lastFailed == now)
    #expect(letter.reason == "down" && letter.detail == "no answer")
    #expect(settlement.key?.reason == "down" && settlement.key?.firstFailed == now - 100)
  }

  @Test(arguments: [("down", 2, true), ("down", 1, false), ("slow", 2, false), ("slow", 7, true)])
  func aReasonMayHaveItsOwnTier(_ reason: String, _ attempts: Int, _ isLast: Bool) throws {
    let event = reservation("x", "1")
    let key = ParkedKey(
      key: event.orderID, state: .waiting, attempts: attempts, nextAttempt: Self.now, reason: "",
      detail: "", firstFailed: Self.now, lastFailed: Self.now)
    let queue = ParkedQueue(
      key: key, events: [ParkedEvent(event, message(record(event)))], length: 1)
    let slowly = ParkingPolicy(
      attempts: 3, backoff: Backoff(base: .seconds(100), cap: .seconds(100)))
    let settlement = QueueSettlement(
      queue, handled: 0, failure: .transient(TransientFailure(reason, "")), service: .payments,
      tiers: ParkingTiers(byReason: ["down": slowly]), at: Self.now)
    #expect((settlement.letter != nil) == isLast)
    if !isLast {
      let wait = try #require(settlement.key?.nextAttempt).timeIntervalSince(Self.now)
      #expect((wait >= 50) == (reason == "down"))
    }
  }

  @Test func theWaitsGoFromASecondToAQuarterOfAnHour() {
    let policy = ParkingPolicy()
    let waits = (0..<8).map {
      policy.nextAttempt(of: OrderID(rawValue: "x"), after: $0, at: Self.now)
        .timeIntervalSince(Self.now)
    }
    #expect((0.5...1).contains(waits[0]))
    #expect((450...900).contains(waits[7]))
    #expect(zip(waits, waits.dropFirst()).allSatisfy { $0 < $1 })
    // No number of attempts overflows.
    #expect(
      policy.nextAttempt(of: OrderID(rawValue: "x"), after: .max - 1, at: Self.now)
        <= Self.now + 900)
    let others = Set(
      (0..<20).map {
        policy.nextAttempt(of: OrderID(rawValue: "\($0)"), after: 3, at: Self.now)
      })
    #expect(others.count > 10)
  }
}
