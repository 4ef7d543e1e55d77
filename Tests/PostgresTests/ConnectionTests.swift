import Foundation
import Postgres
import Synchronization
import Testing

@Suite("Connecting")
struct ConnectTests {
  private func connectError(_ configuration: ConnectionConfiguration) throws -> PostgresError {
    try postgresError { try Connection.connect(configuration).close() }
  }

  @Test func connectionTellsAboutItself() throws {
    try Server.with { connection in
      #expect(connection.serverVersion >= 150_000)
      let rows = try connection.execute("select pg_backend_pid()")
      #expect(try rows.scalar(as: Int32.self) == connection.processID)
      #expect(connection.transactionStatus == .idle)
      #expect(!connection.isBroken)
      #expect(connection.checkAlive())
    }
  }

  @Test func settingsReachTheServer() throws {
    let schema = "with space, \"quote\" and \\"
    let change = { (configuration: inout ConnectionConfiguration) in
      configuration.searchPath = (try? Identifier(schema))?.quoted
      configuration.applicationName = "postgres tests"
      configuration.statementTimeout = .milliseconds(12_345)
      configuration.idleInTransactionTimeout = .seconds(7)
      configuration.role = "pg_monitor"
    }
    try Server.with(Server.configuration(change)) { connection in
      let row = try connection.execute(
        """
        select current_setting('search_path'), current_setting('application_name'),
          current_setting('statement_timeout'),
          current_setting('idle_in_transaction_session_timeout'), current_user::text
        """)[0]
      let quoted = try Identifier(schema).quoted
      #expect(try row[0, as: String.self] == quoted)
      #expect(try row[1, as: String.self] == "postgres tests")
      #expect(try row[2, as: String.self] == "12345ms")
      #expect(try row[3, as: String.self] == "7s")
      #expect(try row[4, as: String.self] == "pg_monitor")
    }
  }

  @Test func unreachablePort() throws {
    let listener = try Listener()
    listener.close()  // Now nobody listens there.
    let error = try connectError(
      ConnectionConfiguration(url: "postgresql://127.0.0.1:\(listener.port)/x"))
    #expect(error.kind == .connection)
    #expect(error.operation == .connect)
    #expect(error.isRetriable)
    #expect(error.message.contains("\(listener.port)"))
  }

  @Test func unknownDatabase() throws {
    var configuration = try Server.configuration()
    configuration.database = "no_such_database"
    let error = try connectError(configuration)
    #expect(error.kind == .server(.undefinedDatabase))
    #expect(!error.isRetriable)
    #expect(error.message.contains("no_such_database"))
    #expect(!error.message.contains("LOCATION"))
  }

  @Test func noConnectionLeft() throws {
    let role = try Identifier(Server.randomName())
    try Server.with { admin in
      try admin.executeScript("create role \(role) login connection limit 0 password 'secret'")
      defer { #expect(throws: Never.self) { try admin.executeScript("drop role \(role)") } }
      var configuration = try Server.configuration()
      configuration.user = role.name
      configuration.password = "secret"
      let error = try connectError(configuration)
      #expect(error.kind == .server(.tooManyConnections))
      #expect(error.isRetriable)
    }
  }

  @Test func wrongPassword() throws {
    let listener = try Listener()
    defer { listener.close() }
    listener.serve { client in
      _ = receive(client)  // the start-up packet
      sendAll(client, backendMessage("R", [0, 0, 0, 3]))  // asks for a password in clear
      _ = receive(client)
      let fields = ["SFATAL", "VFATAL", "C28P01", "Mpassword authentication failed", "Fauth.c"]
      sendAll(client, backendMessage("E", fields.flatMap { Array($0.utf8) + [0] } + [0]))
    }
    let error = try connectError(
      ConnectionConfiguration(
        url: "postgresql://eve:geheim@127.0.0.1:\(listener.port)/x?sslmode=disable"
          + "&gssencmode=disable"))
    #expect(error.kind == .authentication)
    #expect(error.sqlState == .invalidPassword)
    #expect(!error.isRetriable)
    #expect(error.message.contains("password authentication failed"))
    #expect(!error.description.contains("geheim"))
  }

  @Test func silentServer() throws {
    let listener = try Listener()
    defer { listener.close() }
    var configuration = try ConnectionConfiguration(
      url: "postgresql://127.0.0.1:\(listener.port)/x")
    configuration.connectTimeout = .milliseconds(50)
    let error = try connectError(configuration)
    #expect(error.kind == .timeout)
    #expect(error.operation == .connect)
    #expect(error.isRetriable)
    #expect(error.message.contains("\(listener.port)"))
  }

  @Test func closedConnectionRefusesWork() throws {
    let connection = try Connection.connect(Server.configuration())
    connection.close()
    connection.close()
    #expect(connection.isBroken)
    #expect(!connection.checkAlive())
    let error = try postgresError { try connection.execute("select 1") }
    #expect(error.kind == .usage)
    #expect(throws: PostgresError.self) { try connection.transaction { _ in } }
    #expect(throws: PostgresError.self) { try connection.executeScript("select 1") }
  }
}

@Suite("Configuration")
struct ConfigurationTests {
  @Test func urlIsTakenApart() throws {
    let configuration = try ConnectionConfiguration(
      url: "postgresql://bob:p%40ss@db.example:6432/shop?application_name=x&connect_timeout=3")
    #expect(configuration.host == "db.example")
    #expect(configuration.port == "6432")
    #expect(configuration.user == "bob")
    #expect(configuration.password == "p@ss")
    #expect(configuration.database == "shop")
    #expect(configuration.applicationName == "x")
    #expect(configuration.connectTimeout == .seconds(3))
  }

  @Test func passwordIsNeverPrinted() throws {
    let configuration = try ConnectionConfiguration(url: "postgresql://bob:geheim@db/shop")
    var dumped = ""
    dump(configuration, to: &dumped)
    for text in ["\(configuration)", String(reflecting: configuration), dumped] {
      #expect(!text.contains("geheim"))
    }
    #expect("\(configuration)" == "postgresql://bob@db/shop")
  }

  @Test(arguments: [
    "nonsense", "postgresql://bob:geheim%zz@db/shop", "postgresql://bob:geheim@[db/shop",
    "host=x password='geheim", "postgresql://bob:geheim@db/shop?nothing=geheim",
  ])
  func unreadableURLIsNotRepeated(url: String) throws {
    let error = try postgresError { _ = try ConnectionConfiguration(url: url) }
    #expect(error.kind == .usage)
    #expect(!error.description.contains("geheim"))
  }

  @Test func identifiers() throws {
    #expect(try Identifier("a\"b c").quoted == "\"a\"\"b c\"")
    let order = try Identifier("Order")
    #expect("\(order)" == "\"Order\"")
    for name in ["", "a\0", String(repeating: "ä", count: 32)] {
      #expect(throws: PostgresError.self) { try Identifier(name) }
    }
    try Server.withSchema { connection, _ in
      let table = try Identifier("select \" from")
      try connection.execute("create table \(table) (x int)", cached: false)
      #expect(try connection.execute("select * from \(table)").columns == ["x"])
    }
  }
}

@Suite("Statements")
struct StatementTests {
  @Test func rowsAndCounts() throws {
    try Server.withSchema { connection, _ in
      try connection.executeScript("create table t (id bigint primary key, name text)")
      let inserted = try connection.execute(
        "insert into t select * from unnest($1::bigint[], $2::text[])", [1, 2, 3] as [Int64],
        ["one", nil, "three"])
      #expect(inserted.affectedRows == 3)
      #expect(inserted.isEmpty)
      let rows = try connection.execute("select id, name from t order by id")
      #expect(rows.count == 3)
      #expect(rows.columns == ["id", "name"])
      let names = try rows.map { try $0["name", as: String?.self] }
      #expect(names == ["one", nil, "three"])
      let id: Int64 = try #require(rows.last).decode("id")
      #expect(id == 3)
    }
  }

  @Test func rowsOutliveTheConnection() throws {
    let rows = try Server.with { try $0.execute("select 'kept' as word, $1 as n", 5) }
    #expect(try rows[0]["word", as: String.self] == "kept")
    #expect(throws: PostgresError.self) { try rows[0]["other", as: String.self] }
  }

  @Test func literalsAndNil() throws {
    try Server.with { connection in
      let row = try connection.execute("select $1::int + 1, $2::text, $3::bool", 1, nil, true)[0]
      #expect(try row[0, as: Int.self] == 2)
      #expect(try row[1, as: String?.self] == nil)
      #expect(try row[2, as: Bool.self])
    }
  }

  @Test func emptyStatement() throws {
    let rows = try Server.with { try $0.execute("") }
    #expect(rows.isEmpty)
  }

  @Test func errorCarriesWhatTheServerSaid() throws {
    try Server.withSchema { connection, _ in
      try connection.executeScript("create table t (id int constraint only_one unique)")
      try connection.execute("insert into t values ($1)", 1)
      let error = try postgresError { try connection.execute("insert into t values ($1)", 1) }
      #expect(error.kind == .server(.uniqueViolation))
      #expect(error.sqlState == .uniqueViolation)
      #expect(error.operation == .statement)
      #expect(error.constraint == "only_one")
      #expect(error.detail?.contains("already exists") == true)
      #expect(error.statement == "insert into t values ($1)")
      #expect(!error.isRetriable)
      for part in ["23505", "only_one", "insert into t"] {
        #expect(error.description.contains(part))
      }
      #expect(!connection.isBroken)
      #expect(try connection.execute("select count(*) from t").scalar(as: Int.self) == 1)
      let missing = try postgresError { try connection.execute("select * from nowhere") }
      #expect(missing.sqlState == .undefinedTable)
    }
  }

  @Test func longStatementsAreShortenedInErrors() throws {
    try Server.with { connection in
      let sql = "select " + String(repeating: "\n   1 +", count: 50_000) + " 'x'::int"
      let error = try postgresError { try connection.execute(sql, cached: false) }
      #expect((error.statement ?? "").count == 201)
      #expect(error.statement?.hasPrefix("select 1 + 1 +") == true)
    }
  }

  @Test func tooManyParameters() throws {
    try Server.with { connection in
      let statement = Statement("select 1", parameters: Array(repeating: 1, count: 65_536))
      let error = try postgresError { try connection.execute(statement) }
      #expect(error.kind == .usage)
      #expect(!connection.isBroken)
    }
  }

  @Test func scripts() throws {
    try Server.withSchema { connection, _ in
      try connection.executeScript("create table t (x int); insert into t values (1), (2);")
      #expect(try connection.execute("select sum(x) from t").scalar(as: Int.self) == 3)
      let error = try postgresError {
        try connection.executeScript(
          "insert into t values (3); select 1/0; insert into t values (4)")
      }
      #expect(error.sqlState == .divisionByZero)
      #expect(try connection.execute("select count(*) from t").scalar(as: Int.self) == 2)
    }
  }

  @Test(arguments: ["copy (select 1) to stdout", "create temp table t (x int); copy t from stdin"])
  func copyIsRefused(sql: String) throws {
    try Server.with { connection in
      let error = try postgresError { try connection.executeScript(sql) }
      #expect(error.kind == .usage)
      #expect(connection.isBroken)
    }
    try Server.with { connection in
      let error = try postgresError { try connection.execute("copy (select 1) to stdout") }
      #expect(error.message.contains("COPY"))
      #expect(connection.isBroken)
    }
  }

  @Test func noticesGoToTheHandler() throws {
    let notices = Mutex<[Notice]>([])
    try Server.with(
      Server.configuration { $0.onNotice = { notice in notices.withLock { $0.append(notice) } } }
    ) {
      try $0.executeScript("do $$ begin raise warning 'careful' using hint = 'look'; end $$")
    }
    let notice = try #require(notices.withLock { $0.first })
    #expect(notice.severity == "WARNING")
    #expect(notice.message == "careful")
    #expect(notice.hint == "look")
    #expect(notice.sqlState?.rawValue == "01000")
  }
}
