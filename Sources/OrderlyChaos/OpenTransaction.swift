import FleetProcesses
import Foundation
import Postgres

/// A transaction that stays open while something else happens. It has a thread of its own, which
/// waits: a pool would end it when it gets the connection back.
enum OpenTransaction {
  /// Runs `body` after a script has run in a transaction, and rolls that back afterwards.
  static func with<R>(
    _ url: String, _ script: String, isolation: String = "READ COMMITTED",
    _ body: () async throws -> R
  ) async throws -> R {
    let end = DispatchSemaphore(value: 0)
    let (ended, hasEnded) = AsyncStream<Void>.makeStream()
    let begun: Result<Void, any Error> = await withCheckedContinuation { continuation in
      Thread.detachNewThread {
        do {
          let connection = try Connection.connect(try ConnectionConfiguration(url: url))
          defer { connection.close() }
          try connection.executeScript("BEGIN ISOLATION LEVEL \(isolation); \(script)")
          continuation.resume(returning: .success(()))
          end.wait()
        } catch {
          continuation.resume(returning: .failure(error))
        }
        hasEnded.finish()
      }
    }
    try begun.get()
    let result = await catching(body)
    end.signal()
    for await _ in ended {}
    return try result.get()
  }
}
