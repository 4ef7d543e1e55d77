import Foundation
import Simulation

@main struct X {
  static func main() {
    let a = CommandLine.arguments.dropFirst().compactMap { UInt64($0) }
    for s in a[0]...a[1] {
      let r = SimulatedRun(seed: s).run(keepsTrace: a.count > 2)
      print(
        s, r.steps, r.records, r.virtualSeconds, String(r.trace.hash, radix: 16), r.endings,
        r.violations)
      if a.count > 2 { r.trace.lines.forEach { print($0) } }
    }
  }
}
