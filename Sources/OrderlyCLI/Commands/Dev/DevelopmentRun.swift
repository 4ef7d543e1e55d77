import Contracts
import Foundation
import Kafka
import Postgres
import Settings

/// What `orderly dev` shows: publishes orders, waits for their ends, and looks at the result, with
/// the commands that an operator would use.
struct DevelopmentRun: Sendable {
  /// A bit of everything that can go wrong.
  static let outcomes =
    "declined=6%,fraud=2%,stock-out=5%,undeliverable=4%,late-cancel=5%,flaky=3%,poison=3%"

  let fleet: DevelopmentFleet
  let orders: Int
  let seed: UInt64
  /// Whether it is left running afterwards.
  let isKept: Bool

  /// Whether all is as it must be.
  ///
  /// - Throws: ``CommandFailure`` when nothing can be published or shown.
  func run(_ style: Style) async throws -> Bool {
    guard orders > 0 else { return true }
    let expectations = fleet.directory.appending(path: "expected.jsonl").path
    let started = ContinuousClock.now
    let published = try await orderly(
      "publish", "order.placed", "--count", "\(orders)", "--seed", "\(seed)", "--outcome",
      Self.outcomes, "--duplicate", "5%", "--expect", expectations, style: style)
    guard published.isSuccess else {
      throw CommandFailure("'orderly publish' has ended with \(published).")
    }
    let (final, missing) = try await waitForRest(
      Expectations(file: expectations), within: .seconds(60 + orders / 50))
    let seconds = (ContinuousClock.now - started) / .seconds(1)

    try writeData("\n" + style.bold("Orders by outcome") + "\n")
    try writeData(final.outcomes.render(.table))
    try writeData(
      style.dim(
        "\(final.handled) events handled in \(String(format: "%.1f", seconds)) s, "
          + "\(Int(Double(final.handled) / seconds)) events/s from publication to rest\n"))
    try await orderly("get", "groups", style: style)
    try await orderly("dlq", "summary", style: style)
    let isClean = try await orderly("audit", "--expect", expectations, style: style).isSuccess
    if !missing.isEmpty {
      printMessage(
        "\nNot at rest in time, so the audit has not seen the end: "
          + missing.joined(separator: ", ") + ". The logs are in \(fleet.directory.path).")
    }
    try showCommands(final.example, style)
    return isClean && missing.isEmpty
  }

  /// Commands that work as they are pasted, as long as the fleet runs.
  private func showCommands(_ example: String?, _ style: Style) throws {
    guard isKept else {
      return try writeData("\nTo look further, leave it running with --keep.\n")
    }
    try writeData(
      """

      \(style.bold("To look further"))
      \(Self.pathLine.map { "  \($0)\n" } ?? "")\
        orderly get orders --status cancelled
        orderly describe order \(example ?? "ID")
        orderly dlq list
        orderly consume payments.v1 -o start -n 3
        orderly doctor

      """)
  }

  /// What makes the shell find this program as `orderly`; nil where it does already.
  private static var pathLine: String? {
    let own = ownProgram()
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    let found = folders.map { "\($0)/orderly" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
    guard found.map({ URL(filePath: $0).resolvingSymlinksInPath().path }) != own.path else {
      return nil
    }
    return "export PATH=\"\(own.deletingLastPathComponent().path):$PATH\""
  }

  /// Runs a command of this program as a user would, and shows it.
  @discardableResult
  private func orderly(_ arguments: String..., style: Style) async throws -> ChildProcess.Ending {
    let shown = arguments.map { $0.contains(" ") ? "'\($0)'" : $0 }.joined(separator: " ")
    try writeData("\n" + style.bold("$ orderly \(shown)") + "\n")
    let process = try await ChildProcess.start(
      ownProgram(), arguments, environment: fleet.environment, log: nil)
    return try await process.waitUnlessCancelled()
  }

  /// Waits until nothing is under way: all orders have ended, and lag and outboxes are at zero.
  ///
  /// - Returns: what was seen last, and what was missing then.
  private func waitForRest(
    _ expected: Expectations, within limit: Duration
  ) async throws -> (DevelopmentStanding, missing: [String]) {
    let progress = ProgressBar("orders ended", total: expected.orders.count)
    defer { progress.finish() }
    let deadline = ContinuousClock.now + limit
    let database = try ConnectionConfiguration(url: fleet.postgres.url)
    let kafka = try Settings(environment: fleet.environment).kafka(clientID: "orderly-dev")
    return try await withAdmin(kafka) { admin in
      while true {
        let standing = try await DevelopmentStanding.read(database, admin)
        progress.show(standing.ended)
        let missing = standing.missing(expected)
        if missing.isEmpty || ContinuousClock.now > deadline { return (standing, missing) }
        try await Task.sleep(for: .milliseconds(200))
      }
    }
  }
}
