import Testing

@testable import Postgres

@Suite("The statement cache")
struct StatementCacheTests {
  private func key(_ sql: String, _ types: [UInt32] = []) -> StatementCache.Key {
    StatementCache.Key(sql: sql, types: types)
  }

  @Test func decisions() {
    var cache = StatementCache(capacity: 2)
    #expect(cache.use(key("a")) == .init(name: "s1", needsPrepare: true))
    #expect(cache.use(key("a")) == .init(name: "s1"))
    #expect(cache.use(key("a", [20])) == .init(name: "s2", needsPrepare: true))
    #expect(cache.use(key("a")) == .init(name: "s1"))
    // The one that was not used for longest goes.
    #expect(cache.use(key("b")) == .init(name: "s3", needsPrepare: true, evicted: "s2"))
    #expect(cache.use(key("a")) == .init(name: "s1"))
    cache.forget("s1")
    cache.forget("unknown")
    #expect(cache.use(key("a")) == .init(name: "s4", needsPrepare: true))
    #expect(cache.count == 2)
  }

  private func prepared(_ connection: Connection) throws -> Int {
    try connection.execute(
      "select count(*) from pg_prepared_statements where statement like '%mark%'", cached: false
    ).scalar()
  }

  @Test func repeatedStatementsArePreparedOnce() throws {
    try Server.with { connection in
      for value in 1...5 { try connection.execute("select $1::int /* mark */", value) }
      #expect(try prepared(connection) == 1)
      try connection.execute("select 'once' /* mark */", cached: false)
      #expect(try prepared(connection) == 1)
      try connection.pipeline(
        (1...5).map { Statement("select $1::int as other /* mark */", $0) })
      #expect(try prepared(connection) == 2)
    }
  }

  /// A NULL goes untyped, whatever optional it comes from, and shares the untyped statement.
  @Test func nullsAreUntyped() throws {
    try Server.with { connection in
      for value in [1, nil, 2, nil] as [Int?] {
        try connection.execute("select $1::int /* mark */", value)
      }
      try connection.execute("select $1::int /* mark */", String?.none)
      #expect(try prepared(connection) == 2)
    }
  }

  @Test func cacheIsBounded() throws {
    try Server.with(Server.configuration { $0.statementCacheCapacity = 3 }) { connection in
      for value in 1...10 { try connection.execute("select \(value) /* mark */") }
      #expect(try prepared(connection) == 3)
      let results = try connection.pipeline((1...10).map { Statement("select -\($0) /* mark */") })
      #expect(try results.map { try $0.scalar(as: Int.self) } == (1...10).map { -$0 })
      #expect(try prepared(connection) == 3)
    }
    try Server.with(Server.configuration { $0.statementCacheCapacity = 0 }) { connection in
      try connection.execute("select 1 /* mark */")
      #expect(try prepared(connection) == 0)
    }
  }

  @Test func statementsThatFailToPrepareAreNotKept() throws {
    try Server.withSchema { connection, _ in
      #expect(throws: PostgresError.self) { try connection.execute("select * from t /* mark */") }
      #expect(try prepared(connection) == 0)
      try connection.executeScript("create table t (x int)")
      #expect(try connection.execute("select * from t /* mark */").isEmpty)
    }
  }

  @Test func staleStatementsArePreparedAgain() throws {
    try Server.withSchema { connection, _ in
      try connection.executeScript("create table t (x int)")
      let sql = "select * from t"
      try connection.execute(sql)
      try connection.executeScript("alter table t add y int")
      let changed = try postgresError { try connection.execute(sql) }
      #expect(changed.isRetriable)
      #expect(try connection.execute(sql).columns == ["x", "y"])

      try connection.executeScript("deallocate all")
      let gone = try postgresError { try connection.execute(sql) }
      #expect(gone.sqlState == .invalidSQLStatementName)
      #expect(gone.isRetriable)
      #expect(try connection.execute(sql).columns == ["x", "y"])
    }
  }
}
