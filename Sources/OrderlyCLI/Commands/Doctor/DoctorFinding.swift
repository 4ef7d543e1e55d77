import Arguments
import JSONSchema

/// One thing that `orderly doctor` has looked at.
struct DoctorFinding: Hashable, Sendable {
  enum Status: String, Sendable { case ok, warn, fail }

  let status: Status
  /// What it is about: `kafka`, `topics`, `postgres`, …
  let area: String
  let text: String
  /// What to do about it; nil where nothing is to be done.
  let advice: String?

  static func ok(_ area: String, _ text: String) -> DoctorFinding {
    DoctorFinding(status: .ok, area: area, text: text, advice: nil)
  }

  static func warn(_ area: String, _ text: String, advice: String) -> DoctorFinding {
    DoctorFinding(status: .warn, area: area, text: text, advice: advice)
  }

  static func fail(_ area: String, _ text: String, advice: String?) -> DoctorFinding {
    DoctorFinding(status: .fail, area: area, text: text, advice: advice)
  }

  static func fail(_ area: String, _ trouble: Trouble) -> DoctorFinding {
    .fail(area, trouble.text, advice: trouble.advice)
  }

  /// Findings for a terminal: a line each, and what to do below it.
  static func text(_ findings: [DoctorFinding], _ style: Style) -> String {
    let width = findings.map(\.area.count).max() ?? 0
    return findings.map { finding in
      let status = finding.status.rawValue.padding(to: 4)
      let painted =
        switch finding.status {
        case .ok: style.green(status)
        case .warn: style.yellow(status)
        case .fail: style.red(status)
        }
      var lines = "\(painted)  \(finding.area.padding(to: width))  \(printable(finding.text))\n"
      if let advice = finding.advice {
        lines += String(repeating: " ", count: width + 8) + "→ \(printable(advice))\n"
      }
      return lines
    }.joined()
  }

  /// Findings for `-o`.
  static func table(_ findings: [DoctorFinding]) -> ResultTable {
    ResultTable(
      [.init("status"), .init("area"), .init("finding"), .init("what to do")],
      rows: findings.map { finding in
        ResultTable.Row(
          name: "\(finding.area)/\(finding.status.rawValue)",
          cells: [finding.status.rawValue, finding.area, finding.text, finding.advice ?? ""],
          object: [
            ("status", .string(finding.status.rawValue)), ("area", .string(finding.area)),
            ("finding", .string(finding.text)),
            ("advice", finding.advice.map { .string($0) } ?? .null),
          ])
      })
  }
}

extension String {
  /// With spaces behind it up to a width.
  fileprivate func padding(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
