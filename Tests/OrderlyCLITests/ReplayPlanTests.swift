import Contracts
import Fleet
import Foundation
import Testing

@testable import OrderlyCLI

/// What is done about an item of a plan, for each way in which things may have changed since.
@Suite struct ReplayPlanTests {
  typealias Item = ReplayPlan.Item

  private static let placed = SagaState(
    order: "o-1", standings: [.orders: .init(status: "placed", reason: nil)])

  private func item(
    _ state: Item.State = .planned, verdict: ReplayVerdict = .handled
  ) -> Item {
    Item(
      service: .payments, letter: UUID(), order: "o-1", letterDigest: "as-planned",
      sagaDigest: Self.placed.digest, verdict: verdict, detail: "as planned", state: state)
  }

  private func standing(
    _ item: Item, letter: DeadLetter.State? = .open, digest: String = "as-planned",
    saga: SagaState? = placed, hasMoved: Bool = false
  ) -> Item.Standing {
    item.standing(
      letter.map { .init(state: $0, digest: digest, failure: "down") }, saga, hasMoved: hasMoved)
  }

  private func saga(_ status: String, _ reason: String? = nil) -> SagaState {
    SagaState(order: "o-1", standings: [.orders: .init(status: status, reason: reason)])
  }

  private func refusal(_ standing: Item.Standing) -> String? {
    if case .ended(.refused, let reason) = standing { reason } else { nil }
  }

  @Test func whatHasNotChangedIsReplayed() {
    #expect(standing(item()) == .replay)
    #expect(standing(item(), saga: nil) == .replay)
    // Cut off before the replay had begun.
    #expect(standing(item(.replaying)) == .replay)
  }

  @Test func whatHasChangedIsStale() throws {
    for letter in DeadLetter.State.allCases {
      let reason = try #require(refusal(standing(item(), letter: letter, digest: "another")))
      #expect(reason.contains("stale") && reason.contains(letter.rawValue))
    }
    let moved = SagaState(
      order: "o-1",
      standings: [
        .orders: .init(status: "placed", reason: nil),
        .inventory: .init(status: "reserved", reason: nil),
      ])
    #expect(try #require(refusal(standing(item(), saga: moved))).contains("inventory reserved"))
    // What the plan itself has done does not count.
    #expect(standing(item(), saga: moved, hasMoved: true) == .replay)
    #expect(refusal(standing(item(), letter: nil)) != nil)
  }

  @Test func anOrderThatHasEndedIsRefusedWithTheReason() throws {
    let cancelled = standing(item(), saga: saga("cancelled", "declined"))
    #expect(try #require(refusal(cancelled)).contains("cancelled (declined) and fully compensated"))
    let completed = standing(item(), saga: saga("completed"), hasMoved: true)
    #expect(try #require(refusal(completed)).contains("completed"))
  }

  @Test func onlyWhatWouldBeHandledIsReplayed() {
    for verdict in ReplayVerdict.allCases where verdict != .handled {
      #expect(standing(item(verdict: verdict)) == .ended(.refused, "as planned"), "\(verdict)")
    }
  }

  @Test func aReplayUnderWayIsWaitedForOrItsResultTaken() {
    #expect(standing(item(.replaying), letter: .replaying, digest: "another") == .wait)
    #expect(
      standing(item(.replaying), letter: .resolved, digest: "another")
        == .ended(.resolved, "handled"))
    #expect(
      standing(item(.replaying), letter: .open, digest: "another") == .ended(.failed, "down"))
    #expect(refusal(standing(item(.replaying), letter: .discarded)) != nil)
  }

  @Test func whatHasEndedStaysSo() {
    for state in [Item.State.resolved, .failed, .refused] {
      var item = item(state)
      item.result = "so"
      #expect(standing(item, letter: nil) == .ended(state, "so"))
    }
  }

  @Test func digestsTellTextsApart() {
    #expect(Digest.of(["a", "b"]) == Digest.of(["a", "b"]))
    #expect(Digest.of(["a", "b"]) != Digest.of(["b", "a"]))
    #expect(Digest.of(["a b"]) != Digest.of(["a", "b"]))
    #expect(Digest.of(["1:a"]) != Digest.of(["a"]))
    let items = [item(), item(verdict: .unreadable)]
    #expect(ReplayPlan.digest(of: items) == ReplayPlan.digest(of: items))
    #expect(ReplayPlan.digest(of: items) != ReplayPlan.digest(of: items.reversed()))
    var resolved = items
    resolved[0].state = .resolved
    #expect(ReplayPlan.digest(of: items) == ReplayPlan.digest(of: resolved))
  }
}
