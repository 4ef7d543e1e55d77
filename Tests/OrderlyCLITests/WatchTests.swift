import Foundation
import Testing

/// `-w` prints until it is interrupted, and that is no failure.
@Suite struct WatchTests {
  @Test(.timeLimit(.minutes(10)), arguments: [SIGINT, SIGTERM])
  func watchingEndsWithTheSignal(_ signal: Int32) async throws {
    try await OwnServers.withDatabase { url in
      let migrated = try await OrderlyProcess(environment: ["ORDERLY_DATABASE_URL": url])
        .run("db", "migrate")
      try #require(migrated.status == 0)
      let process = Process()
      process.executableURL = try OrderlyProcess.program()
      process.arguments = ["get", "orders", "-w"]
      process.environment = ["HOME": "/dev/null", "ORDERLY_DATABASE_URL": url]
      let pipe = Pipe()
      process.standardOutput = FileHandle.nullDevice
      process.standardError = pipe
      let (chunks, reading) = AsyncStream.makeStream(of: String.self)
      pipe.fileHandleForReading.readabilityHandler = { handle in
        reading.yield(String(decoding: handle.availableData, as: UTF8.self))
      }
      let (ends, ending) = AsyncStream.makeStream(of: Int32.self)
      process.terminationHandler = { process in
        ending.yield(process.terminationReason == .exit ? process.terminationStatus : -1)
        ending.finish()
      }
      try process.run()
      // Twice, so that it has been printed anew.
      var printed = ""
      for await chunk in chunks {
        printed += chunk
        if printed.hasPrefix("No orders found.\nNo orders found.\n") { break }
      }
      pipe.fileHandleForReading.readabilityHandler = nil
      kill(process.processIdentifier, signal)
      let status = await ends.first { _ in true }
      #expect(status == 0)
    }
  }
}
