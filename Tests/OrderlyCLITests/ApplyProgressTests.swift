import Testing

@testable import OrderlyCLI

/// When which item of a plan is replayed, as lists of what happens and what follows.
@Suite struct ApplyProgressTests {
  private func progress(
    _ orders: [String?], states: [ApplyProgress.State]? = nil, canary: Int = 1,
    rate: Double = 1_000, abortOn: Int = 1
  ) -> ApplyProgress {
    ApplyProgress(
      orders: orders, states: states ?? orders.map { _ in .planned },
      options: .init(canary: canary, rate: rate, abortOn: abortOn, timeout: 60))
  }

  /// All that may begin, a second apart.
  private func begin(_ progress: inout ApplyProgress, at now: Double) -> [Int] {
    var begun: [Int] = []
    while let item = progress.next(at: now + Double(begun.count)) { begun.append(item) }
    return begun
  }

  @Test func theOthersWaitForTheCanary() {
    var run = progress(["a", "b", "c"])
    #expect(begin(&run, at: 0) == [0])
    #expect(run.underWay == [0] && !run.isOver)
    run.end(0, .resolved)
    #expect(begin(&run, at: 10) == [1, 2])
    run.end(1, .resolved)
    run.end(2, .resolved)
    #expect(run.isOver && run.stop == nil)
  }

  @Test func aFailedCanaryEndsTheRun() {
    var run = progress(["a", "b"], abortOn: 100)
    #expect(begin(&run, at: 0) == [0])
    run.end(0, .failed)
    #expect(begin(&run, at: 10).isEmpty)
    #expect(run.isOver && run.stop == .canaryFailed && run.states[1] == .planned)
  }

  /// What is stale says nothing about the others.
  @Test func aRefusedCanaryIsFollowedByAnother() {
    var run = progress(["a", "b", "c"])
    #expect(begin(&run, at: 0) == [0])
    run.end(0, .refused)
    #expect(begin(&run, at: 10) == [1])
    run.end(1, .resolved)
    #expect(begin(&run, at: 20) == [2])
  }

  @Test func severalCanariesGoTogetherAndNoneIsAllowed() {
    var two = progress(["a", "b", "c"], canary: 2)
    #expect(begin(&two, at: 0) == [0, 1])
    two.end(0, .resolved)
    #expect(begin(&two, at: 10).isEmpty)
    two.end(1, .resolved)
    #expect(begin(&two, at: 20) == [2])
    var none = progress(["a", "b"], canary: 0)
    #expect(begin(&none, at: 0) == [0, 1])
  }

  @Test func itStopsAfterSoManyFailures() {
    var run = progress(["a", "b", "c", "d", "e"], canary: 0, abortOn: 2)
    #expect(run.next(at: 0) == 0)
    run.end(0, .failed)
    #expect(run.stop == nil)
    #expect(run.next(at: 1) == 1)
    #expect(run.next(at: 2) == 2)
    run.end(1, .unanswered)
    #expect(run.stop == .failures(2))
    #expect(run.next(at: 3) == nil)
    // What is under way is waited for.
    #expect(!run.isOver)
    run.end(2, .resolved)
    #expect(run.isOver)
  }

  @Test func anOrdersLettersFollowEachOther() {
    var run = progress(["a", "a", nil, nil, "b"], canary: 0)
    #expect(begin(&run, at: 0) == [0, 2, 3, 4])
    run.end(0, .resolved)
    #expect(begin(&run, at: 10) == [1])
    // One whose end is not known holds the next one back.
    var stuck = progress(["a", "a"], canary: 0, abortOn: 9)
    #expect(begin(&stuck, at: 0) == [0])
    stuck.end(0, .unanswered)
    #expect(begin(&stuck, at: 10).isEmpty)
    #expect(stuck.isOver && stuck.states[1] == .planned)
  }

  @Test func theRateIsKeptAndNotMadeUpFor() {
    var run = progress(["a", "b", "c"], canary: 0, rate: 2)
    #expect(run.next(at: 0) == 0)
    #expect(run.next(at: 0.4) == nil)
    #expect(!run.isOver)
    #expect(run.next(at: 100) == 1)
    #expect(run.next(at: 100.1) == nil)
    #expect(run.next(at: 100.5) == 2)
  }

  /// However fast, nothing is due later than the rate says; what can't begin yet is only looked for.
  @Test func itIsWaitedForTheNextOneOrForResults() {
    var run = progress(["a", "b", "b"], canary: 0, rate: 64)
    #expect(run.pause(at: 0) == 0)
    #expect(run.next(at: 1) == 0)
    #expect(run.pause(at: 1) == 0.015625)
    #expect(run.pause(at: 2) == 0)
    #expect(run.next(at: 2) == 1)
    // The third is of the second's order.
    #expect(run.pause(at: 2) == ApplyProgress.lookAgain)
    var slow = progress(["a", "b"], canary: 0, rate: 0.5)
    #expect(slow.next(at: 0) == 0)
    #expect(slow.pause(at: 0) == ApplyProgress.lookAgain)
  }

  @Test func asMuchIsUnderWayAsTheWindowHas() {
    let count = ApplyProgress.window + 5
    var run = progress((0..<count).map { "\($0)" }, canary: 0)
    #expect(begin(&run, at: 0) == Array(0..<ApplyProgress.window))
    run.end(3, .resolved)
    #expect(begin(&run, at: 1_000) == [ApplyProgress.window])
  }

  @Test func aRunGoesOnWhereTheLastOneStopped() {
    var run = progress(
      ["a", "b", "c", "d"], states: [.resolved, .failed, .replaying(since: 0), .planned])
    // The canary of the earlier run counts.
    #expect(begin(&run, at: 0) == [3])
    #expect(run.underWay == [2, 3])
    #expect(run.overdue(at: 59).isEmpty)
    #expect(run.overdue(at: 60) == [2, 3])
    var done = progress(["a"], states: [.resolved])
    #expect(done.isOver && done.next(at: 0) == nil)
  }
}
