/// What went wrong, where, and whether trying again can help.
public struct PostgresError: Error, Sendable, CustomStringConvertible {
  /// The closed list of causes.
  public enum Kind: Hashable, Sendable {
    /// No connection could be made, or it was lost. Outside a transaction block the outcome of the
    /// statement that was running is unknown; inside one the server rolls back.
    case connection
    /// The server refused the user or the password.
    case authentication
    /// No answer within the deadline; the connection is closed. With ``Operation/acquire``: no
    /// connection of the pool became free in time.
    case timeout
    /// The server reported an error.
    case server(SQLState)
    /// A value does not have the type that was asked for.
    case decoding
    /// The call was wrong in itself: a parameter that cannot be sent, a nested transaction, a
    /// closed connection. Trying again gives the same.
    case usage
    /// The answer to a COMMIT was lost: the transaction may or may not have taken effect.
    case commitUnknown
    /// The pool has been closed.
    case poolClosed

    fileprivate var isTransient: Bool {
      switch self {
      case .connection, .timeout: true
      case .server(let state): state.isTransient
      case .authentication, .decoding, .usage, .commitUnknown, .poolClosed: false
      }
    }
  }

  /// What was being done.
  public enum Operation: String, Hashable, Sendable {
    case acquire, connect, begin, statement, rollback, commit, decode
  }

  /// The cause.
  public let kind: Kind
  /// What was being done when it happened.
  public let operation: Operation
  /// The server's code, where the server gave one.
  public let sqlState: SQLState?
  /// The primary message, one line.
  public let message: String
  /// The server's DETAIL, which may quote values of the row; nil where it gave none.
  public let detail: String?
  /// What may help, by the server's HINT or by this library; nil where nothing is known.
  public let hint: String?
  /// The violated constraint.
  public let constraint: String?
  /// The SQL text, shortened; parameters are never part of it.
  public let statement: String?

  /// Whether the same work may succeed later on a new connection.
  ///
  /// True for lost connections, deadlines and the passing conditions of ``SQLState/isTransient``.
  /// False for ``Kind/commitUnknown``: only the caller knows whether doing the work twice is safe.
  /// A statement outside a transaction whose answer was lost may have taken effect as well; where
  /// that matters use a transaction.
  public let isRetriable: Bool

  init(
    _ kind: Kind, _ operation: Operation, _ message: String, detail: String? = nil,
    hint: String? = nil, constraint: String? = nil, sqlState: SQLState? = nil,
    statement: String? = nil, retriable: Bool? = nil
  ) {
    self.kind = kind
    self.operation = operation
    self.message = message
    self.detail = detail
    self.hint = hint
    self.constraint = constraint
    self.statement = statement.map(Self.shortened)
    if case .server(let state) = kind { self.sqlState = state } else { self.sqlState = sqlState }
    isRetriable = retriable ?? kind.isTransient
  }

  /// One line: operation, message, code, and what the server added.
  public var description: String {
    var text = "Postgres \(operation.rawValue): \(message)"
    if let sqlState { text += " (SQLSTATE \(sqlState))" }
    if let detail { text += "; \(detail)" }
    if let hint { text += "; hint: \(hint)" }
    if let constraint { text += "; constraint \(constraint)" }
    if let statement { text += "; in: \(statement)" }
    return text
  }

  /// White space runs become one space, and what is longer than 200 characters is cut.
  static func shortened(_ sql: String) -> String {
    // Only so much is looked at as can be shown: a script may have megabytes.
    let words = sql.prefix(1000).split(whereSeparator: \.isWhitespace)
    let line = words.joined(separator: " ")
    return line.count > 200 || sql.utf8.count > 4000 ? line.prefix(200) + "…" : line
  }
}
