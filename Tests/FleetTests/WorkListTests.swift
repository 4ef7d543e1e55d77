import Contracts
import Foundation
import Testing

@testable import Fleet

/// How a batch is taken apart: the steps that are tried, as lists of `order/label`.
struct WorkListTests {
  private let start = Date(timeIntervalSince1970: 1_800_000_000)

  private func list(_ labels: [String], attempts: Int = 3) -> WorkList {
    var limits = FleetLimits()
    limits.attempts = attempts
    let items = labels.enumerated().map { index, label in
      let parts = label.split(separator: "/").map(String.init)
      return item(reservation(parts[0], parts[1]), offset: Int64(index))
    }
    return WorkList(items, service: .payments, limits: limits)
  }

  /// Runs the list against a rule, and returns every step with its attempt.
  private func run(
    _ work: inout WorkList, _ react: (WorkList.Unit, inout WorkList) -> Bool
  ) -> [String] {
    var tried: [String] = []
    while let unit = work.next, tried.count < 100 {
      tried.append("\(unit.attempt): " + unit.items.map(\.label).joined(separator: " "))
      if !react(unit, &work) { work.finish() }
    }
    return tried
  }

  private func expectSplit(
    _ work: inout WorkList, _ detail: String, _ expected: Bool,
    at location: SourceLocation = #_sourceLocation
  ) {
    let isSplit = work.split(because: detail, at: start)
    #expect(isSplit == expected, sourceLocation: location)
  }

  @Test func nothingIsNoWork() {
    #expect(WorkList([], service: .payments, limits: FleetLimits()).next == nil)
  }

  @Test func splittingIsolatesTheGuiltyItemAndKeepsTheOrder() {
    var work = list(["x/1", "y/1", "x/2", "bad/1", "x/3"])
    let tried = run(&work) { unit, work in
      guard unit.items.contains(where: { $0.label == "bad/1" }) else { return false }
      expectSplit(&work, "too long", true)
      return true
    }
    #expect(
      tried == [
        "1: x/1 y/1 x/2 bad/1 x/3", "1: x/1 y/1", "1: x/2 bad/1 x/3", "1: x/2", "1: bad/1 x/3",
        "1: bad/1", "1: dead bad/1", "1: x/3",
      ])
  }

  @Test func aDeadLetterSaysWhyItWasRefused() throws {
    var work = list(["bad/1"])
    expectSplit(&work, "too long", true)
    guard case .dead(let letter) = try #require(work.next).items[0] else {
      Issue.record("not a dead letter")
      return
    }
    #expect(letter.reason == "rejected-by-database")
    #expect(letter.detail == "too long")
    #expect(letter.attempts == 1)
    #expect(letter.event?.orderID == OrderID(rawValue: "bad"))
  }

  @Test func aRefusedDeadLetterCannotBeSplit() {
    var work = list(["bad/1"])
    expectSplit(&work, "too long", true)
    expectSplit(&work, "disk of stone", false)
    #expect(work.next?.items.map(\.label) == ["dead bad/1"])
  }

  /// It is found again at the next tick; kept, it would hold up the lane for good.
  @Test func aRefusedOrFailingDeadlineIsLeftToTheNextTick() {
    var limits = FleetLimits()
    limits.attempts = 1
    let deadline = LaneItem.deadline(OrderID(rawValue: "x"))
    var refused = WorkList([deadline], service: .orders, limits: limits)
    expectSplit(&refused, "no", true)
    #expect(refused.next == nil)
    var failing = WorkList([deadline], service: .orders, limits: limits)
    failing.retry([0: TransientFailure("down", "")], at: start)
    #expect(failing.next == nil)
  }

  @Test func failuresAreTriedAfterTheOthersAndBeforeWhatFollowsThemInTheirOrder() {
    var work = list(["x/1", "y/1", "x/2", "y/2", "z/1", "x/3"])
    let tried = run(&work) { unit, work in
      // x/2 and y/1 fail the first two times.
      let failing = unit.items.indices.filter {
        ["x/2", "y/1"].contains(unit.items[$0].label) && unit.attempt < 3
      }
      guard !failing.isEmpty else { return false }
      let causes = failing.map { ($0, TransientFailure("down", "")) }
      work.retry(Dictionary(uniqueKeysWithValues: causes), at: start)
      return true
    }
    #expect(
      tried == [
        "1: x/1 y/1 x/2 y/2 z/1 x/3", "1: x/1 z/1", "2: y/1 x/2", "3: y/1 x/2", "1: y/2 x/3",
      ])
  }

  @Test func attemptsAreCountedAndTheLastParksTheEvent() throws {
    var work = list(["x/1", "x/2"], attempts: 3)
    var now = start
    var delays: [Bool] = []
    var parked: [ParkedEvent] = []
    let tried = run(&work) { unit, work in
      delays.append(unit.delay != nil)
      if case .parked(let event) = unit.items[0] { parked.append(event) }
      guard unit.items[0].label == "x/1" else { return false }
      work.retry([0: TransientFailure("down", "no answer")], at: now)
      now += 10
      return true
    }
    #expect(tried == ["1: x/1 x/2", "2: x/1", "3: x/1", "3: parked x/1", "1: x/2"])
    #expect(delays == [false, true, true, false, false])
    #expect(
      parked.map(\.failure) == [
        EventFailure(
          reason: "down", detail: "no answer", attempts: 3, first: start, last: start + 20)
      ])
  }

  /// What can't even be parked is dead-lettered with its attempts.
  @Test func aParkedEventThatIsRefusedIsGivenUp() throws {
    var work = list(["x/1"], attempts: 1)
    work.retry([0: TransientFailure("down", "")], at: start)
    #expect(work.next?.items.map(\.label) == ["parked x/1"])
    expectSplit(&work, "no room", true)
    guard case .dead(let letter) = try #require(work.next).items[0] else {
      Issue.record("not a dead letter")
      return
    }
    #expect(letter.reason == "rejected-by-database")
    #expect(letter.attempts == 2)
  }

  /// Of parked keys that the database refuses the guilty one is found, then its first event.
  @Test func refusedRetriesAreTakenApart() {
    let keys = ["x", "y", "z"].map(OrderID.init(rawValue:))
    var work = WorkList(
      keys.map { .retry($0, .queue) }, service: .payments, limits: FleetLimits())
    let tried = run(&work) { unit, work in
      let isGuilty = unit.items.contains {
        if case .retry(keys[1], let part) = $0 { part != .refused("no") } else { false }
      }
      if isGuilty { expectSplit(&work, "no", true) }
      return isGuilty
    }
    #expect(
      tried == [
        "1: queue x queue y queue z", "1: queue x", "1: queue y queue z", "1: queue y",
        "1: head y", "1: refused y", "1: queue z",
      ])
    var last = WorkList(
      [.retry(keys[1], .refused("no"))], service: .payments, limits: FleetLimits())
    // Not even that is taken: the lane goes on, and finds the key again at the next tick.
    expectSplit(&last, "no", true)
    #expect(last.next == nil)
  }

  @Test func anInterruptionCostsNoAttempt() {
    var work = list(["x/1"])
    work.delay(.connection)
    work.delay(.connection)
    #expect(work.next?.attempt == 1)
    #expect(work.next?.interruptions == 2)
    #expect(work.next?.delay != nil)
  }
}
