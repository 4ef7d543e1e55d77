import Postgres
import Testing

@Suite("A server that does not answer", .timeLimit(.minutes(10)))
struct DeadlineTests {
  /// A connection through a proxy that can lose what passes.
  static func withProxy(
    responseTimeout: Duration = .seconds(20), _ change: ConnectionConfiguration,
    _ body: (Connection, Proxy) throws -> Void
  ) throws {
    let proxy = try Proxy(toPort: Int(change.port ?? "5432") ?? 5432)
    defer { proxy.close() }
    var configuration = change
    configuration.host = "127.0.0.1"
    configuration.port = String(proxy.port)
    configuration.responseTimeout = responseTimeout
    try Connection.with(configuration) { try body($0, proxy) }
  }

  @Test func deadlineOfACall() throws {
    try Server.with { connection in
      let error = try postgresError {
        try connection.execute("select pg_sleep(600)", timeout: .milliseconds(50))
      }
      #expect(error.kind == .timeout)
      #expect(error.operation == .statement)
      #expect(error.isRetriable)
      #expect(error.statement == "select pg_sleep(600)")
      #expect(connection.isBroken)
      let next = try postgresError { try connection.execute("select 1") }
      #expect(next.kind == .connection)
      #expect(next.isRetriable)
    }
  }

  @Test func deadlineOfAnEndlessAnswer() throws {
    try Server.with { connection in
      let error = try postgresError {
        try connection.execute(
          "select repeat('x', 1000) from generate_series(1, 1000000000)",
          timeout: .milliseconds(100))
      }
      #expect(error.kind == .timeout)
    }
  }

  @Test func deadlineOfAScript() throws {
    try Server.with { connection in
      let error = try postgresError {
        try connection.executeScript("select 1; select pg_sleep(600)", timeout: .milliseconds(50))
      }
      #expect(error.kind == .timeout)
      #expect(connection.isBroken)
    }
  }

  @Test func statementTimeoutOfTheServerKeepsTheConnection() throws {
    try Server.with(Server.configuration { $0.statementTimeout = .milliseconds(20) }) {
      connection in
      let error = try postgresError { try connection.execute("select pg_sleep(600)") }
      #expect(error.sqlState == .queryCanceled)
      #expect(error.isRetriable)
      #expect(try connection.execute("select 1").scalar(as: Int.self) == 1)
    }
  }

  @Test func silenceAfterConnecting() throws {
    try Self.withProxy(responseTimeout: .milliseconds(50), Server.configuration()) {
      connection, proxy in
      proxy.set(.loseAnswers)
      let error = try postgresError { try connection.execute("select 1") }
      #expect(error.kind == .timeout)
      #expect(connection.isBroken)
    }
  }

  @Test func silenceWhileMuchIsSent() throws {
    // More than the sockets hold: the sending has to stop at the deadline too.
    let much = [UInt8](repeating: 1, count: 64 << 20)
    try Self.withProxy(Server.configuration()) {
      connection, proxy in
      try connection.execute("select 1")
      proxy.set(.loseAnswers)
      let error = try postgresError {
        try connection.execute(
          "select pg_sleep(600), length($1::bytea)", much, timeout: .milliseconds(300))
      }
      #expect(error.kind == .timeout)
    }
  }

  @Test func cutConnection() throws {
    try Self.withProxy(Server.configuration()) { connection, proxy in
      proxy.set(.cutAtRequest)
      let error = try postgresError { try connection.execute("select 1") }
      #expect(error.kind == .connection)
      #expect(error.isRetriable)
      #expect(connection.isBroken)
    }
  }

  @Test func terminatedSession() throws {
    try Server.with { connection in
      try Server.terminate(connection)
      #expect(!connection.checkAlive())
      #expect(connection.isBroken)
    }
    try Server.with { connection in
      let error = try postgresError {
        try connection.execute("select pg_terminate_backend(pg_backend_pid())")
      }
      #expect(error.kind == .server(.adminShutdown))
      #expect(error.isRetriable)
      #expect(connection.isBroken)
    }
  }

  /// The server has committed, or never heard of it: the client cannot know, and says so.
  @Test(arguments: [
    (Proxy.Mode.cutAtAnswer, true), (.cutAtRequest, false), (.loseAnswers, true),
  ])
  func lostCommit(mode: Proxy.Mode, committed: Bool) throws {
    let lock = Int64.random(in: .min ... .max)
    try Server.withSchema { direct, configuration in
      try direct.executeScript("create table t (x int)")
      try Self.withProxy(responseTimeout: .seconds(3), configuration) { connection, proxy in
        let error = try postgresError {
          try connection.transaction { connection in
            try connection.execute("select pg_advisory_xact_lock($1)", lock)
            try connection.execute("insert into t values (1)")
            try connection.executeLater("insert into t values ($1)", 2)
            proxy.set(mode)
          }
        }
        #expect(error.kind == .commitUnknown)
        #expect(error.operation == .commit)
        #expect(!error.isRetriable)
        #expect(connection.isBroken)
        // The lock is free when the server has ended the transaction, however it ended.
        try direct.withAdvisoryLock(lock) { _ in }
        let count = try direct.execute("select count(*) from t").scalar(as: Int.self)
        #expect(count == (committed ? 2 : 0))
      }
    }
  }

  @Test func lossBeforeTheCommitIsNoUnknownCommit() throws {
    try Server.withSchema { direct, configuration in
      try direct.executeScript("create table t (x int)")
      try Self.withProxy(configuration) { connection, proxy in
        let error = try postgresError {
          try connection.transaction { connection in
            try connection.execute("insert into t values (1)")
            proxy.set(.cutAtAnswer)
            try connection.execute("insert into t values (2)")
          }
        }
        #expect(error.kind == .connection)
        #expect(error.operation == .statement)
        #expect(error.isRetriable)
      }
    }
  }
}
