import Contracts
import Foundation
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

  /// Whether all is as it must be.
  func run(_ style: Style) async throws -> Bool {
    guard orders > 0 else { return true }
    let expectations = fleet.directory.appending(path: "expected.jsonl").path
    let started = ContinuousClock.now
    try await orderly(
      "publish", "order.placed", "--count", "\(orders)", "--seed", "\(seed)", "--outcome",
      Self.outcomes, "--duplicate", "5%", "--expect", expectations, style: style)
    let expected = try Expected(path: expectations)
    let final = try await wait(for: expected)
    let seconds = (ContinuousClock.now - started) / .seconds(1)

    printData("\n" + style.bold("Orders by outcome") + "\n")
    printData(final.outcomes.render(.table))
    printData(
      style.dim(
        "\(final.handled) events handled in \(String(format: "%.1f", seconds)) s, "
          + "\(Int(Double(final.handled) / seconds)) events/s from publication to the last end\n"))
    try await orderly("dlq", "summary", style: style)
    let isClean = try await orderly("audit", "--expect", expectations, style: style) == 0
    try await orderly("get", "groups", style: style)
    printData(
      """

      \(style.bold("To look further"))
        orderly get orders --status cancelled
        orderly describe order \(final.example ?? "ID")
        orderly dlq list
        orderly consume payments.v1 -o start -n 3
        orderly doctor

      """)
    let isDone = final.open == 0 && final.dead >= expected.deadLetters
    if !isDone { printMessage("Not all orders ended in time; see 'orderly get orders'.") }
    return isClean && isDone
  }

  /// Runs a command of this program as a user would, and shows it.
  @discardableResult
  private func orderly(_ arguments: String..., style: Style) async throws -> Int32 {
    let shown = arguments.map { $0.contains(" ") ? "'\($0)'" : $0 }.joined(separator: " ")
    printData("\n" + style.bold("$ orderly \(shown)") + "\n")
    let own = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    let process = try ChildProcess(own, arguments, environment: fleet.environment, log: nil)
    return try await process.waitUnlessCancelled()
  }

  // MARK: - Waiting

  /// What the publication promised.
  private struct Expected: Sendable {
    var orders = 0
    var deadLetters = 0

    /// - Parameter path: the file that `orderly publish --expect` has written.
    init(path: String) throws {
      for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
        let entry = try JSONDecoder().decode(Entry.self, from: Data(line.utf8))
        if let services = entry.services {
          deadLetters += services.count
        } else {
          orders += 1
        }
      }
    }

    private struct Entry: Decodable {
      let services: [String]?
    }
  }

  private struct Standing: Sendable {
    var ended = 0
    var open = 0
    var dead = 0
    var handled = 0
    var example: String?
    var outcomes = ResultTable([
      .init("outcome"), .init("reason"), .init("orders", number: true),
    ])
  }

  private func wait(for expected: Expected) async throws -> Standing {
    let progress = ProgressBar("orders ended", total: expected.orders)
    let deadline = ContinuousClock.now + .seconds(60 + orders / 50)
    let database = try ConnectionConfiguration(url: fleet.postgres.url)
    defer { progress.finish() }
    while true {
      if let ended = fleet.workers.first(where: { !$0.isRunning }) {
        throw CommandFailure("A worker has ended by itself; its log is \(ended.log?.path ?? "").")
      }
      let standing = try await withConnection(database, Self.standing)
      progress.show(standing.ended)
      let isDone = standing.ended >= expected.orders && standing.dead >= expected.deadLetters
      if isDone || ContinuousClock.now > deadline { return standing }
      try await Task.sleep(for: .milliseconds(200))
    }
  }

  private static func standing(_ connection: Connection) throws -> Standing {
    var standing = Standing()
    for row in try connection.execute(
      """
      SELECT status, coalesce(reason, ''), count(*), min(order_id) FROM orders.orders
      GROUP BY 1, 2 ORDER BY 1 DESC, 3 DESC
      """)
    {
      let status: String = try row.decode(0)
      let reason: String = try row.decode(1)
      let count = Int(try row[2, as: Int64.self])
      if ["completed", "cancelled"].contains(status) {
        standing.ended += count
      } else {
        standing.open += count
      }
      if status == "cancelled" { standing.example = try row.decode(3) }
      standing.outcomes.rows.append(
        ResultTable.Row(name: status, cells: [status, reason, "\(count)"], object: []))
    }
    for service in ServiceName.allCases {
      let row = try connection.execute(
        """
        SELECT (SELECT count(*) FROM \(service.rawValue).inbox),
          (SELECT count(*) FROM \(service.rawValue).dead_letter)
        """)[0]
      standing.handled += Int(try row[0, as: Int64.self])
      standing.dead += Int(try row[1, as: Int64.self])
    }
    return standing
  }
}
