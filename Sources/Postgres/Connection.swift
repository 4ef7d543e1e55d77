import CPQ

/// One connection to a server. Every call waits for the answer, at most until its deadline.
///
/// It belongs to one thread at a time and therefore is not Sendable: keep it in an actor whose
/// executor may block, as ``Pool`` does. It has to be closed: when it is let go of while it is
/// open, a debug build stops, and a release build leaks the socket.
///
/// ```swift
/// let connection = try Connection.connect(ConnectionConfiguration(url: url))
/// defer { connection.close() }
/// let rows = try connection.execute("select id, total from orders where customer = $1", customer)
/// for row in rows { print(try row[0, as: UUID.self], try row["total", as: Int64.self]) }
/// ```
public final class Connection {
  let configuration: ConnectionConfiguration
  private(set) var handle: OpaquePointer?
  private let noticeHandler: NoticeHandler
  var cache: StatementCache
  var parameters = ParameterBuffer()
  /// What goes to the server in front of the next statement.
  var pending: [Statement] = []

  /// Why the connection cannot be used any more; nil while it can.
  public private(set) var breakage: PostgresError?

  /// Whether the server refused a write, as one does that was demoted to a standby. It keeps its
  /// connections; a new one finds the new primary.
  private(set) var mayLeadToStandby = false

  /// The version of the server as a number: 150018 is 15.18.
  public let serverVersion: Int
  /// The server's process for this connection, as in `pg_stat_activity`.
  public let processID: Int32

  init(
    handle: OpaquePointer, configuration: ConnectionConfiguration, noticeHandler: NoticeHandler
  ) {
    self.handle = handle
    self.configuration = configuration
    self.noticeHandler = noticeHandler
    cache = StatementCache(capacity: configuration.statementCacheCapacity)
    serverVersion = Int(PQserverVersion(handle))
    processID = PQbackendPID(handle)
  }

  deinit {
    assert(handle == nil, "a Postgres connection has to be closed before it is let go of")
  }

  /// Whether the connection is lost or closed. A broken one stays so: make a new one.
  public var isBroken: Bool { handle == nil }

  /// Whether a transaction is open.
  public enum TransactionStatus: Hashable, Sendable {
    case idle
    case inTransaction
    /// A statement failed; the server takes nothing but a rollback.
    case failed
    /// The connection is broken.
    case unknown
  }

  /// The transaction's status as the server told it last. A transaction whose BEGIN waits for its
  /// first statement is open.
  public var transactionStatus: TransactionStatus {
    guard let handle else { return .unknown }
    switch PQtransactionStatus(handle) {
    case PQTRANS_IDLE: return pending.isEmpty ? .idle : .inTransaction
    case PQTRANS_INTRANS: return .inTransaction
    case PQTRANS_INERROR: return .failed
    default: return .unknown
    }
  }

  /// Whether the server knows of the transaction: BEGIN was sent.
  var isOpenOnServer: Bool {
    handle.map { PQtransactionStatus($0) != PQTRANS_IDLE } ?? false
  }

  /// Runs one statement, parameters and results in binary.
  ///
  /// - Parameters:
  ///   - sql: one statement, with `$1`, `$2`, … for the parameters.
  ///   - parameters: the values; nil is NULL. Strings are sent untyped, so that they fit columns of
  ///     every type; where the server cannot tell a type it needs a cast: `$1::text`.
  ///   - cached: false for a statement that is not repeated. Others stay prepared on the connection
  ///     under their text, ``ConnectionConfiguration/statementCacheCapacity`` of them.
  ///   - timeout: how long to wait for the answer; ``ConnectionConfiguration/responseTimeout`` if
  ///     nil.
  /// - Throws: `server` with the SQLSTATE, and the connection stays usable; `timeout` or
  ///   `connection`, and it is broken; `usage` for what cannot be sent; `commitUnknown`.
  @discardableResult
  public func execute(
    _ sql: String, _ parameters: (any PostgresEncodable)?..., cached: Bool = true,
    timeout: Duration? = nil
  ) throws(PostgresError) -> Rows {
    try execute(Statement(sql, parameters: parameters, cached: cached), timeout: timeout)
  }

  /// Runs one statement. See ``execute(_:_:cached:timeout:)``.
  @discardableResult
  public func execute(_ statement: Statement, timeout: Duration? = nil) throws(PostgresError)
    -> Rows
  {
    try pipeline([statement], timeout: timeout)[0]
  }

  /// Runs several statements in one round trip.
  ///
  /// The server takes them in order. The first error skips the rest and is thrown; the results of
  /// those before are lost. Outside a transaction block the statements are a transaction of their
  /// own, unless `BEGIN` and `COMMIT` are among them. ``Statement/commit`` may be the last one; when
  /// its answer is lost, the error is `commitUnknown`. (A COMMIT is known by the first word of the
  /// text.)
  ///
  /// - Returns: the result of each statement, in order.
  /// - Throws: as ``execute(_:_:cached:timeout:)``.
  @discardableResult
  public func pipeline(_ statements: [Statement], timeout: Duration? = nil) throws(PostgresError)
    -> [Rows]
  {
    guard !statements.isEmpty else { return [] }
    let waiting = pending.count
    let all = pending + statements
    // What cannot be encoded is not sent, and the statements that wait go with the next call.
    let results = try run(all, timeout: timeout)
    return waiting == 0 ? results : Array(results[waiting...])
  }

  /// Queues a statement of a transaction whose result nobody needs: it travels in front of the next
  /// statement or of the COMMIT, without a round trip of its own. Its error is thrown there.
  ///
  /// - Throws: `usage` outside of ``transaction(isolation:readOnly:_:)``.
  public func executeLater(_ statement: Statement) throws(PostgresError) {
    guard transactionStatus == .inTransaction else {
      throw PostgresError(
        .usage, .statement, "a statement can only be put off within a transaction",
        statement: statement.sql)
    }
    pending.append(statement)
  }

  /// Queues a statement. See ``executeLater(_:)-(Statement)``.
  public func executeLater(_ sql: String, _ parameters: (any PostgresEncodable)?...)
    throws(PostgresError)
  {
    try executeLater(Statement(sql, parameters: parameters))
  }

  /// Looks for a lost connection without asking the server: true if nothing speaks against it.
  ///
  /// Finds a server that stopped or ended the session since the last call.
  public func checkAlive() -> Bool {
    guard let handle else { return false }
    let wire = Wire(handle: handle, deadline: .now)
    repeat {
      // A server that ends a session says FATAL, which libpq takes for a notice while no statement
      // runs, and hangs up, which it sees at the next read.
      let isRead = PQconsumeInput(handle) == 1
      _ = PQisBusy(handle)
      if !isRead || wire.isLost || noticeHandler.sawFatal {
        let reason = wire.errorMessage
        retire(
          PostgresError(
            .connection, .statement, reason.isEmpty ? "the server ended the session" : reason))
        return false
      }
    } while wire.isReadable
    return true
  }

  /// Closes the connection; does not wait for the server. An open transaction is rolled back by it.
  public func close() {
    retire(PostgresError(.usage, .statement, "it was closed"))
  }

  /// Closes the socket and remembers why. The first reason stays.
  ///
  /// The socket is nonblocking, so PQfinish does not wait: what the kernel does not take of its
  /// goodbye is dropped. PQcancel is not used, it blocks until a frozen server would answer.
  func retire(_ reason: PostgresError) {
    guard let handle else { return }
    self.handle = nil
    breakage = reason
    pending = []
    PQfinish(handle)
  }

  func noteStandby(_ result: OpaquePointer?) {
    if errorField(result, DiagnosticField.sqlState) == SQLState.readOnlySQLTransaction.rawValue {
      mayLeadToStandby = true
    }
  }

  /// The handle, or why there is none.
  func usableHandle(_ operation: PostgresError.Operation) throws(PostgresError) -> OpaquePointer {
    if let handle { return handle }
    let reason = breakage?.message ?? ""
    throw PostgresError(
      breakage?.kind == .usage ? .usage : .connection, operation,
      "the connection cannot be used any more: \(reason)")
  }

  func deadline(_ timeout: Duration?) -> ContinuousClock.Instant {
    .now + min(timeout ?? configuration.responseTimeout, .seconds(365 * 86_400))
  }
}
