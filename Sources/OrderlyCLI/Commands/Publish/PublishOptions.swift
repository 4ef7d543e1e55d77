import Arguments
import Contracts
import Workload

// What the words after `orderly publish` mean.

/// A share of the whole: `0.05` or `5%`.
struct Share: Equatable, Sendable, ExpressibleByArgument {
  let value: Double

  init?(argument: String) {
    let isPercentage = argument.hasSuffix("%")
    guard let number = Double(isPercentage ? String(argument.dropLast()) : argument) else {
      return nil
    }
    let value = isPercentage ? number / 100 : number
    guard (0...1).contains(value) else { return nil }
    self.value = value
  }

  var defaultValueDescription: String { "\(value)" }
}

/// A header to set: `name=value`.
struct HeaderArgument: Equatable, Sendable {
  let name: String
  let value: String

  init(parsing text: String) throws {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty else {
      throw ValidationError("a header is NAME=VALUE, not '\(text)'")
    }
    (name, value) = (String(parts[0]), String(parts[1]))
  }
}

/// How the generated orders are to end.
enum OutcomeShares {
  /// Reads the values of `--outcome`: `NAME=SHARE`, or `NAME` for what the shares leave. Several
  /// names without a share divide it equally; without any it is completed orders.
  ///
  /// - Throws: `ValidationError` for an unknown name, one that is given twice, or shares over 1.
  static func parse(_ words: [String]) throws -> [PlannedOutcome: Double] {
    var shares: [PlannedOutcome: Double] = [:]
    var bare: [PlannedOutcome] = []
    for word in words.flatMap({ $0.split(separator: ",").map(String.init) }) {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let outcome = PlannedOutcome(rawValue: String(parts[0])) else {
        throw ValidationError(
          "'\(parts[0])' is no outcome. There are: \(names.joined(separator: ", ")).")
      }
      guard shares[outcome] == nil, !bare.contains(outcome) else {
        throw ValidationError("The outcome \(outcome.rawValue) is given twice.")
      }
      guard parts.count == 2 else {
        bare.append(outcome)
        continue
      }
      guard let share = Share(argument: String(parts[1])) else {
        throw ValidationError(
          "The share of \(outcome.rawValue) must be 0 to 1, or a percentage; '\(parts[1])' is not.")
      }
      shares[outcome] = share.value
    }
    let given = shares.values.reduce(0, +)
    guard given <= 1 + 1e-9 else {
      throw ValidationError("The shares of --outcome add up to more than 1.")
    }
    for outcome in bare { shares[outcome] = max(0, 1 - given) / Double(bare.count) }
    return shares
  }

  static var names: [String] { PlannedOutcome.allCases.map(\.rawValue) }
}
