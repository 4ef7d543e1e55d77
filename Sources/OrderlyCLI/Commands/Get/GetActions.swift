import Arguments
import Contracts
import FleetPostgres
import Foundation
import JSONSchema

struct GetActions: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "actions", abstract: "List what operators have done, the newest first.",
    discussion: """
      A command that changes something enters who does what to what, and why, before it begins, \
      and how it has ended after that. An action that stays 'started' was cut off: nobody knows \
      how much of it was done.
      """,
    examples: ["orderly get actions", "orderly get actions --since 1d -o wide"])

  @Option(
    help: ArgumentHelp("Only what was begun since then: 15m, 2h, a time.", valueName: "time"))
  var since: Since?

  @Option(help: "How many at most.")
  var limit: Int = 50

  @OptionGroup var list: ListOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func validate() throws {
    guard (1...1_000_000).contains(limit) else {
      throw ValidationError("--limit must be from 1 to 1000000.")
    }
  }

  func run() async throws {
    try await list.show("actions") {
      let actions = try await global.withOperatorTables { [limit, since] connection in
        try OperatorLog.newest(limit + 1, since: since?.date, on: connection)
      }
      var table = OperatorAction.table(Array(actions.prefix(limit)))
      if actions.count > limit {
        table.notices.append("Only the newest \(limit) are shown; see the others with --limit.")
      }
      return table
    }
  }
}

extension OperatorAction {
  static func table(_ actions: [OperatorAction]) -> ResultTable {
    ResultTable(
      [
        .init("id", number: true), .init("at"), .init("who"), .init("command"), .init("target"),
        .init("outcome"), .init("reason"), .init("ended", wide: true), .init("detail", wide: true),
      ],
      rows: actions.map { action in
        ResultTable.Row(
          name: "action/\(action.id)",
          cells: [
            "\(action.id)", Timestamp.format(action.at), action.who, action.command, action.target,
            action.outcome.rawValue, action.reason, action.endedAt.map(Timestamp.format) ?? "-",
            action.detail ?? "-",
          ],
          object: action.object)
      })
  }

  var object: [(key: String, value: JSONValue)] {
    [
      ("id", .integer(id)), ("at", .time(at)), ("who", .string(who)),
      ("command", .string(command)), ("target", .string(target)), ("reason", .string(reason)),
      ("outcome", .string(outcome.rawValue)), ("detail", .text(detail)),
      ("endedAt", .time(endedAt)),
    ]
  }
}
