import Fleet
import Foundation
import Postgres
import Testing

@testable import FleetPostgres

/// What a lane is told about what goes wrong with rows.
@Suite(.scratchDatabase, .timeLimit(.minutes(10))) struct StoreErrorTests {
  /// What a step throws whose load does `body`.
  private func refusal(_ body: @escaping @Sendable (Connection) throws -> Void) async throws
    -> String?
  {
    let tables = SampleTables(onLoad: body)
    return try await SampleSchema().withStore(tables) { store in
      let epoch = try await store.takeOver(lane: 0, owner: "me")
      do {
        try await store.step { step in
          _ = try step.admit([], lane: 0, epoch: epoch)
          _ = try step.load([], orders: [], at: Date(timeIntervalSince1970: 0))
        }
        return nil
      } catch StoreError.rejected(let detail) {
        return detail
      }
    }
  }

  @Test func aRowThatContradictsItselfBlamesTheEvent() async throws {
    let detail = try await refusal { _ in
      throw UnreadableRow(table: "orders", key: "o-1", problem: "is open and closed")
    }
    #expect(detail?.hasPrefix("orders, row o-1: is open and closed") == true)
  }

  @Test func aColumnThatHoldsBrokenJSONBlamesTheEvent() async throws {
    let detail = try await refusal { _ in
      _ = try JSONDecoder().decode([String].self, from: Data("{".utf8))
    }
    #expect(detail?.hasPrefix("a row holds JSON that can't be read") == true)
  }

  @Test func aValueThatCannotBeDecodedBlamesTheEvent() async throws {
    let detail = try await refusal { connection in
      _ = try connection.execute("SELECT NULL::text").scalar(as: String.self)
    }
    #expect(detail?.contains("NULL") == true)
  }

  /// The detail of a violated constraint quotes the row.
  @Test func aViolatedConstraintQuotesNoRow() async throws {
    let detail = try await refusal { connection in
      _ = try connection.execute("CREATE TEMPORARY TABLE person (name text CONSTRAINT once UNIQUE)")
      _ = try connection.execute("INSERT INTO person VALUES ('Ada Secret'), ('Ada Secret')")
    }
    #expect(detail?.contains("constraint once") == true)
    #expect(detail?.contains("Secret") == false)
  }
}
