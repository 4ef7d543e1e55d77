extension Connection {
  /// Runs the body in a transaction: COMMIT when it returns, ROLLBACK when it throws.
  ///
  /// BEGIN travels with the first statement, and what ``executeLater(_:)`` queued with the COMMIT.
  /// A body that sent no statement costs no round trip.
  ///
  /// What the body throws is thrown on. If the rollback fails as well, the connection is broken,
  /// and ``breakage`` says why. A body that catches the error of a statement and returns does not
  /// commit: the server has given the transaction up, which is thrown as 25P02. A body that ended
  /// the transaction itself, with a COMMIT in a pipeline, is left at that.
  ///
  /// - Throws: what the body throws; errors of BEGIN and COMMIT, told apart by
  ///   ``PostgresError/operation``; `commitUnknown` when the answer to COMMIT was lost; `usage` when
  ///   a transaction is open already.
  @discardableResult
  public func transaction<R>(
    isolation: IsolationLevel = .readCommitted, readOnly: Bool = false,
    _ body: (Connection) throws -> R
  ) throws -> R {
    _ = try usableHandle(.begin)
    guard transactionStatus == .idle else {
      throw PostgresError(.usage, .begin, "a transaction is open already; they do not nest")
    }
    pending = [.begin(isolation, readOnly: readOnly)]
    let result: R
    do {
      result = try body(self)
    } catch {
      rollBack()
      throw error
    }
    try commit()
    return result
  }

  private func commit() throws(PostgresError) {
    // The body may have caught the error of a lost connection; the server has rolled back.
    _ = try usableHandle(.commit)
    switch transactionStatus {
    case .idle:
      return
    case .inTransaction where pending.count == 1 && !isOpenOnServer:
      pending = []  // BEGIN was never sent
    case .inTransaction:
      do throws(PostgresError) {
        try pipeline([.commit])
      } catch {
        rollBack()
        throw error
      }
    case .failed, .unknown:
      rollBack()
      throw PostgresError(
        .server(.inFailedSQLTransaction), .commit,
        "the transaction was rolled back: one of its statements failed, and its error was caught")
    }
  }

  /// Rolls back if a transaction is open. A failure breaks the connection: nobody may get it with
  /// a transaction still open.
  private func rollBack() {
    pending = []
    guard !isBroken, transactionStatus != .idle else { return }
    do throws(PostgresError) {
      let timeout = min(configuration.responseTimeout, .seconds(5))
      _ = try run([.rollback], timeout: timeout)
    } catch {
      retire(error)
    }
  }

  /// Runs the body while this session holds a lock of the whole database (`pg_advisory_lock`).
  ///
  /// Throws what the body throws, and as ``execute(_:_:cached:timeout:)``. When the lock cannot be
  /// given back the connection is closed, which gives it back.
  @discardableResult
  public func withAdvisoryLock<R>(_ key: Int64, _ body: (Connection) throws -> R) throws -> R {
    try execute("select pg_advisory_lock($1)", key)
    defer {
      do throws(PostgresError) {
        try execute("select pg_advisory_unlock($1)", key)
      } catch {
        retire(error)
      }
    }
    return try body(self)
  }
}
