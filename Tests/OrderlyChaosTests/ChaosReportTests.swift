import Testing

@testable import OrderlyChaos

/// What a chaos run claims: the verdicts and the plan.
struct ChaosReportTests {
  private let fault = Fault(number: 12, name: "a fault", watched: ["I5"]) { _ in }

  @Test func everyRowOfTheTableIsThere() {
    #expect(Set(Fault.all.map(\.number)) == Set(1...23))
    #expect(Set(Fault.all.map { "\($0.number) \($0.name)" }).count == Fault.all.count)
    for fault in Fault.all {
      #expect(!fault.watched.isEmpty, "\(fault.name)")
      #expect(Set(fault.watched).isSubset(of: Set((1...9).map { "I\($0)" })), "\(fault.name)")
    }
  }

  @Test func whatWasNotInjectedHasNotHeld() {
    var outcome = FaultOutcome(fault: fault)
    #expect(outcome.verdict == "BROKEN", "nothing was injected")
    outcome.notRun = "there is no broker"
    #expect(outcome.verdict == "not run")
    #expect(!outcome.isBroken)
    #expect(outcome.line == "not run 12 a fault [I5]: there is no broker")
  }

  @Test func anyBrokenPromiseCounts() {
    var outcome = FaultOutcome(fault: fault)
    outcome.injections = ["SIGSTOP of payments-3", "SIGSTOP of orders-4", "a cut"]
    #expect(outcome.verdict == "held")
    #expect(outcome.summary == "2× SIGSTOP of a worker, 1× a cut")
    // One that the fault does not watch.
    outcome.breaches.append(Breach(promise: "I1", what: "the money is gone"))
    #expect(outcome.verdict == "BROKEN")
    var report = ChaosReport(seed: 1)
    report.outcomes = [outcome]
    #expect(report.isBroken)
    #expect(report.text.contains("12  a fault X  .  .  .  *  .  .  .  .  BROKEN"))
  }

  @Test func optionsAreReadAsTheyAreWritten() {
    #expect(NumberList(argument: "1,12")?.numbers == [1, 12])
    #expect(NumberList(argument: "1,,2") == nil)
    #expect(NumberList(argument: "two") == nil)
    #expect(PortPair(argument: "9092:19092")?.second == 19_092)
    #expect(PortPair(argument: "9092") == nil)
  }
}
