import CPQ

extension Connection {
  /// Runs a text of several statements, as migrations are, without parameters or results.
  ///
  /// They are one transaction unless the text says otherwise. The server's `statement_timeout`
  /// counts for all of them together.
  ///
  /// - Parameters:
  ///   - sql: any statements but COPY from and to the client.
  ///   - timeout: how long to wait for all of it; ``ConnectionConfiguration/responseTimeout`` if nil.
  /// - Throws: as ``execute(_:_:cached:timeout:)``.
  public func executeScript(_ sql: String, timeout: Duration? = nil) throws(PostgresError) {
    let handle = try usableHandle(.statement)
    guard !sql.utf8.contains(0) else {
      throw PostgresError(.usage, .statement, "the SQL text has a zero byte", statement: sql)
    }
    if !pending.isEmpty {
      _ = try run(pending, timeout: timeout)
    }
    var wire = Wire(handle: handle, deadline: deadline(timeout))
    var failure: PostgresError?
    do throws(Wire.Failure) {
      guard PQsendQuery(handle, sql) == 1 else { throw .connection(wire.errorMessage) }
      while let result = try wire.nextResult() {
        defer { PQclear(result) }
        switch PQresultStatus(result) {
        case PGRES_FATAL_ERROR:
          noteStandby(result)
          let error = PostgresError(result: result, operation: .statement, statement: sql)
          if error.sqlState == nil { throw .connection(error.message) }
          failure = failure ?? error
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
          failure = PostgresError(
            .usage, .statement, "COPY is not supported, and the connection had to be closed",
            statement: sql)
          throw .connection("COPY")
        default:
          break
        }
      }
      if wire.isLost { throw .connection(wire.errorMessage) }
    } catch {
      let loss = lossError(error, Statement(sql))
      retire(failure ?? loss)
      if failure == nil { throw loss }
    }
    if let failure { throw failure }
  }
}
