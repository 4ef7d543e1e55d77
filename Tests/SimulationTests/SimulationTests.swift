import Foundation
import Simulation
import Testing

/// The second layer of proof: the whole fleet, with everything going wrong that can.
@Suite(.serialized) struct SimulationTests {
  @Test func aSeedRunsTheSameWayEachTime() async {
    for seed: UInt64 in [3, 26, 41] {
      let runs = await reports([seed, seed]) { SimulatedRun(seed: $0).run() }
      #expect(runs[0].trace.hash == runs[1].trace.hash)
      #expect(runs[0].steps == runs[1].steps)
      let other = await reports([seed + 1]) { SimulatedRun(seed: $0).run() }
      #expect(other[0].trace.hash != runs[0].trace.hash)
    }
  }

  @Test func fixedSeedsKeepEveryPromise() async {
    let reports = await reports(Array(1...150)) { SimulatedRun(seed: $0).run() }
    for report in reports { expectKept(report) }
    for happening in [
      "parked keys", "parked events", "dead letters", "replays", "edits", "discards", "releases",
      "bookings of the bank", "forgotten ids",
    ] {
      #expect(reports.contains { $0.happenings[happening, default: 0] > 0 }, "\(happening)")
    }
    // Each kind of fault and both endings must have been there, or the runs prove little.
    for kind in FaultKind.allCases {
      #expect(reports.contains { $0.faults[kind, default: 0] > 0 }, "\(kind.rawValue)")
    }
    for ending in ["completed", "cancelled"] {
      #expect(reports.reduce(0) { $0 + $1.endings[ending, default: 0] } > 300, "\(ending)")
    }
  }

  @Test func freshSeedsKeepEveryPromise() async {
    let first = UInt64.random(in: 1_000_000...1_000_000_000)
    print("fresh seeds from \(first)")
    let isCI = ProcessInfo.processInfo.environment["CI"] == "true"
    let end = ContinuousClock.now + .seconds(isCI ? 120 : 15)
    var seed = first
    while ContinuousClock.now < end {
      for report in await reports([seed, seed + 1], { SimulatedRun(seed: $0).run() }) {
        expectKept(report)
      }
      seed += 2
    }
    print("\(seed - first) fresh seeds")
  }

  private func expectKept(
    _ report: SimulatedRun.Report, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(
      report.violations.isEmpty,
      "Ops/simulate --seed \(report.seed) --trace: \(report.violations.prefix(3))",
      sourceLocation: sourceLocation)
  }
}

/// Runs simulations beside each other, each on a thread that no task has.
func reports(
  _ seeds: [UInt64], _ run: @escaping @Sendable (UInt64) -> SimulatedRun.Report
) async -> [SimulatedRun.Report] {
  await withTaskGroup(of: (Int, SimulatedRun.Report).self) { group in
    for (index, seed) in seeds.enumerated() {
      group.addTask {
        await withCheckedContinuation { continuation in
          DispatchQueue.global().async { continuation.resume(returning: (index, run(seed))) }
        }
      }
    }
    var reports: [(Int, SimulatedRun.Report)] = []
    for await report in group { reports.append(report) }
    return reports.sorted { $0.0 < $1.0 }.map(\.1)
  }
}
