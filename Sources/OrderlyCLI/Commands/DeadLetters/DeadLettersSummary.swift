import Arguments
import Contracts
import Foundation
import JSONSchema
import Postgres

struct DeadLettersSummary: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "summary", abstract: "Count dead letters by reason, type or service.",
    discussion: """
      KINDS counts the fingerprints: messages that failed in the same way, up to the numbers in \
      the detail, have the same.
      """,
    examples: ["orderly dlq summary", "orderly dlq summary --by service --since 1d -o json"])

  enum Dimension: String, CaseIterable, ExpressibleByArgument {
    case reason, type, service

    /// What a service's rows are grouped by.
    var expression: String {
      switch self {
      case .reason: "reason"
      case .type: "coalesce(event_type, '-')"
      case .service: "''"
      }
    }
  }

  @Option(help: "What to count by.") var by: Dimension = .reason

  @Option(
    help: ArgumentHelp("Only those that failed since then: 15m, 2h, a time.", valueName: "time"))
  var since: Since?

  @OptionGroup var format: OutputOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    var groups: [String: DeadLetterGroup] = [:]
    for service in ServiceName.allCases {
      let found = try await global.read(service) { [by, since] connection in
        try DeadLetterGroup.load(service, by: by, since: since?.date, on: connection)
      }
      groups.merge(found) { $0.merged(with: $1) }
    }
    printTable(
      DeadLetterGroup.table(groups, by: by, at: Date()), format.output, noun: "dead letters")
  }
}

/// Dead letters that have something in common.
struct DeadLetterGroup: Sendable, Equatable {
  var count: Int64
  var open: Int64
  var first: Date
  var last: Date
  var services: Set<String>
  var fingerprints: Set<String>

  func merged(with other: DeadLetterGroup) -> DeadLetterGroup {
    DeadLetterGroup(
      count: count + other.count, open: open + other.open, first: min(first, other.first),
      last: max(last, other.last), services: services.union(other.services),
      fingerprints: fingerprints.union(other.fingerprints))
  }

  static func load(
    _ service: ServiceName, by dimension: DeadLettersSummary.Dimension, since: Date?,
    on connection: Connection
  ) throws -> [String: DeadLetterGroup] {
    var groups: [String: DeadLetterGroup] = [:]
    for row in try connection.execute(
      """
      SELECT \(dimension.expression), count(*), count(*) FILTER (WHERE state = 'open'),
        min(first_failed), max(last_failed), array_agg(DISTINCT fingerprint)
      FROM dead_letter WHERE $1::timestamptz IS NULL OR last_failed >= $1 GROUP BY 1
      """, since)
    {
      let name = dimension == .service ? service.rawValue : try row[0, as: String.self]
      groups[name] = DeadLetterGroup(
        count: try row.decode(1), open: try row.decode(2), first: try row.decode(3),
        last: try row.decode(4), services: [service.rawValue],
        fingerprints: Set(try row[5, as: [String].self]))
    }
    return groups
  }

  static func table(
    _ groups: [String: DeadLetterGroup], by dimension: DeadLettersSummary.Dimension, at now: Date
  ) -> ResultTable {
    ResultTable(
      [
        .init(dimension.rawValue), .init("count", number: true), .init("open", number: true),
        .init("kinds", number: true), .init("first"), .init("last"),
        .init("services", wide: true), .init("fingerprints", wide: true),
      ],
      rows: groups.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }.map {
        name, group in
        let fingerprints = group.fingerprints.sorted()
        return ResultTable.Row(
          name: name,
          cells: [
            name, "\(group.count)", "\(group.open)", "\(fingerprints.count)",
            age(of: group.first, at: now), age(of: group.last, at: now),
            group.services.sorted().joined(separator: " "),
            fingerprints.prefix(3).joined(separator: " ") + (fingerprints.count > 3 ? " …" : ""),
          ],
          object: [
            (dimension.rawValue, .string(name)), ("count", .integer(group.count)),
            ("open", .integer(group.open)), ("first", .time(group.first)),
            ("last", .time(group.last)),
            ("services", .array(group.services.sorted().map { .string($0) })),
            ("fingerprints", .array(fingerprints.map { .string($0) })),
          ])
      })
  }
}
