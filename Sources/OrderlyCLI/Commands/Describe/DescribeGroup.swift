import Arguments
import Contracts
import Foundation
import JSONSchema
import Kafka
import Postgres

struct DescribeGroup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "group",
    abstract: "Show a service's consumer group: owner, offsets and lag of each partition.",
    examples: ["orderly describe group payments"])

  @Argument(help: "The service.") var service: ServiceName

  @OptionGroup var format: OutputOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let (groups, isMock) = try await global.groups([service])
    guard let group = groups.first else {
      throw CommandFailure("The cluster does not answer for the group \(service.rawValue).")
    }
    if isMock { printMessage(GroupStatus.mockNote) }
    let lanes = try await global.read(service) { try LaneRow.all(on: $0) }
    printData(group.page(lanes: lanes, at: Date()).render(format.output))
  }
}

/// Who a service's database takes for the owner of a lane.
struct LaneRow: Sendable {
  let lane: Int32
  /// Each owner takes the next one; an earlier owner's writes are refused.
  let epoch: Int64
  let owner: String?
  let takenAt: Date?
  /// Ids that its inbox took in before this may have been forgotten; nil where all are remembered.
  let horizon: Date?

  static func all(on connection: Connection) throws -> [LaneRow] {
    try connection.execute(
      "SELECT lane, epoch, owner, taken_at, inbox_horizon FROM lane ORDER BY lane"
    ).map { row in
      LaneRow(
        lane: try row.decode(0), epoch: try row.decode(1), owner: try row.decode(2),
        takenAt: try row.decode(3), horizon: try row.decode(4))
    }
  }
}

extension GroupStatus {
  func page(lanes: [LaneRow], at now: Date) -> Page {
    Page(
      name: "group/\(service.rawValue)",
      sections: [
        Page.Section(
          title: "",
          fields: [
            ("Group", service.rawValue), ("State", state ?? "-"), ("Assignor", assignor ?? "-"),
            ("Members", "\(members.count)"), ("Lag", "\(lag)"),
          ]),
        Page.Section(title: "Partitions", table: partitionTable),
        Page.Section(title: "Lanes", table: Self.laneTable(lanes, at: now)),
      ],
      object: [
        ("group", .string(service.rawValue)), ("state", .text(state)),
        ("assignor", .text(assignor)), ("lag", .integer(lag)),
        (
          "members",
          .array(members.map { ["name": .string($0.name), "host": .string($0.host)] })
        ),
        ("partitions", .array(partitions.map(json))),
        (
          "lanes",
          .array(
            lanes.map { lane in
              [
                "lane": .integer(Int64(lane.lane)), "epoch": .integer(lane.epoch),
                "owner": .text(lane.owner), "takenAt": .time(lane.takenAt),
                "horizon": .time(lane.horizon),
              ]
            })
        ),
      ])
  }

  private func json(_ partition: PartitionLag) -> JSONValue {
    [
      "topic": .string(partition.partition.topic),
      "partition": .integer(Int64(partition.partition.partition)),
      "owner": .text(owner(of: partition.partition.partition)?.name),
      "committed": partition.committed.map { .integer($0) } ?? .null,
      "end": .integer(partition.log.upperBound), "lag": .integer(partition.lag),
      "isBehindRetention": .bool(partition.isBehindRetention),
    ]
  }

  private var partitionTable: ResultTable {
    ResultTable(
      [
        .init("topic"), .init("partition", number: true), .init("owner"),
        .init("committed", number: true), .init("end", number: true), .init("lag", number: true),
        .init("note"),
      ],
      rows: partitions.map { partition in
        let member = owner(of: partition.partition.partition)
        return ResultTable.Row(
          name: partition.partition.description,
          cells: [
            partition.partition.topic, "\(partition.partition.partition)",
            member.map { "\($0.name) (\($0.host))" } ?? "-",
            partition.committed.map { "\($0)" } ?? "-", "\(partition.log.upperBound)",
            "\(partition.lag)",
            partition.isBehindRetention ? "records were deleted before they were handled" : "",
          ], object: [])
      })
  }

  private static func laneTable(_ lanes: [LaneRow], at now: Date) -> ResultTable {
    ResultTable(
      [
        .init("lane", number: true), .init("epoch", number: true), .init("owner"), .init("taken"),
        .init("inbox horizon"),
      ],
      rows: lanes.map { lane in
        ResultTable.Row(
          name: "\(lane.lane)",
          cells: [
            "\(lane.lane)", "\(lane.epoch)", lane.owner ?? "-",
            lane.takenAt.map { age(of: $0, at: now) + " ago" } ?? "-",
            lane.horizon.map { Timestamp.format($0) } ?? "-",
          ], object: [])
      })
  }
}
