import Arguments
import Contracts
import Foundation
import JSONSchema
import Postgres

struct OutboxStatus: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "List what waits to be published; fail when some of it has waited too long.",
    discussion: """
      A row waits for as long as its step takes to produce it, which is milliseconds. The exit \
      status is 1 when one has waited for more than ten seconds: its lane has no owner, or its \
      owner can't reach Kafka.
      """,
    examples: ["orderly outbox status", "orderly outbox status -o json"])

  @OptionGroup var format: OutputOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let lanes = try await OutboxLane.all(global)
    printTable(OutboxLane.table(lanes), format.output, noun: "waiting rows")
    let late = lanes.filter { $0.waiting > OutboxLane.patience }
    guard let oldest = late.max(by: { $0.waiting < $1.waiting }) else { return }
    printMessage(
      "\(oldest.service.rawValue), lane \(oldest.lane), has not published for "
        + "\(Int(oldest.waiting)) s. See 'orderly describe group \(oldest.service.rawValue)'.")
    throw ExitCode.failure
  }
}

/// What waits in one lane's outbox.
struct OutboxLane: Sendable {
  let service: ServiceName
  let lane: Int32
  let rows: Int64
  let topics: [String]
  let oldest: Date
  /// How long the oldest row has waited by the database's clock, in seconds.
  let waiting: TimeInterval

  /// How long a row may wait, in seconds.
  static let patience: TimeInterval = 10

  /// The lanes in which something waits.
  static func all(_ global: GlobalOptions) async throws -> [OutboxLane] {
    var lanes: [OutboxLane] = []
    for service in ServiceName.allCases {
      lanes += try await global.read(service) { try all(service, on: $0) }
    }
    return lanes
  }

  static func all(_ service: ServiceName, on connection: Connection) throws -> [OutboxLane] {
    try connection.execute(
      """
      SELECT lane, count(*), array_agg(DISTINCT aggregatetype ORDER BY aggregatetype),
        min(created_at), extract(epoch FROM clock_timestamp() - min(created_at))::float8
      FROM outbox GROUP BY lane ORDER BY lane
      """
    ).map { row in
      OutboxLane(
        service: service, lane: try row.decode(0), rows: try row.decode(1),
        topics: try row.decode(2), oldest: try row.decode(3), waiting: try row.decode(4))
    }
  }

  static func table(_ lanes: [OutboxLane]) -> ResultTable {
    ResultTable(
      [
        .init("service"), .init("lane", number: true), .init("rows", number: true),
        .init("oldest"), .init("topics", wide: true),
      ],
      rows: lanes.map { lane in
        ResultTable.Row(
          name: "outbox/\(lane.service.rawValue)/\(lane.lane)",
          cells: [
            lane.service.rawValue, "\(lane.lane)", "\(lane.rows)",
            age(of: lane.oldest, at: lane.oldest.addingTimeInterval(lane.waiting)),
            lane.topics.joined(separator: " "),
          ],
          object: [
            ("service", .string(lane.service.rawValue)), ("lane", .integer(Int64(lane.lane))),
            ("rows", .integer(lane.rows)), ("oldest", .time(lane.oldest)),
            ("waitingSeconds", .number(lane.waiting)),
            ("topics", .array(lane.topics.map { .string($0) })),
          ])
      })
  }
}
