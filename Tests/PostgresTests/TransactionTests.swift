import Postgres
import Testing

@Suite("Transactions")
struct TransactionTests {
  private struct Refused: Error {}

  private func withTable(_ body: (Connection) throws -> Void) throws {
    try Server.withSchema { connection, _ in
      try connection.executeScript("create table t (x int check (x > 0))")
      try body(connection)
    }
  }

  private func count(_ connection: Connection) throws -> Int {
    try connection.execute("select count(*) from t").scalar()
  }

  @Test func commits() throws {
    try withTable { connection in
      let result = try connection.transaction { connection in
        try connection.execute("insert into t values (1)")
        #expect(connection.transactionStatus == .inTransaction)
        return 7
      }
      #expect(result == 7)
      #expect(connection.transactionStatus == .idle)
      #expect(try count(connection) == 1)
    }
  }

  @Test func rollsBackAndThrowsWhatTheBodyThrew() throws {
    try withTable { connection in
      #expect(throws: Refused.self) {
        try connection.transaction { connection in
          try connection.execute("insert into t values (1)")
          throw Refused()
        }
      }
      #expect(!connection.isBroken)
      #expect(connection.transactionStatus == .idle)
      let left = try count(connection)
      #expect(left == 0)
    }
  }

  @Test func errorOfAStatementRollsBack() throws {
    try withTable { connection in
      let error = try postgresError {
        try connection.transaction { connection in
          try connection.execute("insert into t values (1)")
          try connection.execute("insert into t values (-1)")
        }
      }
      #expect(error.sqlState == .checkViolation)
      #expect(error.operation == .statement)
      #expect(try count(connection) == 0)
    }
  }

  @Test func caughtErrorDoesNotCommit() throws {
    try withTable { connection in
      let error = try postgresError {
        try connection.transaction { connection in
          try connection.execute("insert into t values (1)")
          #expect(throws: PostgresError.self) { try connection.execute("select 1/0") }
          #expect(connection.transactionStatus == .failed)
        }
      }
      #expect(error.kind == .server(.inFailedSQLTransaction))
      #expect(error.operation == .commit)
      #expect(connection.transactionStatus == .idle)
      #expect(try count(connection) == 0)
    }
  }

  @Test func errorsOfBeginAndCommitAreToldApart() throws {
    try Server.withSchema { connection, _ in
      try connection.executeScript(
        "create table t (x int constraint one unique deferrable initially deferred)")
      let commit = try postgresError {
        try connection.transaction { connection in
          try connection.execute("insert into t values (1), (1)")
        }
      }
      #expect(commit.operation == .commit)
      #expect(commit.sqlState == .uniqueViolation)
      #expect(connection.transactionStatus == .idle)

      try Server.terminate(connection)
      let begin = try postgresError {
        try connection.transaction { try $0.execute("select 1") }
      }
      #expect(begin.operation == .begin)
      #expect(begin.isRetriable)
      #expect(connection.isBroken)
    }
  }

  @Test func transactionsDoNotNest() throws {
    try withTable { connection in
      let error = try postgresError {
        try connection.transaction { connection in
          try connection.transaction { _ in () }
        }
      }
      #expect(error.kind == .usage)
      #expect(error.operation == .begin)
      #expect(connection.transactionStatus == .idle)
    }
  }

  @Test func rollbackThatFailsBreaksTheConnection() throws {
    try Server.with { connection in
      #expect(throws: Refused.self) {
        try connection.transaction { connection in
          try connection.execute("select 1")
          try Server.terminate(connection)
          throw Refused()
        }
      }
      #expect(connection.isBroken)
      #expect(connection.breakage?.operation == .rollback)
    }
    try Server.with { connection in
      let error = try postgresError {
        try connection.transaction { connection in
          try connection.execute("select pg_terminate_backend(pg_backend_pid())")
        }
      }
      #expect(error.sqlState == .adminShutdown)
      #expect(connection.isBroken)
    }
  }

  @Test func caughtLossIsThrownAtTheCommit() throws {
    try Server.with { connection in
      let error = try postgresError {
        try connection.transaction { connection in
          _ = try? connection.execute("select pg_terminate_backend(pg_backend_pid())")
        }
      }
      #expect(error.kind == .connection)
      #expect(error.isRetriable)
    }
  }

  @Test func modes() throws {
    try withTable { connection in
      let error = try postgresError {
        try connection.transaction(isolation: .repeatableRead, readOnly: true) { connection in
          let level = try connection.execute("select current_setting('transaction_isolation')")
          #expect(try level.scalar(as: String.self) == "repeatable read")
          try connection.execute("insert into t values (1)")
        }
      }
      #expect(error.sqlState == .readOnlySQLTransaction)
      #expect(error.isRetriable)
    }
  }

  @Test func emptyTransactionSendsNothing() throws {
    try Server.with { connection in
      try connection.transaction { connection in
        #expect(connection.transactionStatus == .inTransaction)
      }
      #expect(connection.transactionStatus == .idle)
      let prepared = try connection.execute("select count(*) from pg_prepared_statements")
      #expect(try prepared.scalar(as: Int.self) == 1)
    }
  }

  @Test func laterStatementsGoInOrderWithTheCommit() throws {
    try withTable { connection in
      try connection.transaction { connection in
        try connection.executeLater("insert into t values ($1)", 1)
        try connection.executeLater("update t set x = x + 1")
        #expect(try connection.execute("select x from t").scalar(as: Int.self) == 2)
        try connection.executeLater("update t set x = x * 10")
      }
      #expect(try connection.execute("select x from t").scalar(as: Int.self) == 20)
    }
  }

  @Test func errorOfALaterStatementStopsTheCommit() throws {
    try withTable { connection in
      let error = try postgresError {
        try connection.transaction { connection in
          try connection.execute("insert into t values (1)")
          try connection.executeLater("insert into t values (-1)")
        }
      }
      #expect(error.sqlState == .checkViolation)
      #expect(error.operation == .statement)
      #expect(connection.transactionStatus == .idle)
      #expect(try count(connection) == 0)
      #expect(throws: PostgresError.self) { try connection.executeLater("select 1") }
    }
  }

  @Test func unsendableLaterStatementStopsTheCommit() throws {
    try withTable { connection in
      let error = try postgresError {
        try connection.transaction { connection in
          try connection.execute("insert into t values (1)")
          try connection.executeLater("insert into t values ($1::int)", "a\0")
        }
      }
      #expect(error.kind == .usage)
      #expect(connection.transactionStatus == .idle)
      #expect(try count(connection) == 0)
    }
  }

  @Test func scriptInATransaction() throws {
    try withTable { connection in
      #expect(throws: Refused.self) {
        try connection.transaction { connection in
          try connection.executeScript("insert into t values (1); insert into t values (2)")
          throw Refused()
        }
      }
      let left = try count(connection)
      #expect(left == 0)
    }
  }

  @Test func advisoryLocks() throws {
    let key = Int64.random(in: .min ... .max)
    let free = "select pg_try_advisory_xact_lock($1)"
    try Server.with { first in
      try Server.with { second in
        try first.withAdvisoryLock(key) { _ in
          let isFree = try second.execute(free, key).scalar(as: Bool.self)
          #expect(!isFree)
        }
        #expect(try second.execute(free, key).scalar() == true)
      }
    }
  }
}
