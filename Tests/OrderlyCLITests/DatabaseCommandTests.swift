import Foundation
import JSONSchema
import Postgres
import Testing

@testable import OrderlyCLI

@Suite(.timeLimit(.minutes(10))) struct DatabaseCommandTests {
  @Test func migratingBringsTheSchemasUpToDate() async throws {
    try await OwnServers.withDatabase { url in
      let orderly = OrderlyProcess(environment: ["ORDERLY_DATABASE_URL": url])
      let before = try await orderly.run("db", "check", "-o", "json")
      #expect(before.status == 1)
      let pending = try #require(JSONValue(parsing: before.output.utf8).array)
      #expect(
        before.messages == "Error: \(pending.count) migrations pending. Run 'orderly db migrate'.\n"
      )

      let dry = try await orderly.run("db", "migrate", "--dry-run", "-o", "name")
      #expect(dry.status == 0)
      #expect(dry.lines.count == pending.count)
      #expect(try await orderly.run("db", "check").status == 1)

      let migrated = try await orderly.run("db", "migrate", "-o", "json")
      #expect(migrated.status == 0)
      let applied = try #require(JSONValue(parsing: migrated.output.utf8).array)
      #expect(applied.map { $0["name"] } == pending.map { $0["name"] })
      #expect(applied.allSatisfy { $0["status"] == "applied" })

      let after = try await orderly.run("db", "check")
      #expect(after.status == 0)
      #expect(after.messages == "the schemas are up to date\n")
      let again = try await orderly.run("db", "migrate")
      #expect(again.messages == "nothing to apply: the schemas are up to date\n")
    }
  }

  @Test func aServiceMayHaveItsOwnDatabase() async throws {
    try await OwnServers.withDatabase { shared in
      try await OwnServers.withDatabase { (own: String) async throws -> Void in
        let orderly = OrderlyProcess(environment: [
          "ORDERLY_DATABASE_URL": shared, "ORDERLY_PAYMENTS_DATABASE_URL": own,
        ])
        #expect(try await orderly.run("db", "migrate").status == 0)
        #expect(try schemas(shared).isSuperset(of: ["orders", "inventory", "fulfilment"]))
        #expect(try !schemas(shared).contains("payments"))
        #expect(try schemas(own).contains("payments"))
        #expect(try !schemas(own).contains("orders"))
      }
    }
  }

  /// Who migrates is one thing, and where a service will look for its schema another.
  @Test func theMigrationURLMovesNoSchema() async throws {
    try await OwnServers.withDatabase { shared in
      try await OwnServers.withDatabase { (own: String) async throws -> Void in
        var stranger = try #require(URLComponents(string: shared))
        stranger.user = "orderly_orders"
        stranger.password = "of no use here"
        let orderly = OrderlyProcess(environment: [
          "ORDERLY_DATABASE_URL": try #require(stranger.string),
          "ORDERLY_ORDERS_DATABASE_URL": try #require(stranger.string),
          "ORDERLY_MIGRATION_DATABASE_URL": shared, "ORDERLY_PAYMENTS_DATABASE_URL": own,
        ])
        let migrated = try await orderly.run("db", "migrate")
        #expect(migrated.status == 0, "\(migrated)")
        #expect(try schemas(shared).isSuperset(of: ["orders", "inventory", "fulfilment"]))
        #expect(try !schemas(shared).contains("payments"))
        #expect(try schemas(own).contains("payments"))
        #expect(try !schemas(own).contains("orders"))
      }
    }
  }

  @Test func anEditedMigrationIsFoundOut() async throws {
    try await OwnServers.withDatabase { url in
      let orderly = OrderlyProcess(environment: ["ORDERLY_DATABASE_URL": url])
      #expect(try await orderly.run("db", "migrate").status == 0)
      try Connection.with(ConnectionConfiguration(url: url)) {
        try $0.executeScript(
          "UPDATE orders.schema_migration SET checksum = 'x' WHERE component = 'orders'")
      }
      for command in ["check", "migrate"] {
        let outcome = try await orderly.run("db", command)
        #expect(outcome.status == 1)
        #expect(outcome.messages.contains("was applied with another text than this program has"))
      }
    }
  }

  @Test func aUserWithoutRightsIsToldWhatIsMissing() async throws {
    try await OwnServers.withDatabase { url in
      let role = "clitests_" + UUID().uuidString.lowercased().filter { $0 != "-" }
      let owner = try ConnectionConfiguration(url: url)
      try Connection.with(owner) {
        try $0.executeScript("CREATE ROLE \(role) LOGIN PASSWORD '\(role)'")
      }
      var components = try #require(URLComponents(string: url))
      components.user = role
      components.password = role
      let outcome = try await OrderlyProcess(
        environment: ["ORDERLY_DATABASE_URL": try #require(components.string)]
      ).run("db", "migrate")
      try Connection.with(owner) { try $0.executeScript("DROP ROLE \(role)") }
      #expect(outcome.status == 1)
      #expect(outcome.messages.hasPrefix("Error: postgresql://\(role)@"))
      #expect(!outcome.messages.contains(":\(role)@"))
    }
  }

  private func schemas(_ url: String) throws -> Set<String> {
    try Connection.with(ConnectionConfiguration(url: url)) { connection in
      Set(
        try connection.execute("SELECT nspname::text FROM pg_namespace")
          .map { try $0.decode(0, as: String.self) })
    }
  }
}
