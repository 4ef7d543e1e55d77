import FleetTesting
import Foundation
import Synchronization
import Testing

@testable import Fleet

@Suite struct SteadyClockTests {
  /// A machine whose clocks are set by hand.
  private final class Machine: Sendable {
    private let state = Mutex((wall: Date(timeIntervalSince1970: 1_800_000_000), uptime: 0.0))

    var wall: Date { state.withLock { $0.wall } }

    func pass(_ seconds: Double) {
      state.withLock { state in
        state.wall += seconds
        state.uptime += seconds
      }
    }

    func set(by seconds: Double) { state.withLock { $0.wall += seconds } }

    var clock: SteadyClock {
      SteadyClock(wall: { self.wall }, monotonic: { .seconds(self.state.withLock { $0.uptime }) })
    }
  }

  private let machine = Machine()

  private func expect(_ clock: SteadyClock, ahead seconds: Double) {
    #expect(abs(clock.now.timeIntervalSince(machine.wall) - seconds) < 0.001)
  }

  @Test func itIsTheMachinesTime() {
    let clock = machine.clock
    expect(clock, ahead: 0)
    machine.pass(90)
    expect(clock, ahead: 0)
    machine.set(by: 3_600)
    expect(clock, ahead: 0)
  }

  @Test func itGoesOnWhenTheMachinesTimeGoesBack() {
    let clock = machine.clock
    let before = clock.now
    machine.set(by: -600)
    #expect(clock.now >= before)
    expect(clock, ahead: 600)
    machine.pass(120)
    // Neither does it stand still until that time has come again, nor run ahead.
    expect(clock, ahead: 600)
    machine.set(by: 600)
    expect(clock, ahead: 0)
    machine.pass(1)
    expect(clock, ahead: 0)
  }

  @Test func manySmallStepsDoNotAddUp() {
    let clock = machine.clock
    for _ in 0..<100_000 {
      machine.pass(0.000_1)
      _ = clock.now
    }
    expect(clock, ahead: 0)
  }

  @Test func intervalsKnowNoTimeOfDay() {
    var interval = Interval(.seconds(10), from: .seconds(3))
    let dues = [3, 12, 13, 14, 22, 23].map { interval.isDue(at: .seconds($0)) }
    #expect(dues == [false, false, true, false, false, true])
  }

  @Test func aFailedAnswerIsTriedAgainAfterAWhile() {
    var answer = RebalanceAnswer(.assign)
    #expect(answer.isDue(at: .zero))
    answer.failed(at: .seconds(5))
    #expect(!answer.isDue(at: .seconds(5)))
    #expect(answer.isDue(at: .seconds(8)))
  }
}
