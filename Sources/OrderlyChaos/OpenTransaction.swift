import FleetProcesses
import Foundation
import Postgres

/// A transaction that stays open while something else happens. It has a thread of its own, which
/// waits: a pool would end it when it gets the connection back.
enum OpenTransaction {
  /// Runs `body` after a script has run in a transaction, and rolls that back afterwards.
  static func with<R>(
    _ url: String, _ script: String, _ body: () async throws -> R
  ) async throws -> R {
    var configuration = try ConnectionConfiguration(url: url)
    configuration.idleInTransactionTimeout = nil
    let end = DispatchSemaphore(value: 0)
    let (ended, hasEnded) = AsyncThrowingStream<Void, any Error>.makeStream()
    let begun: Result<Void, any Error> = await withCheckedContinuation { continuation in
      Thread.detachNewThread { [configuration] in
        let connection: Connection
        do {
          connection = try Connection.connect(configuration)
          try connection.executeScript("BEGIN; \(script)")
        } catch {
          continuation.resume(returning: .failure(error))
          return
        }
        defer { connection.close() }
        continuation.resume(returning: .success(()))
        end.wait()
        // It stood to the end only if the connection is still there.
        do {
          try connection.executeScript("ROLLBACK")
          hasEnded.finish()
        } catch {
          hasEnded.finish(throwing: error)
        }
      }
    }
    try begun.get()
    let result = await catching(body)
    end.signal()
    let stood = await catching { for try await _ in ended {} }
    let value = try result.get()
    try stood.get()
    return value
  }
}
