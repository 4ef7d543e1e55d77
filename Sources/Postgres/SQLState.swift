/// A five-character error code of the server (PostgreSQL manual, appendix A).
///
/// Codes without a constant here are as good: `SQLState(rawValue: "22012")`.
public struct SQLState: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// The five characters: two for the class, three for the condition.
  public let rawValue: String

  /// Takes the code as the server writes it, for example `23505`.
  public init(rawValue: String) { self.rawValue = rawValue }

  /// The first two characters, which name the class: `23` is every integrity constraint.
  public var errorClass: Substring { rawValue.prefix(2) }

  /// The five characters.
  public var description: String { rawValue }

  /// `0A000`: the server does not have what was asked for; also a cached plan whose result type has
  /// changed.
  public static let featureNotSupported = SQLState(rawValue: "0A000")
  /// `22012`: a division by zero.
  public static let divisionByZero = SQLState(rawValue: "22012")
  /// `23505`: a row with the same key is there already.
  public static let uniqueViolation = SQLState(rawValue: "23505")
  /// `23514`: a row does not meet a CHECK constraint.
  public static let checkViolation = SQLState(rawValue: "23514")
  /// `25006`: a write in a read-only transaction, or on a standby after a failover.
  public static let readOnlySQLTransaction = SQLState(rawValue: "25006")
  /// `25P02`: a statement after a failed one; the transaction can only be rolled back.
  public static let inFailedSQLTransaction = SQLState(rawValue: "25P02")
  /// `25P03`: the server ended a session that sat in an open transaction for too long.
  public static let idleInTransactionSessionTimeout = SQLState(rawValue: "25P03")
  /// `26000`: a prepared statement that the server does not know, as behind a pooler.
  public static let invalidSQLStatementName = SQLState(rawValue: "26000")
  /// `28P01`: the password is wrong.
  public static let invalidPassword = SQLState(rawValue: "28P01")
  /// `3D000`: there is no such database.
  public static let undefinedDatabase = SQLState(rawValue: "3D000")
  /// `3F000`: there is no such schema.
  public static let undefinedSchema = SQLState(rawValue: "3F000")
  /// `40001`: a concurrent transaction was in the way; doing the work again may succeed.
  public static let serializationFailure = SQLState(rawValue: "40001")
  /// `40P01`: two transactions waited for each other, and this one was given up.
  public static let deadlockDetected = SQLState(rawValue: "40P01")
  /// `42501`: the role may not do that.
  public static let insufficientPrivilege = SQLState(rawValue: "42501")
  /// `42703`: there is no such column.
  public static let undefinedColumn = SQLState(rawValue: "42703")
  /// `42P01`: there is no such table, or it is not in the search path.
  public static let undefinedTable = SQLState(rawValue: "42P01")
  /// `42710`: an object of that name, such as a role, is there already.
  public static let duplicateObject = SQLState(rawValue: "42710")
  /// `53300`: the server, the database or the role has no connection left.
  public static let tooManyConnections = SQLState(rawValue: "53300")
  /// `55P03`: a lock was not free at once (NOWAIT) or within `lock_timeout`.
  public static let lockNotAvailable = SQLState(rawValue: "55P03")
  /// `57014`: cancelled, by a request or by `statement_timeout`.
  public static let queryCanceled = SQLState(rawValue: "57014")
  /// `57P01`: the server is stopped, or an administrator has ended the session.
  public static let adminShutdown = SQLState(rawValue: "57P01")

  /// Whether the condition passes by itself, so that the same transaction may succeed later.
  ///
  /// Lost connections (08), conflicts with other transactions (40001, 40P01), a lock that was not
  /// to be had, a statement cancelled by its timeout, exhausted resources (53), a server that
  /// stops, starts or closed the session (57P, 25P03), input/output errors (58), and 25006: after a
  /// failover the old connection leads to a standby, and a new one finds the primary.
  public var isTransient: Bool {
    switch self {
    case .serializationFailure, .deadlockDetected, .lockNotAvailable, .queryCanceled,
      .readOnlySQLTransaction, .idleInTransactionSessionTimeout:
      true
    default:
      switch errorClass {
      case "08", "53", "58": true
      case "57": rawValue.hasPrefix("57P") && rawValue != "57P04"  // 57P04: database dropped
      default: false
      }
    }
  }
}
