import Contracts
import Postgres
import Settings

extension GlobalOptions {
  /// Runs `body` in a read-only transaction on a service's schema, in which everything is as of one
  /// moment.
  ///
  /// - Throws: ``CommandFailure`` in the place of a `PostgresError`; what else `body` throws.
  func read<R: Sendable>(
    _ service: ServiceName, _ body: @escaping @Sendable (Connection) throws -> R
  ) async throws -> R {
    let database = try settings().database(of: service, applicationName: "orderly-cli")
    do {
      return try await withConnection(database) { connection in
        try connection.transaction(isolation: .repeatableRead, readOnly: true, body)
      }
    } catch let error as PostgresError {
      throw CommandFailure(error.trouble(at: database.description).sentence)
    }
  }
}
