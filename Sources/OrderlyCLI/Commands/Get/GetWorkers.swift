import Arguments
import Contracts
import Foundation
import JSONSchema

struct GetWorkers: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "workers", abstract: "List the workers, with their lanes and signs of life.",
    discussion: """
      A worker that has given no sign of life for half a minute is shown as dead: its process has \
      ended without a farewell, or can't reach Postgres.
      """,
    examples: ["orderly get workers", "orderly get workers -o wide -w"])

  @OptionGroup var list: ListOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    try await list.show("workers") {
      WorkerRow.table(try await global.readFleet { try WorkerRow.all(on: $0) })
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
        let now = worker.heartbeatAt.addingTimeInterval(worker.silence)
        return ResultTable.Row(
          name: "worker/\(worker.id)",
          cells: [
            worker.id, worker.services.joined(separator: ","), worker.host, "\(worker.pid)",
            "\(worker.laneCount)", worker.condition, age(of: worker.heartbeatAt, at: now) + " ago",
            age(of: worker.startedAt, at: now), worker.version, worker.address ?? "-",
          ], object: worker.object)
      })
  }

  var object: [(key: String, value: JSONValue)] {
    [
      ("id", .string(id)), ("services", .array(services.map { .string($0) })),
      ("host", .string(host)), ("pid", .integer(Int64(pid))), ("version", .string(version)),
      ("address", .text(address)), ("condition", .string(condition)),
      (
        "lanes",
        .object(lanes.mapValues { .array($0.sorted().map { .integer(Int64($0)) }) })
      ),
      ("startedAt", .time(startedAt)), ("heartbeatAt", .time(heartbeatAt)),
      ("silenceSeconds", .number(silence)),
    ]
  }
}
