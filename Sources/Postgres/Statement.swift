/// An SQL statement with its parameters.
public struct Statement: Sendable {
  /// One statement, with `$1`, `$2`, … for the parameters.
  public let sql: String
  /// The values; nil is NULL.
  public let parameters: [(any PostgresEncodable)?]
  /// Whether the connection keeps the statement prepared under its text.
  public let isCached: Bool

  /// - Parameters:
  ///   - sql: one statement, with `$1`, `$2`, … for the parameters. Values belong into parameters:
  ///     a text that is new each time fills the statement cache.
  ///   - cached: false for a statement that is not repeated on this connection.
  public init(_ sql: String, _ parameters: (any PostgresEncodable)?..., cached: Bool = true) {
    self.init(sql, parameters: parameters, cached: cached)
  }

  /// The same with the parameters in an array.
  public init(_ sql: String, parameters: [(any PostgresEncodable)?], cached: Bool = true) {
    self.sql = sql
    self.parameters = parameters
    isCached = cached
  }

  /// `COMMIT`, for the end of a pipeline.
  public static let commit = Statement("COMMIT")
  /// `ROLLBACK`
  static let rollback = Statement("ROLLBACK")

  /// `BEGIN` with its modes.
  static func begin(_ isolation: IsolationLevel = .readCommitted, readOnly: Bool = false)
    -> Statement
  {
    Statement("BEGIN ISOLATION LEVEL \(isolation.rawValue)\(readOnly ? " READ ONLY" : "")")
  }

  /// What an error in this statement is reported as. `COMMIT PREPARED` and `COMMIT AND CHAIN` lose
  /// their answer like any COMMIT.
  var operation: PostgresError.Operation {
    switch firstWord {
    case "begin", "start": .begin
    case "commit", "end": .commit
    case "rollback", "abort": .rollback
    default: .statement
    }
  }

  /// In lower case; empty if it is longer than any that matters, which most are.
  private var firstWord: String {
    let word = sql.utf8.drop { $0 <= 32 }.prefix(9).prefix { $0 > 32 && $0 != UInt8(ascii: ";") }
    return word.count > 8 ? "" : (String(word) ?? "").lowercased()
  }
}

/// How far a transaction is kept apart from those beside it.
public enum IsolationLevel: String, Sendable {
  case readCommitted = "READ COMMITTED"
  case repeatableRead = "REPEATABLE READ"
}
