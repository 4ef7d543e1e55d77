import Arguments
import Contracts
import Foundation
import JSONSchema

struct GetGroups: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "groups", abstract: "List the services' consumer groups, with members and lag.",
    discussion: """
      The lag is the number of records that a group has not committed. On librdkafka's mock \
      cluster, which tells nothing about groups, the members are the workers that have registered \
      themselves in Postgres.
      """,
    examples: ["orderly get groups", "orderly get groups -o wide -w"])

  @OptionGroup var list: ListOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    try await list.show("groups") {
      let (groups, isMock) = try await global.groups(ServiceName.allCases)
      var table = GroupStatus.table(groups)
      if isMock { table.notices.append(GroupStatus.mockNote) }
      return table
    }
  }
}

extension GlobalOptions {
  /// The services' groups, and whether the cluster is a mock.
  func groups(
    _ services: [ServiceName]
  ) async throws -> (groups: [GroupStatus], isMock: Bool) {
    try await withAdmin { admin, _ in
      try await GroupReader(admin: admin).read(services) {
        try await workers()
      }
    }
  }
}

extension GroupStatus {
  static let mockNote =
    "note: this is librdkafka's mock cluster, which does not tell about groups: the members are "
    + "the workers registered in Postgres, and no state is known"

  static func table(_ groups: [GroupStatus]) -> ResultTable {
    ResultTable(
      [
        .init("group"), .init("state"), .init("members", number: true),
        .init("partitions", number: true), .init("lag", number: true),
        .init("lag by topic", wide: true), .init("assignor", wide: true),
      ],
      rows: groups.map { group in
        ResultTable.Row(
          name: "group/\(group.service.rawValue)",
          cells: [
            group.service.rawValue, group.state ?? "-", "\(group.members.count)",
            "\(group.partitions.count)", "\(group.lag)",
            group.lagByTopic.map { "\($0.topic)=\($0.lag)" }.joined(separator: " "),
            group.assignor ?? "-",
          ],
          object: [
            ("group", .string(group.service.rawValue)), ("state", .text(group.state)),
            ("assignor", .text(group.assignor)),
            ("members", .integer(Int64(group.members.count))),
            ("partitions", .integer(Int64(group.partitions.count))),
            ("lag", .integer(group.lag)),
            (
              "lagByTopic",
              .object(
                Dictionary(group.lagByTopic.map { ($0.topic, .integer($0.lag)) }) { _, last in last
                })
            ),
          ])
      })
  }
}
