import CPQ

extension Connection {
  /// One message to the server that has a result of its own.
  private enum Step {
    case deallocate(name: String, statement: Int)
    case prepare(name: String, statement: Int)
    case execute(name: String?, statement: Int)

    var statement: Int {
      switch self {
      case .deallocate(_, let statement), .prepare(_, let statement), .execute(_, let statement):
        statement
      }
    }
  }

  /// Sends the statements as one libpq pipeline and collects the result of each.
  ///
  /// Everything takes this way, single statements too: the messages are the same, and a statement
  /// that is not yet prepared is prepared in the same round trip.
  func run(_ statements: [Statement], timeout: Duration?) throws(PostgresError) -> [Rows] {
    let handle = try usableHandle(statements[0].operation)
    let deadline = deadline(timeout)
    let ranges = try encode(statements)
    let steps = plan(statements, ranges)
    pending = []
    if let unsent = send(steps, statements, ranges, handle) {
      // Part of it may have gone out, and a COMMIT may be in that part.
      let failure =
        statements.contains { $0.operation == .commit } ? unsent.asCommitUnknown() : unsent
      retire(failure)
      throw failure
    }
    return try collect(steps, statements, Wire(handle: handle, deadline: deadline))
  }

  /// Encodes all parameters before anything is sent, so that one that does not fit changes nothing.
  private func encode(_ statements: [Statement]) throws(PostgresError) -> [Range<Int>] {
    parameters.removeAll()
    var ranges: [Range<Int>] = []
    for statement in statements {
      let start = parameters.count
      for (index, value) in statement.parameters.enumerated() {
        do throws(PostgresError) {
          try parameters.add(value)
        } catch {
          throw PostgresError(
            error.kind, statement.operation, "parameter $\(index + 1): \(error.message)",
            hint: error.hint, statement: statement.sql)
        }
      }
      guard parameters.count - start <= Int(UInt16.max) else {
        throw PostgresError(
          .usage, .statement, "\(parameters.count - start) parameters, the protocol allows 65535",
          hint: "send arrays and unnest them", statement: statement.sql)
      }
      // libpq takes C strings: it would send only what is before a zero byte.
      guard !statement.sql.utf8.contains(0) else {
        throw PostgresError(
          .usage, .statement, "the SQL text has a zero byte", statement: statement.sql)
      }
      ranges.append(start..<parameters.count)
    }
    return ranges
  }

  private func plan(_ statements: [Statement], _ ranges: [Range<Int>]) -> [Step] {
    var steps: [Step] = []
    for (index, statement) in statements.enumerated() {
      guard statement.isCached, cache.capacity > 0 else {
        steps.append(.execute(name: nil, statement: index))
        continue
      }
      let key = StatementCache.Key(
        sql: statement.sql, types: Array(parameters.types[ranges[index]]))
      let plan = cache.use(key)
      if let evicted = plan.evicted {
        steps.append(.deallocate(name: evicted, statement: index))
      }
      if plan.needsPrepare { steps.append(.prepare(name: plan.name, statement: index)) }
      steps.append(.execute(name: plan.name, statement: index))
    }
    return steps
  }

  /// Hands everything to libpq, which buffers what the socket does not take.
  private func send(
    _ steps: [Step], _ statements: [Statement], _ ranges: [Range<Int>], _ handle: OpaquePointer
  ) -> PostgresError? {
    var sent = PQenterPipelineMode(handle) == 1
    for step in steps where sent {
      let sql = statements[step.statement].sql
      let range = ranges[step.statement]
      let count = Int32(range.count)
      sent =
        parameters.withPointers(range) { types, values, lengths, formats in
          switch step {
          case .deallocate(let name, _):
            PQsendQueryParams(handle, "DEALLOCATE \(name)", 0, nil, nil, nil, nil, 1)
          case .prepare(let name, _):
            PQsendPrepare(handle, name, sql, count, types)
          case .execute(.some(let name), _):
            PQsendQueryPrepared(handle, name, count, values, lengths, formats, 1)
          case .execute(.none, _):
            PQsendQueryParams(handle, sql, count, types, values, lengths, formats, 1)
          }
        } == 1
    }
    if sent, PQpipelineSync(handle) == 1 { return nil }
    return PostgresError(
      .connection, .statement, oneLine(String(cString: PQerrorMessage(handle))),
      statement: statements[0].sql)
  }

  /// Reads the result of every step, and the Sync after them.
  private func collect(_ steps: [Step], _ statements: [Statement], _ wire: Wire)
    throws(PostgresError) -> [Rows]
  {
    var wire = wire
    var rows: [Rows] = []
    var failure: PostgresError?
    // Steps whose result is not there yet: the first is the one that a lost connection concerns.
    var open = steps[...]
    do throws(Wire.Failure) {
      while let step = open.first {
        let result = try wire.nextResult()
        switch PQresultStatus(result) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
          if let result, case .execute = step { rows.append(Rows(result)) } else { PQclear(result) }
        case PGRES_PIPELINE_ABORTED:
          PQclear(result)
          if case .prepare(let name, _) = step { cache.forget(name) }
        case PGRES_FATAL_ERROR:
          defer { PQclear(result) }
          let error = error(result, step, statements[step.statement])
          if error.sqlState == nil { throw .connection(error.message) }
          failure = failure ?? error
          // The server closes after FATAL and PANIC, and the rest has no results.
          let severity = errorField(result, DiagnosticField.severity)
          if severity != "ERROR" { throw .connection(error.message) }
        default:
          PQclear(result)
          failure = PostgresError(
            .usage, .statement, "COPY is not supported, and the connection had to be closed",
            statement: statements[step.statement].sql)
          throw .connection("COPY")
        }
        open = open.dropFirst()
        PQclear(try wire.nextResult())  // nil: the end of this step's results
      }
      let sync = try wire.nextResult()
      let isSync = PQresultStatus(sync) == PGRES_PIPELINE_SYNC
      PQclear(sync)
      guard isSync, PQexitPipelineMode(wire.handle) == 1 else {
        throw .connection(wire.errorMessage)
      }
    } catch {
      let loss = lossError(error, open.first.map { statements[$0.statement] } ?? statements.last)
      retire(failure ?? loss)
      if failure == nil {
        let committing = statements.indices.filter { statements[$0].operation == .commit }
        let firstOpen = open.first?.statement ?? statements.count
        // The server reports a COMMIT after it is done (exec_execute_message), so with its result
        // at hand nothing is lost but the connection.
        if open.isEmpty, !committing.isEmpty { return rows }
        throw committing.contains { $0 >= firstOpen } ? loss.asCommitUnknown() : loss
      }
    }
    if let failure { throw failure }
    return rows
  }

  /// The error that a step's result carries; a statement that is prepared no more is forgotten.
  private func error(_ result: OpaquePointer?, _ step: Step, _ statement: Statement)
    -> PostgresError
  {
    noteStandby(result)
    var isStale = false
    switch step {
    case .prepare(let name, _):
      cache.forget(name)
    case .execute(.some(let name), _):
      // After DEALLOCATE ALL or DISCARD, and after a change of the tables that changes the columns
      // of the result ("cached plan must not change result type"): preparing it again helps.
      let state = errorField(result, DiagnosticField.sqlState).map(SQLState.init(rawValue:))
      isStale =
        state == .invalidSQLStatementName
        || (state == .featureNotSupported
          && errorField(result, DiagnosticField.sourceFunction) == "RevalidateCachedQuery")
      if isStale { cache.forget(name) }
    case .execute(.none, _), .deallocate:
      break
    }
    return PostgresError(
      result: result, operation: statement.operation, statement: statement.sql,
      retriable: isStale ? true : nil)
  }

  func lossError(_ failure: Wire.Failure, _ statement: Statement?) -> PostgresError {
    let operation = statement?.operation ?? .statement
    switch failure {
    case .deadline:
      return PostgresError(
        .timeout, operation, "the server did not answer in time; the connection was closed",
        statement: statement?.sql)
    case .connection(let message):
      return PostgresError(.connection, operation, message, statement: statement?.sql)
    }
  }
}
