import FleetPostgres
import Postgres
import Testing

@Suite(.scratchDatabase, .timeLimit(.minutes(10))) struct MigratorTests {
  private static let first = Migration(
    number: 1, name: "init", sql: "CREATE TABLE item (id int); INSERT INTO item VALUES (1);")
  private static let second = Migration(
    number: 2, name: "more", sql: "ALTER TABLE item ADD COLUMN name text")

  private func schema(
    _ name: String, role: String? = nil, _ migrations: [Migration]
  ) -> SchemaDefinition {
    SchemaDefinition(
      name: name, role: role,
      components: [SchemaDefinition.Component(name: "own", migrations: migrations)])
  }

  private func migrate(_ schemas: SchemaDefinition...) throws -> [String] {
    try ScratchDatabase.with { connection in
      try Migrator(schemas).migrate(on: connection).map(\.description)
    }
  }

  private func failure(_ schemas: SchemaDefinition...) throws -> String {
    try ScratchDatabase.with { connection in
      try #require(throws: MigrationError.self) {
        _ = try Migrator(schemas).migrate(on: connection)
      }.description
    }
  }

  @Test func appliesInOrderAndOnce() throws {
    let name = try ScratchDatabase.randomName()
    #expect(
      try migrate(schema(name, [Self.second, Self.first])) == [
        "\(name): own 1 init", "\(name): own 2 more",
      ])
    #expect(try migrate(schema(name, [Self.first, Self.second])).isEmpty)
    let rows = try ScratchDatabase.with(searchPath: name) {
      try $0.execute("SELECT id, name FROM item").count
    }
    #expect(rows == 1)
  }

  @Test func appliesOnlyWhatIsNew() throws {
    let name = try ScratchDatabase.randomName()
    _ = try migrate(schema(name, [Self.first]))
    #expect(try migrate(schema(name, [Self.first, Self.second])) == ["\(name): own 2 more"])
  }

  @Test func pendingChangesNothing() throws {
    let (name, role) = (try ScratchDatabase.randomName(), try ScratchDatabase.randomName())
    try ScratchDatabase.with { connection in
      let migrator = Migrator([schema(name, role: role, [Self.first, Self.second])])
      #expect(try migrator.pending(on: connection).map(\.number) == [1, 2])
      let left = try connection.execute(
        """
        SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = $1::text)
          + (SELECT count(*) FROM pg_roles WHERE rolname = $2::text)
        """, name, role
      ).scalar(as: Int64.self)
      #expect(left == 0)
      _ = try migrator.migrate(on: connection)
      #expect(try migrator.pending(on: connection).isEmpty)
    }
  }

  @Test func anEditedFileIsRefusedByName() throws {
    let name = try ScratchDatabase.randomName()
    _ = try migrate(schema(name, [Self.first]))
    let edited = Migration(number: 1, name: "init", sql: Self.first.sql + " -- edited")
    let problem = try failure(schema(name, [edited, Self.second]))
    #expect(problem.hasPrefix("\(name): own 1 init was applied with another text"))
    #expect(try migrate(schema(name, [Self.first])).isEmpty)
  }

  @Test func aNewerDatabaseIsRefused() throws {
    let name = try ScratchDatabase.randomName()
    _ = try migrate(schema(name, [Self.first, Self.second]))
    #expect(
      try failure(schema(name, [Self.first]))
        == "The database has \(name): own 2, which this program does not know: it is older than the "
        + "database.")
  }

  @Test func aFailingFileIsRolledBackAndNamed() throws {
    let name = try ScratchDatabase.randomName()
    let bad = Migration(
      number: 2, name: "bad", sql: "CREATE TABLE half (id int); SELECT 1 / 0; CREATE TABLE more ()")
    let problem = try failure(schema(name, [Self.first, bad]))
    #expect(problem.hasPrefix("\(name): own 2 bad failed and was rolled back: "))
    #expect(problem.contains("division by zero"))
    try ScratchDatabase.with { connection in
      let half = try connection.execute("SELECT to_regclass($1::text) IS NULL", "\(name).half")
      #expect(try half.scalar(as: Bool.self))
      let migrator = Migrator([schema(name, [Self.first, Self.second])])
      #expect(try migrator.pending(on: connection).map(\.number) == [2])
    }
  }

  @Test func twoAtOnceApplyEachFileOnce() async throws {
    let name = try ScratchDatabase.randomName()
    let role = try ScratchDatabase.randomName()
    let files = (1...20).map {
      Migration(number: $0, name: "n\($0)", sql: "CREATE TABLE t\($0) (id int)")
    }
    let migrator = Migrator([schema(name, role: role, files)])
    let pool = Pool(try ScratchDatabase.configuration(), maximum: 3)
    async let a = pool.withConnection { try migrator.migrate(on: $0).count }
    async let b = pool.withConnection { try migrator.migrate(on: $0).count }
    async let c = pool.withConnection { try migrator.migrate(on: $0).count }
    let counts = try await [a, b, c]
    await pool.close()
    #expect(counts.sorted() == [0, 0, 20])
  }

  // MARK: - What a role may do

  private func withTwoServices(
    _ body: (_ own: String, _ other: String) throws -> Void
  ) throws {
    let (own, other) = (try ScratchDatabase.randomName(), try ScratchDatabase.randomName())
    _ = try migrate(
      schema(own, role: own, [Self.first]), schema(other, role: other, [Self.first]))
    try body(own, other)
  }

  @Test func aRoleWorksInItsOwnSchema() throws {
    try withTwoServices { own, _ in
      try ScratchDatabase.with(searchPath: own, role: own) { connection in
        for sql in [
          "SELECT * FROM item", "INSERT INTO item VALUES (2)", "UPDATE item SET id = 3",
          "DELETE FROM item", "SELECT * FROM schema_migration",
        ] {
          #expect(throws: Never.self, "\(sql)") { try connection.execute(sql) }
        }
      }
    }
  }

  @Test(arguments: [
    "SELECT * FROM $other.item", "INSERT INTO $other.item VALUES (2)",
    "UPDATE $other.item SET id = 3", "DELETE FROM $other.item", "TRUNCATE $other.item",
    "SELECT * FROM $other.schema_migration", "CREATE TABLE $other.mine (id int)",
    "DROP TABLE $other.item", "DROP SCHEMA $other CASCADE", "CREATE TABLE public.mine (id int)",
    "CREATE SCHEMA mine", "CREATE ROLE mine", "CREATE DATABASE mine",
    "INSERT INTO $own.schema_migration (component, number, name, checksum) VALUES ('a', 9, '', '')",
    "UPDATE $own.schema_migration SET checksum = ''", "DELETE FROM $own.schema_migration",
    "SELECT rolpassword FROM pg_authid", "SELECT pg_read_file('PG_VERSION')",
    "COPY $own.item TO '/dev/null'", "ALTER SYSTEM SET work_mem = '1MB'",
  ])
  func aRoleIsDeniedEverythingElse(_ sql: String) throws {
    try withTwoServices { own, other in
      let sql = sql.replacing("$other", with: "\"\(other)\"").replacing("$own", with: "\"\(own)\"")
      try ScratchDatabase.with(searchPath: own, role: own) { connection in
        let error = #expect(throws: PostgresError.self) {
          try connection.execute(Statement(sql, cached: false))
        }
        #expect(
          error?.sqlState == .insufficientPrivilege, "\(error.map(String.init(describing:)) ?? "")")
      }
    }
  }
}
