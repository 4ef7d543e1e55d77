/// A row of the table of faults, or a part of one.
struct Fault: Sendable {
  /// Of the table; the parts of a row share it.
  let number: Int
  let name: String
  /// The promises that it endangers most. All of them are audited.
  let watched: [String]
  /// Whether it is injected on each change of the code.
  var isInCI = true
  /// Whether a fresh server is made for it, and with which settings; nil for the common one.
  var serverSettings: [String]?
  /// Whether the fleet reaches its database at an address that can be moved.
  var isBehindProxy = false
  /// Whether the fault itself breaks promises on purpose: it has its own checks, and the audit's
  /// findings of these promises are what it wants to see.
  var breaksOnPurpose: [String] = []
  /// Starts workers and the load, and does what the name says.
  let inject: @Sendable (Scene) async throws -> Void

  var line: String {
    let number = String(repeating: " ", count: self.number < 10 ? 1 : 0) + "\(self.number)"
    return "\(number)  \(name)  [\(watched.joined(separator: " "))]\(isInCI ? "  ci" : "")"
  }

  /// In the order of the table.
  static let all =
    (workerFaults + stuckFaults + brokerFaults + databaseFaults + networkFaults + messageFaults
    + securityFaults)
    .enumerated()
    .sorted { ($0.element.number, $0.offset) < ($1.element.number, $1.offset) }
    .map(\.element)
}

/// Why a fault could not be injected here.
struct NotRun: Error, CustomStringConvertible {
  let description: String

  init(_ why: String) { description = why }
}

/// A promise that was not kept.
struct Breach: Sendable {
  /// As `I7`; what no promise names is of I9, that everything comes to rest.
  let promise: String
  let what: String
}
