import Arguments
import Contracts
import FleetPostgres
import Foundation
import JSONSchema

struct GetWorkers: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "workers", abstract: "List the workers, with their lanes and signs of life.",
    discussion: """
      A worker that has given no sign of life for a quarter of a minute is shown as dead: its process has \
      ended without a farewell, or can't reach Postgres.
      """,
    examples: ["orderly get workers", "orderly get workers -o wide -w"])

  @OptionGroup var list: ListOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    try await list.show("workers") {
      WorkerRow.table(try await global.workers())
    }
  }
}

extension WorkerRow {
  static func table(_ workers: [WorkerRow]) -> ResultTable {
    ResultTable(
      [
        .init("id"), .init("services"), .init("host"), .init("pid", number: true),
        .init("lanes", number: true), .init("condition"), .init("heartbeat"),
        .init("uptime", wide: true), .init("version", wide: true), .init("address", wide: true),
      ],
      rows: workers.map { worker in
        let record = worker.record
        return ResultTable.Row(
          name: "worker/\(record.id)",
          cells: [
            record.id, record.services.map(\.rawValue).joined(separator: ","), record.host,
            "\(record.processID)", "\(worker.laneCount)", worker.condition,
            age(of: record.heartbeatAt, at: worker.now) + " ago",
            age(of: record.startedAt, at: worker.now), record.version, record.address,
          ], object: worker.object)
      })
  }

  var object: [(key: String, value: JSONValue)] {
    let owned = record.services.map { service in
      (service.rawValue, JSONValue.array(lanes(of: service).map { .integer(Int64($0)) }))
    }
    return [
      ("id", .string(record.id)),
      ("services", .array(record.services.map { .string($0.rawValue) })),
      ("host", .string(record.host)), ("pid", .integer(Int64(record.processID))),
      ("version", .string(record.version)), ("address", .string(record.address)),
      ("condition", .string(condition)), ("problems", .array(record.problems.map { .string($0) })),
      ("lanes", .object(Dictionary(owned) { _, last in last })),
      ("startedAt", .time(record.startedAt)), ("heartbeatAt", .time(record.heartbeatAt)),
    ]
  }
}
