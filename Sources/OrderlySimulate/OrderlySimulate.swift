public import Arguments
import Foundation
public import Simulation

/// `orderly-simulate`: runs the fleet in one thread for each of many seeds.
@main
struct OrderlySimulate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "orderly-simulate",
    abstract: "Run the whole fleet on a virtual clock, with faults drawn from a seed.",
    discussion: """
      Each seed is one run: four services in several processes, some dozens of orders, crashes, \
      zombies, rebalances, failing databases and providers, an operator who works through the dead \
      letters, and after it the promises I1 to I9 are checked. A seed runs the same way each time. \
      Exit status: 0 all promises were kept, 1 one was broken, \
      2 usage.
      """,
    examples: [
      "orderly-simulate --seeds 1..1000", "orderly-simulate --seed 42 --trace",
      "orderly-simulate --seeds 1..1000 --bug skips-inbox",
    ])

  @Option(help: "The seed of a single run.")
  var seed: UInt64?

  @Option(help: "The seeds of many runs, the last one included, as in 1..1000.")
  var seeds: SeedRange?

  @Option(help: "After how many steps of the scheduler the faults end at the latest.")
  var steps = 50_000

  @Option(help: "A fault to give to the fleet, which the checker has to find.")
  var bug: PlantedBug?

  @Flag(help: "Print all that happens in a single run.")
  var trace = false

  func validate() throws {
    guard (seed == nil) != (seeds == nil) else {
      throw ValidationError("Give either --seed or --seeds.")
    }
    guard steps > 0 else { throw ValidationError("--steps must be above 0.") }
    guard !trace || seed != nil else { throw ValidationError("--trace needs --seed.") }
  }

  func run() throws {
    let range = seeds ?? SeedRange(first: seed!, last: seed!)
    let tally = Tally()
    let threads = ProcessInfo.processInfo.activeProcessorCount
    DispatchQueue.concurrentPerform(iterations: threads) { thread in
      var next = range.first + UInt64(thread)
      while next <= range.last, tally.failed == nil {
        tally.add(SimulatedRun(seed: next, steps: steps, bug: bug).run(keepsTrace: trace))
        let (following, overflows) = next.addingReportingOverflow(UInt64(threads))
        if overflows { break }
        next = following
      }
    }
    if trace { for line in tally.lines { print(line) } }
    print(tally.summary)
    guard let failed = tally.failed else { return }
    report(failed)
    throw ExitCode.failure
  }

  /// Runs the failing seed again, which goes the same way, for its trace.
  private func report(_ failed: UInt64) {
    let report = SimulatedRun(seed: failed, steps: steps, bug: bug).run(keepsTrace: true)
    if !trace {
      let lines = report.trace.lines
      let shown = lines.suffix(200)
      print("\nThe last \(shown.count) of \(lines.count) lines of seed \(failed):")
      for line in shown { print(line) }
    }
    print("\nBroken promises:")
    for violation in report.violations { print("  \(violation)") }
    let options =
      (bug.map { " --bug \($0.rawValue)" } ?? "") + (steps == 50_000 ? "" : " --steps \(steps)")
    print("\nReplay: Ops/simulate --seed \(failed)\(options) --trace")
  }
}

extension PlantedBug: ExpressibleByArgument {}

/// Seeds from one to another, as in `1..1000`.
struct SeedRange: ExpressibleByArgument {
  let first: UInt64
  let last: UInt64

  init(first: UInt64, last: UInt64) {
    (self.first, self.last) = (first, last)
  }

  init?(argument: String) {
    guard let dots = argument.firstRange(of: ".."),
      let first = UInt64(argument[..<dots.lowerBound]),
      let last = UInt64(argument[dots.upperBound...]), first <= last
    else { return nil }
    self.init(first: first, last: last)
  }
}
