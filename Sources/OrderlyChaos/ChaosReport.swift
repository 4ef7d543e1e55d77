import Foundation
import JSONSchema

/// What has come of one fault.
struct FaultOutcome: Sendable {
  let fault: Fault
  var injections: [String] = []
  var breaches: [Breach] = []
  /// Why it was not injected.
  var notRun: String?
  var audit: JSONValue = .null
  var seconds = 0.0
  /// Orders that were published.
  var orders = 0
  /// In bytes, of any worker.
  var peakMemory = 0

  init(fault: Fault) { self.fault = fault }

  /// A fault of which nothing was injected proves nothing.
  var isBroken: Bool { !breaches.isEmpty || (notRun == nil && injections.isEmpty) }

  var verdict: String {
    if isBroken { return "BROKEN" }
    return notRun == nil ? "held" : "not run"
  }

  /// Injections of the same words are counted.
  var summary: String {
    var counts: [(what: String, count: Int)] = []
    for what in injections.map(Self.withoutNames) {
      if let index = counts.firstIndex(where: { $0.what == what }) {
        counts[index].count += 1
      } else {
        counts.append((what, 1))
      }
    }
    return counts.map { "\($0.count)× \($0.what)" }.joined(separator: ", ")
  }

  /// Names of workers differ from one injection to the next.
  private static func withoutNames(_ what: String) -> String {
    what.replacing(/\b(orders|inventory|payments|fulfilment)-\d+\b/, with: "a worker")
  }

  /// A line for people, and one for each breach.
  var line: String {
    let seconds = String(format: "%.0f s", self.seconds)
    var text = "\(verdict.padding(toLength: 8, withPad: " ", startingAt: 0))"
    text += "\(fault.number) \(fault.name) [\(fault.watched.joined(separator: " "))]: "
    if let notRun, !isBroken { return text + notRun }
    text +=
      "\(injections.isEmpty ? "nothing was injected" : summary); \(orders) orders, \(peakMemory >> 20) MiB, \(seconds)"
    for breach in breaches { text += "\n          \(breach.promise): \(breach.what)" }
    return text
  }

  var object: JSONValue {
    [
      "fault": .integer(Int64(fault.number)), "name": .string(fault.name),
      "watched": .array(fault.watched.map { .string($0) }), "verdict": .string(verdict),
      "notRun": notRun.map { .string($0) } ?? .null,
      "injections": .array(injections.map { .string($0) }), "orders": .integer(Int64(orders)),
      "peakMemory": .integer(Int64(peakMemory)), "seconds": .integer(Int64(seconds)),
      "breaches": .array(
        breaches.map { ["promise": .string($0.promise), "what": .string($0.what)] }),
      "audit": audit,
    ]
  }
}

/// What has come of all faults of a run.
struct ChaosReport: Sendable {
  let seed: UInt64
  var outcomes: [FaultOutcome] = []

  init(seed: UInt64) { self.seed = seed }

  var isBroken: Bool { outcomes.contains(where: \.isBroken) }

  private static let promises = (1...9).map { "I\($0)" }

  /// A table by fault and promise: `*` watched and held, `.` held, `X` broken.
  var text: String {
    let width = outcomes.map { $0.fault.name.count }.max() ?? 0
    var lines = [
      "",
      "\("fault".padding(toLength: width + 4, withPad: " ", startingAt: 0))"
        + Self.promises.joined(separator: " ") + "  verdict",
    ]
    for outcome in outcomes {
      let fault = outcome.fault
      let number = String(repeating: " ", count: fault.number < 10 ? 1 : 0) + "\(fault.number)"
      let marks = Self.promises.map { promise in
        if outcome.notRun != nil, !outcome.isBroken { return "  " }
        if outcome.breaches.contains(where: { $0.promise == promise }) { return " X" }
        return fault.watched.contains(promise) ? " *" : " ."
      }
      let name = fault.name.padding(toLength: width, withPad: " ", startingAt: 0)
      lines.append("\(number)  \(name)\(marks.joined(separator: " "))  \(outcome.verdict)")
    }
    let counts = ["held", "BROKEN", "not run"].map { verdict in
      "\(outcomes.count { $0.verdict == verdict }) \(verdict)"
    }
    lines.append("\nseed \(seed): \(counts.joined(separator: ", "))")
    return lines.joined(separator: "\n")
  }

  /// The rows of a table in Markdown.
  private var markdown: String {
    outcomes.map { outcome in
      let what = outcome.notRun ?? outcome.summary
      return "| \(outcome.fault.number) | \(outcome.fault.name) | \(what) | "
        + "\(outcome.fault.watched.joined(separator: " ")) | \(outcome.verdict) |"
    }.joined(separator: "\n") + "\n"
  }

  func write(to folder: URL) throws {
    let object: JSONValue = [
      "seed": .string("\(seed)"), "broken": .bool(isBroken),
      "faults": .array(outcomes.map(\.object)),
    ]
    try Data((object.serialized() + "\n").utf8).write(to: folder.appending(path: "report.json"))
    try Data(markdown.utf8).write(to: folder.appending(path: "report.md"))
    try Data((text + "\n").utf8).write(to: folder.appending(path: "report.txt"))
  }
}
