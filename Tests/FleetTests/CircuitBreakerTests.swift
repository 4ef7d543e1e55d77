import Foundation
import Testing

@testable import Fleet

/// A breaker that an expectation can ask: macros don't take what changes a value.
private final class Subject {
  var breaker: CircuitBreaker

  init(_ policy: EffectPolicy) { breaker = CircuitBreaker(policy) }

  var state: CircuitBreaker.State { breaker.state }
  func admit(at now: Date) -> CircuitBreaker.Permit? { breaker.admit(at: now) }

  /// Fails so many calls at a time.
  func fail(_ count: Int, at now: Date) throws {
    for _ in 0..<count { breaker.failed(try #require(admit(at: now)), at: now) }
  }
}

/// The breaker as a table of events and states.
struct CircuitBreakerTests {
  private let start = Date(timeIntervalSince1970: 1_800_000_000)
  private let policy = EffectPolicy(
    failuresToOpen: 3, pause: Backoff(base: .seconds(4), cap: .seconds(60)))

  private func subject() -> Subject { Subject(policy) }

  @Test func opensAfterFailuresInARow() throws {
    let subject = subject()
    try subject.fail(2, at: start)
    #expect(subject.state == .closed)
    subject.breaker.succeeded(try #require(subject.admit(at: start)))
    try subject.fail(2, at: start)
    #expect(subject.state == .closed)
    try subject.fail(1, at: start)
    #expect(subject.state == .open)
    #expect(subject.admit(at: start + 1.9) == nil)
  }

  @Test func letsOneCallFindOut() throws {
    let subject = subject()
    try subject.fail(3, at: start)
    let probe = try #require(subject.admit(at: start + 4))
    #expect(subject.state == .halfOpen)
    #expect(subject.admit(at: start + 1_000) == nil)
    subject.breaker.succeeded(probe)
    #expect(subject.state == .closed)
    #expect(subject.admit(at: start + 4) != nil)
  }

  @Test func eachPauseInARowIsLonger() throws {
    let subject = subject()
    try subject.fail(3, at: start)
    var now = start
    // Between half of and the whole of 4 s, 8 s, 16 s and so on, a minute at most.
    for longest in [4.0, 8, 16, 32, 60, 60] {
      #expect(subject.admit(at: now + longest / 2 - 0.1) == nil)
      now += longest
      try subject.fail(1, at: now)
      #expect(subject.state == .open)
    }
    now += 60
    subject.breaker.succeeded(try #require(subject.admit(at: now)))
    try subject.fail(3, at: now)
    #expect(subject.admit(at: now + 4) != nil)
  }

  /// Calls that were under way when it opened say nothing about the provider of later.
  @Test func lateAnswersDoNotCount() throws {
    let subject = subject()
    let early = try (0..<3).map { _ in try #require(subject.admit(at: start)) }
    try subject.fail(3, at: start)
    subject.breaker.succeeded(early[0])
    #expect(subject.state == .open)
    let probe = try #require(subject.admit(at: start + 4))
    subject.breaker.failed(early[1], at: start + 4)
    #expect(subject.state == .halfOpen)
    subject.breaker.succeeded(probe)
    subject.breaker.failed(early[2], retryAfter: .seconds(60), at: start + 4)
    #expect(subject.state == .closed)
  }

  @Test func aProviderThatAsksForItIsLeftAloneAtOnce() throws {
    let subject = subject()
    subject.breaker.failed(
      try #require(subject.admit(at: start)), retryAfter: .seconds(20), at: start)
    #expect(subject.state == .open)
    #expect(subject.admit(at: start + 19.9) == nil)
    subject.breaker.failed(
      try #require(subject.admit(at: start + 20)), retryAfter: .seconds(1e18), at: start + 20)
    #expect(subject.admit(at: start + 79.9) == nil)
    #expect(subject.admit(at: start + 80) != nil)
  }

  @Test func anAbandonedCallLetsTheNextFindOut() throws {
    let subject = subject()
    subject.breaker.abandoned(try #require(subject.admit(at: start)))
    #expect(subject.state == .closed)
    try subject.fail(3, at: start)
    subject.breaker.abandoned(try #require(subject.admit(at: start + 4)))
    #expect(subject.admit(at: start + 4) != nil)
  }

  @Test func aClockThatWasSetBackEndsThePause() throws {
    let subject = subject()
    try subject.fail(3, at: start)
    #expect(subject.admit(at: start - 3_600) != nil)
  }
}
