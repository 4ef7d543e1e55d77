import Arguments
import Contracts
import Fleet
import JSONSchema

/// The findings of an audit.
struct AuditReport: Sendable {
  let findings: [Finding]
  let verdict: AuditVerdict
  let isSettled: Bool
  let ledgers: [(service: ServiceName, ledger: OutcomeLedger)]
  let stopped: [HeldOrder]
  /// Orders that have ended, and those that have not.
  let ended: Int
  let open: Int
  let lag: Int64
  /// Whether only what came lately was judged.
  let isPartial: Bool

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
    verdict = AuditVerdict(facts, findings)
    isSettled = facts.isSettled
    ledgers = ServiceName.allCases.map { service in
      (service, facts.topics.ledgers[service] ?? OutcomeLedger())
    }
    stopped = HeldOrder.all(facts.databases)
    ended = facts.databases.orders.count(where: \.hasEnded)
    open = facts.databases.orders.count - ended
    lag = facts.positions.lag
    isPartial = !facts.topics.isComplete
  }

  var warnings: [String] { findings.flatMap(\.warnings) }

  var isGood: Bool { verdict.isGood }
}

// For people.
extension AuditReport {
  /// A table of the promises and one of the records, then what waits, what breaks promises, and the
  /// verdict.
  ///
  /// - Parameter all: whether all ids are named, not the first ones.
  func text(_ style: Style, all: Bool) -> String {
    if case .apart(let trouble) = verdict { return style.red(printable(trouble)) + "\n" }
    var text = promiseTable.render(.table)
    for finding in findings {
      for note in finding.notes {
        text += style.dim("\(finding.promise): \(printable(note))") + "\n"
      }
    }
    if !isSettled {
      text += style.dim("the system is at work: what is in flight was counted, not judged") + "\n"
    }
    text += "\n" + ledgerTable.render(.table)
    if !stopped.isEmpty { text += "\n" + stoppedTable(all: all).render(.table) }
    if stopped.count > Violation.shown, !all {
      text += style.dim("and \(stopped.count - Violation.shown) more; see them with --all") + "\n"
    }
    text += "\n"
    for warning in warnings { text += style.yellow("warning: \(printable(warning))") + "\n" }
    for finding in findings {
      for violation in finding.violations {
        let shown = all ? violation.ids[...] : violation.ids.prefix(Violation.shown)
        let more = violation.ids.count > shown.count ? ", …" : ""
        let ids = shown.map { printable($0) }.joined(separator: ", ")
        text +=
          style.red("\(finding.promise): \(printable(violation.what)) (\(violation.ids.count))")
          + ": \(ids)\(more)\n"
      }
    }
    return text + (isGood ? style.green(sentence) : style.red(sentence)) + "\n"
  }

  /// The verdict in words.
  private var sentence: String {
    let underWay = "\(counted(open, "order")) and \(counted(Int(lag), "unread record")) in flight"
    switch verdict {
    case .kept where open > 0 || lag > 0:
      return "all promises kept, as far as they can be judged: \(counted(ended, "order")) ended, "
        + underWay
    case .kept: return "all promises kept"
    case .broken: return "promises broken"
    case .apart(let trouble): return trouble
    case .empty:
      return isPartial
        ? "nothing to judge: nothing has come since then"
        : "nothing to judge: there is no order and no record"
    case .unjudged:
      return "nothing to judge yet: no order has ended, \(underWay). Audit again when some have"
    }
  }

  private var promiseTable: ResultTable {
    ResultTable(
      [
        .init("promise"), .init("checked", number: true), .init("in flight", number: true),
        .init("result"), .init("of"),
      ],
      rows: findings.map { finding in
        ResultTable.Row(
          name: finding.promise,
          cells: [
            finding.promise, "\(finding.checked)", "\(finding.inFlight)", finding.result,
            finding.title,
          ], object: [])
      })
  }

  private var ledgerTable: ResultTable {
    ResultTable(
      [
        .init("service"), .init("records", number: true), .init("done", number: true),
        .init("duplicate", number: true), .init("parked", number: true),
        .init("in flight", number: true), .init("passed over", number: true),
        .init("missing", number: true), .init("dead"),
      ],
      rows: ledgers.map { service, ledger in
        let counts = [
          ledger.records, ledger.done, ledger.duplicates, ledger.parked, ledger.inFlight,
          ledger.passedOver, ledger.missing,
        ]
        return ResultTable.Row(
          name: service.rawValue,
          cells: [service.rawValue] + counts.map { "\($0)" } + [ledger.deadText], object: [])
      })
  }

  private func stoppedTable(all: Bool) -> ResultTable {
    ResultTable(
      [
        .init("stopped order"), .init("in"), .init("state"), .init("events", number: true),
        .init("reason"), .init("next"),
      ],
      rows: stopped.prefix(all ? stopped.count : Violation.shown).map { order in
        ResultTable.Row(
          name: order.order,
          cells: [
            order.order, order.service.rawValue,
            (order.isDead ? ParkedKey.State.dead : .waiting).rawValue, "\(order.events)",
            order.reason, order.next,
          ], object: [])
      })
  }
}

// For programs.
extension AuditReport {
  func object(all: Bool) -> JSONValue {
    var members: [String: JSONValue] = [
      "kept": .bool(isGood), "verdict": .string(verdict.word), "settled": .bool(isSettled),
      "warnings": .array(warnings.map { .string($0) }),
      "promises": .array(findings.map { Self.json($0, all: all) }),
      "ledger": .array(ledgers.map(Self.json)),
      "stopped": .array(
        stopped.prefix(all ? stopped.count : Violation.shown).map { order in
          [
            "order": .string(order.order), "service": .string(order.service.rawValue),
            "state": .string((order.isDead ? ParkedKey.State.dead : .waiting).rawValue),
            "events": .integer(Int64(order.events)), "reason": .string(order.reason),
          ]
        }),
      "stoppedCount": .integer(Int64(stopped.count)),
    ]
    if case .apart(let trouble) = verdict { members["apart"] = .string(trouble) }
    return .object(members)
  }

  private static func json(_ finding: Finding, all: Bool) -> JSONValue {
    [
      "promise": .string(finding.promise), "title": .string(finding.title),
      "checked": .integer(Int64(finding.checked)),
      "inFlight": .integer(Int64(finding.inFlight)), "kept": .bool(finding.isKept),
      "notes": .array(finding.notes.map { .string($0) }),
      "violations": .array(
        finding.violations.map { violation in
          let shown = all ? violation.ids[...] : violation.ids.prefix(Violation.shown)
          return [
            "what": .string(violation.what), "count": .integer(Int64(violation.ids.count)),
            "ids": .array(shown.map { .string($0) }),
          ]
        }),
    ]
  }

  private static func json(_ service: ServiceName, _ ledger: OutcomeLedger) -> JSONValue {
    [
      "service": .string(service.rawValue), "records": .integer(Int64(ledger.records)),
      "done": .integer(Int64(ledger.done)), "duplicates": .integer(Int64(ledger.duplicates)),
      "parked": .integer(Int64(ledger.parked)), "inFlight": .integer(Int64(ledger.inFlight)),
      "passedOver": .integer(Int64(ledger.passedOver)),
      "missing": .integer(Int64(ledger.missing)),
      "dead": .object(ledger.dead.mapValues { .integer(Int64($0)) }),
    ]
  }
}
