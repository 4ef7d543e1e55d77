import Foundation
import Simulation
import Synchronization

/// What the runs have come to, all together.
final class Tally: Sendable {
  private struct State {
    var runs = 0
    var steps = 0
    var records = 0
    var virtualSeconds = 0.0
    var faults: [FaultKind: Int] = [:]
    var endings: [String: Int] = [:]
    var happenings: [String: Int] = [:]
    var failed: UInt64?
    var lines: [String] = []
  }

  private let state = Mutex(State())
  private let start = Date()

  /// The lowest seed that has broken a promise so far.
  var failed: UInt64? { state.withLock { $0.failed } }
  /// The trace of the latest run that has one.
  var lines: [String] { state.withLock { $0.lines } }

  func add(_ report: SimulatedRun.Report) {
    state.withLock { state in
      state.runs += 1
      state.steps += report.steps
      state.records += report.records
      state.virtualSeconds += report.virtualSeconds
      state.faults.merge(report.faults, uniquingKeysWith: +)
      state.endings.merge(report.endings, uniquingKeysWith: +)
      state.happenings.merge(report.happenings, uniquingKeysWith: +)
      state.lines = report.trace.lines
      if !report.violations.isEmpty { state.failed = min(state.failed ?? .max, report.seed) }
    }
  }

  private static func list(_ counts: [String: Int]) -> String {
    let parts = counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
    return parts.isEmpty ? "none" : parts.joined(separator: ", ")
  }

  var summary: String {
    let state = state.withLock { $0 }
    let seconds = String(format: "%.1f", Date().timeIntervalSince(start))
    let faults = FaultKind.allCases.map { "  \($0.rawValue): \(state.faults[$0, default: 0])" }
    let endings = Self.list(state.endings)
    return """
      \(state.runs == 1 ? "1 seed" : "\(state.runs) seeds") in \(seconds) s: \(state.steps) steps, \
      \(Int(state.virtualSeconds)) virtual seconds, \(state.records) records
      orders: \(endings)
      parking and the outside world: \(Self.list(state.happenings))
      faults injected:
      \(faults.joined(separator: "\n"))
      \(state.failed.map { "seed \($0) breaks a promise" } ?? "every promise was kept")
      """
  }
}
