import Fleet
import Postgres

/// Runs `body` and says what it throws in the runtime's terms.
func reportingStoreErrors<Result: Sendable>(
  _ body: () async throws -> Result
) async throws -> Result {
  do {
    return try await body()
  } catch let error as PostgresError {
    throw StoreError(error)
  } catch let error as UnreadableRow {
    // The row is the same on every attempt: the events that need it are dead-lettered, and the
    // others of the lane go on.
    throw StoreError.rejected(error.description)
  } catch let error as DecodingError {
    throw StoreError.rejected("a row holds JSON that can't be read: \(error)")
  }
}

extension StoreError {
  /// What a lane has to do about an error of the database.
  init(_ error: PostgresError) {
    let text = StoreError.sentence(error)
    guard let state = error.sqlState else {
      switch (error.kind, error.operation) {
      // What a row holds, as for `UnreadableRow`.
      case (.decoding, .decode): self = .rejected(text)
      case (.decoding, _): self = .misconfigured(text)
      // A value that can't be sent, such as a text with U+0000.
      case (.usage, .statement): self = .rejected(text)
      // Lost connections, deadlines, an unknown COMMIT; wrong passwords without a code.
      default: self = .unavailable(text)
      }
      return
    }
    switch state {
    case _ where error.operation == .connect:
      // An unknown role is 22023 there, a class that would blame an event below.
      self = .unavailable(text)
    case .serializationFailure, .deadlockDetected, .lockNotAvailable:
      self = .conflict(text)
    case .undefinedTable, .undefinedColumn, .undefinedSchema:
      self = .misconfigured("\(text). Run 'orderly db migrate'.")
    // Values and constraints; a check option; a limit, as on the size of an index row; a trigger's
    // own error.
    case _ where ["22", "23", "44", "54", "P0"].contains(state.errorClass):
      self = .rejected(text)
    case _
    where error.isRetriable || ["08", "53", "57", "58", "28", "3D"].contains(state.errorClass):
      self = .unavailable(text)
    default:
      self = .misconfigured(text)
    }
  }

  /// What is logged, and written into dead letters. The detail of a violated constraint quotes the
  /// row, which may be a person's.
  private static func sentence(_ error: PostgresError) -> String {
    guard let state = error.sqlState, state.errorClass == "23" else { return error.description }
    let constraint = error.constraint.map { "; constraint \($0)" } ?? ""
    return "Postgres: \(error.message) (SQLSTATE \(state))\(constraint)"
  }
}
