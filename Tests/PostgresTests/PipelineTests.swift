import Postgres
import Testing

@Suite("Pipelines")
struct PipelineTests {
  @Test func resultsComeInOrder() throws {
    try Server.withSchema { connection, _ in
      try connection.executeScript("create table t (x int)")
      let results = try connection.pipeline([
        Statement("BEGIN"), Statement("insert into t select generate_series(1, $1)", 3),
        Statement("select $1::text", "between"), Statement("select sum(x) from t"), .commit,
      ])
      #expect(results.map(\.affectedRows) == [0, 3, 1, 1, 0])
      #expect(try results[2].scalar(as: String.self) == "between")
      #expect(try results[3].scalar(as: Int.self) == 6)
      #expect(connection.transactionStatus == .idle)
      #expect(try connection.pipeline([]).isEmpty)
    }
  }

  @Test func pipelineWithinATransactionReturnsOnlyItsOwnResults() throws {
    try Server.with { connection in
      let values = try connection.transaction { connection in
        try connection.executeLater("select 'later'")
        return try connection.pipeline([Statement("select 1"), Statement("select 2")]).map {
          try $0.scalar(as: Int.self)
        }
      }
      #expect(values == [1, 2])
    }
  }

  @Test func firstErrorAbortsTheRest() throws {
    try Server.withSchema { connection, _ in
      try connection.executeScript("create table t (x int)")
      // Outside a transaction block a pipeline is one transaction.
      let error = try postgresError {
        try connection.pipeline([
          Statement("insert into t values (1)"), Statement("select 1 / $1", 0),
          Statement("select nonsense"), Statement("insert into t values (2)"),
        ])
      }
      #expect(error.sqlState == .divisionByZero)
      #expect(error.statement == "select 1 / $1")
      #expect(!connection.isBroken)
      #expect(try connection.execute("select count(*) from t").scalar(as: Int.self) == 0)
      // Those that were skipped are not taken for prepared.
      try connection.execute("insert into t values (2)")
      #expect(try connection.execute("select count(*) from t").scalar(as: Int.self) == 1)
    }
  }

  @Test func errorBeforeTheCommitRollsBack() throws {
    try Server.withSchema { connection, _ in
      try connection.executeScript("create table t (x int)")
      let error = try postgresError {
        try connection.transaction { connection in
          try connection.execute("insert into t values (1)")
          try connection.pipeline([Statement("select 1/0"), .commit])
        }
      }
      #expect(error.sqlState == .divisionByZero)
      #expect(connection.transactionStatus == .idle)
      #expect(try connection.execute("select count(*) from t").scalar(as: Int.self) == 0)
      try connection.transaction { connection in
        try connection.pipeline([Statement("insert into t values (1)"), .commit])
      }
      #expect(try connection.execute("select count(*) from t").scalar(as: Int.self) == 1)
    }
  }

  @Test func muchDataBothWaysDoesNotDeadlock() throws {
    try Server.with { connection in
      let block = [UInt8](repeating: 65, count: 40_000)
      let statements = (0..<500).map { _ in Statement("select $1::bytea", block) }
      let results = try connection.pipeline(statements)
      #expect(results.count == 500)
      #expect(try results.allSatisfy { try $0.scalar(as: [UInt8].self) == block })
    }
  }

  @Test func unsendableStatementSendsNothing() throws {
    try Server.withSchema { connection, _ in
      try connection.executeScript("create table t (x text)")
      let error = try postgresError {
        try connection.pipeline([
          Statement("insert into t values ($1)", "fine"), Statement("select $1::text", "a\0"),
        ])
      }
      #expect(error.kind == .usage)
      #expect(try connection.execute("select count(*) from t").scalar(as: Int.self) == 0)
    }
  }
}
