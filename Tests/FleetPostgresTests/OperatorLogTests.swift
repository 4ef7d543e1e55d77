import Contracts
import FleetPostgres
import Foundation
import Postgres
import Testing

@Suite(.scratchDatabase, .timeLimit(.minutes(10))) struct OperatorLogTests {
  private func migrate() throws {
    let services = ServiceName.allCases.map {
      SchemaDefinition(name: $0.rawValue, role: "orderly_\($0.rawValue)", components: [])
    }
    try ScratchDatabase.with { connection in
      _ = try Migrator([.fleet] + services).migrate(on: connection)
    }
  }

  /// The log as an operator has it: with the operators' role.
  private func withLog(_ body: (OperatorLog) async throws -> Void) async throws {
    try migrate()
    let pool = Pool(
      try ScratchDatabase.configuration(role: SchemaDefinition.operatorRole), maximum: 1)
    let result: Result<Void, any Error>
    do { result = .success(try await body(OperatorLog(pool: pool))) } catch {
      result = .failure(error)
    }
    await pool.close()
    try result.get()
  }

  private func actions(of order: String?, letter: UUID? = nil) throws -> [OperatorAction] {
    try ScratchDatabase.with { try OperatorLog.actions(order: order, letter: letter, on: $0) }
  }

  @Test func anActionIsThereBeforeItEnds() async throws {
    try await withLog { log in
      let letter = UUID()
      let number = try await log.begin(
        "dlq discard",
        on: .init(
          "2 dead letters", services: [.payments], orders: ["o-1", "o-2"], letters: [letter]),
        by: "ada@desk", reason: "a test")
      let begun = try #require(try actions(of: "o-2").first)
      #expect(begun.outcome == .started && begun.endedAt == nil && begun.detail == nil)
      #expect(begun.who == "ada@desk" && begun.command == "dlq discard")
      #expect(begun.target == "2 dead letters" && begun.reason == "a test")

      try await log.end(number, .partlyDone, detail: "1 of 2\0")
      let ended = try #require(try actions(of: nil, letter: letter).first)
      #expect(ended.id == number && ended.outcome == .partlyDone)
      #expect(ended.detail == "1 of 2\u{FFFD}")
      #expect(try #require(ended.endedAt) >= ended.at)
      #expect(try actions(of: "o-3").isEmpty)
    }
  }

  /// Nobody can forge or take back what is on record, with whatever role but the owner's.
  @Test(arguments: [
    ("orderly_payments", "SELECT FROM fleet.operator_action"),
    ("orderly_payments", "INSERT INTO fleet.operator_action DEFAULT VALUES"),
    ("orderly_payments", "SELECT FROM fleet.replay_plan"),
    ("orderly_operator", "DELETE FROM fleet.operator_action"),
    ("orderly_operator", "UPDATE fleet.operator_action SET who = 'somebody else'"),
    ("orderly_operator", "UPDATE fleet.operator_action SET reason = 'a better one'"),
    ("orderly_operator", "DELETE FROM fleet.replay_plan"),
    ("orderly_operator", "UPDATE fleet.replay_plan_item SET letter_digest = ''"),
    ("orderly_operator", "SELECT FROM fleet.worker"),
  ])
  func whatARoleMayNot(_ role: String, _ statement: String) throws {
    try migrate()
    let error = #expect(throws: PostgresError.self) {
      try ScratchDatabase.with(role: role) { try $0.execute(statement) }
    }
    #expect(error?.sqlState == .insufficientPrivilege)
  }
}
