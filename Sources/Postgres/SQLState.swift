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

  public var description: String { rawValue }

  public static let connectionException = SQLState(rawValue: "08000")
  public static let featureNotSupported = SQLState(rawValue: "0A000")
  public static let numericValueOutOfRange = SQLState(rawValue: "22003")
  public static let divisionByZero = SQLState(rawValue: "22012")
  public static let invalidTextRepresentation = SQLState(rawValue: "22P02")
  public static let notNullViolation = SQLState(rawValue: "23502")
  public static let foreignKeyViolation = SQLState(rawValue: "23503")
  public static let uniqueViolation = SQLState(rawValue: "23505")
  public static let checkViolation = SQLState(rawValue: "23514")
  public static let exclusionViolation = SQLState(rawValue: "23P01")
  public static let readOnlySQLTransaction = SQLState(rawValue: "25006")
  public static let inFailedSQLTransaction = SQLState(rawValue: "25P02")
  public static let idleInTransactionSessionTimeout = SQLState(rawValue: "25P03")
  public static let invalidSQLStatementName = SQLState(rawValue: "26000")
  public static let invalidAuthorization = SQLState(rawValue: "28000")
  public static let invalidPassword = SQLState(rawValue: "28P01")
  public static let undefinedDatabase = SQLState(rawValue: "3D000")
  public static let undefinedSchema = SQLState(rawValue: "3F000")
  public static let serializationFailure = SQLState(rawValue: "40001")
  public static let statementCompletionUnknown = SQLState(rawValue: "40003")
  public static let deadlockDetected = SQLState(rawValue: "40P01")
  public static let insufficientPrivilege = SQLState(rawValue: "42501")
  public static let syntaxError = SQLState(rawValue: "42601")
  public static let undefinedColumn = SQLState(rawValue: "42703")
  public static let undefinedFunction = SQLState(rawValue: "42883")
  public static let undefinedTable = SQLState(rawValue: "42P01")
  public static let duplicateTable = SQLState(rawValue: "42P07")
  public static let diskFull = SQLState(rawValue: "53100")
  public static let tooManyConnections = SQLState(rawValue: "53300")
  public static let lockNotAvailable = SQLState(rawValue: "55P03")
  public static let queryCanceled = SQLState(rawValue: "57014")
  public static let adminShutdown = SQLState(rawValue: "57P01")
  public static let crashShutdown = SQLState(rawValue: "57P02")
  public static let cannotConnectNow = SQLState(rawValue: "57P03")
  public static let raiseException = SQLState(rawValue: "P0001")

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
