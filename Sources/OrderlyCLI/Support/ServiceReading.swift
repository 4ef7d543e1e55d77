import Contracts
import Postgres
import Settings

extension GlobalOptions {
  /// Runs `body` in a read-only transaction on a service's schema, in which everything is as of one
  /// moment.
  ///
  /// - Parameter takesLong: whether a statement may take minutes, as on all rows of a large table.
  /// - Throws: ``CommandFailure`` in the place of a `PostgresError`; what else `body` throws.
  func read<R: Sendable>(
    _ service: ServiceName, takesLong: Bool = false,
    _ body: @escaping @Sendable (Connection) throws -> R
  ) async throws -> R {
    var database = try settings().database(of: service, applicationName: "orderly-cli")
    if takesLong { database.allowLongStatements() }
    do {
      return try await withConnection(database) { connection in
        try connection.transaction(isolation: .repeatableRead, readOnly: true, body)
      }
    } catch let error as PostgresError {
      throw CommandFailure(error.trouble(at: database.description).sentence)
    }
  }
}

extension ConnectionConfiguration {
  /// Ten minutes for a statement, in the place of the seconds that suit a service.
  mutating func allowLongStatements() {
    statementTimeout = .seconds(600)
    responseTimeout = .seconds(610)
  }
}
