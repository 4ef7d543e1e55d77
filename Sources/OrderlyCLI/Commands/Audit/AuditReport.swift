import Arguments
import JSONSchema

/// The findings of an audit.
struct AuditReport: Sendable {
  let findings: [Finding]
  let isSettled: Bool

  /// Looks at every promise.
  init(_ facts: AuditFacts, _ expectations: Expectations?) {
    let checks = [
      MoneyPromise.check, StockPromise.check, EndingPromise.check, EmissionPromise.check,
      EffectPromise.check, SequencePromise.check, HandlingPromise.check, DeadLetterPromise.check,
      FlowPromise.check,
    ]
    findings =
      checks.map { $0(facts) }
      + (expectations.map { [ExpectationPromise.check(facts, $0)] } ?? [])
    isSettled = facts.isSettled
  }

  var isKept: Bool { findings.allSatisfy(\.isKept) }

  /// A table of the promises, then what breaks them.
  func text(_ style: Style) -> String {
    let table = ResultTable(
      [
        .init("promise"), .init("checked", number: true), .init("in flight", number: true),
        .init("result"), .init("of"),
      ],
      rows: findings.map { finding in
        let count = finding.violations.reduce(0) { $0 + $1.count }
        return ResultTable.Row(
          name: finding.promise,
          cells: [
            finding.promise, "\(finding.checked)", "\(finding.inFlight)",
            finding.isKept ? "ok" : counted(count, "violation"), finding.title,
          ], object: [])
      })
    var text = table.render(.table)
    for finding in findings {
      for note in finding.notes {
        text += style.dim("\(finding.promise): \(printable(note))") + "\n"
      }
    }
    if !isSettled {
      text += style.dim("the system is at work: what is in flight was counted, not judged") + "\n"
    }
    for finding in findings {
      for violation in finding.violations {
        let more = violation.count > violation.ids.count ? ", …" : ""
        let ids = violation.ids.map { printable($0) }.joined(separator: ", ")
        text +=
          style.red("\(finding.promise): \(printable(violation.what)) (\(violation.count))")
          + ": \(ids)\(more)\n"
      }
    }
    return text + (isKept ? style.green("all promises kept") : style.red("promises broken")) + "\n"
  }

  var object: JSONValue {
    [
      "kept": .bool(isKept), "settled": .bool(isSettled),
      "promises": .array(
        findings.map { finding in
          [
            "promise": .string(finding.promise), "title": .string(finding.title),
            "checked": .integer(Int64(finding.checked)),
            "inFlight": .integer(Int64(finding.inFlight)), "kept": .bool(finding.isKept),
            "notes": .array(finding.notes.map { .string($0) }),
            "violations": .array(
              finding.violations.map { violation in
                [
                  "what": .string(violation.what), "count": .integer(Int64(violation.count)),
                  "ids": .array(violation.ids.map { .string($0) }),
                ]
              }),
          ]
        }),
    ]
  }
}
