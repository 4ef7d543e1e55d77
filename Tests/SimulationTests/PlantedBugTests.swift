import Simulation
import Testing

/// The simulator is worth something only if it finds what is wrong, and names the promise.
@Suite(.serialized) struct PlantedBugTests {
  /// The promise that each bug must be seen to break.
  static let promises: [PlantedBug: String] = [
    .skipsInbox: "I5", .inboxBeforeStep: "I3", .outboxAfterStep: "I3", .ignoresEpoch: "I6",
    .deletesUnacknowledged: "I4", .commitsEarly: "I7", .forgetsOffsets: "I9",
    .reordersRecords: "I6", .dropsRecords: "I4", .silentDeadLetters: "I4",
    .forgetsDeadLetters: "I8", .noTombstone: "I3", .cancelsShipped: "I1", .forgetsRefund: "I1",
    .passesParkedKeys: "I6", .reversesQueues: "I6", .passesDeadLetters: "I8",
    .replaysTwice: "I5", .forgetsResolution: "I8", .changesEffectKeys: "I5",
    .effectsAfterStep: "I3", .forgetsSettlements: "I9", .forgetsEarly: "I5",
    .reservesTwice: "I2", .losesStock: "I2", .closesTwice: "I3", .confusesReasons: "I3",
  ]

  @Test(arguments: PlantedBug.allCases)
  func isFound(_ bug: PlantedBug) async throws {
    let promise = try #require(Self.promises[bug])
    var seed: UInt64 = 1
    while seed <= 1_000 {
      let reports = await reports([seed, seed + 1]) { SimulatedRun(seed: $0, bug: bug).run() }
      for report in reports {
        guard let violation = report.violations.first(where: { $0.hasPrefix(promise) }) else {
          continue
        }
        print("\(bug.rawValue): seed \(report.seed), \(violation)")
        return
      }
      seed += 2
    }
    Issue.record("1,000 seeds do not find \(bug.rawValue)")
  }
}
