import Foundation
import Postgres
import Testing

@testable import OrderlyCLI

/// `orderly dev`, as a process that is interrupted.
@Suite struct DevTests {
  @Test(.timeLimit(.minutes(10))) func theThrowAwayPostgresWantsItsPassword() async throws {
    try await withTemporaryFolder { folder in
      let dev = try DevProcess(["dev", "--postgres-only"], folder)
      let url = try #require(await dev.line { $0.hasPrefix("postgresql://") })
      let given = try ConnectionConfiguration(url: url)
      let user = try Connection.with(given) {
        try $0.execute("SELECT current_user::text").scalar(as: String.self)
      }
      #expect(user == "orderly")
      var wrong = given
      wrong.password = "wrong"
      let error = #expect(throws: PostgresError.self) { try Connection.with(wrong) { _ in } }
      #expect(error?.kind == .authentication)

      // A user who is named as a service's role has a wrong password, not a missing migration.
      let password = try #require(given.password)
      let asRole = url.replacing("orderly:\(password)", with: "orderly_orders:wrong")
      let doctor = try await OrderlyProcess(environment: ["ORDERLY_DATABASE_URL": asRole])
        .run("doctor")
      #expect(doctor.output.contains("password authentication failed"))
      #expect(!doctor.output.contains("db migrate"))

      #expect(await dev.interrupt() == 0)
      #expect(try dev.leftovers().isEmpty)
    }
  }

  /// While Postgres is made, when the workers run, and while a command of its own does.
  @Test(
    .timeLimit(.minutes(10)),
    arguments: ["  Postgres: starting", "  Workers:", "$ orderly publish"])
  func interruptingLeavesNothing(_ moment: String) async throws {
    try await withTemporaryFolder { folder in
      let dev = try DevProcess(["dev", "--orders", "2000", "--seed", "1"], folder)
      let isThere = await dev.line { $0.hasPrefix(moment) }
      #expect(isThere != nil)
      #expect(await dev.interrupt() == 0)
      #expect(try dev.leftovers().isEmpty)
      #expect(
        !FileManager.default.fileExists(atPath: folder.path + "/.local/state/orderly/dev.yaml"))
    }
  }
}

/// A running `orderly dev`, with a folder for its temporary files.
private final class DevProcess {
  private let process = Process()
  private let folder: URL
  private let ends: AsyncStream<Int32>
  private let pipe = Pipe()

  init(_ arguments: [String], _ folder: URL) throws {
    self.folder = folder
    let (ends, ending) = AsyncStream.makeStream(of: Int32.self)
    self.ends = ends
    process.executableURL = try OrderlyProcess.program()
    process.arguments = arguments
    process.environment = [
      "PATH": "/usr/bin:/bin", "HOME": folder.path, "TMPDIR": folder.path,
      "ORDERLY_TOPICS": OrderlyProcess.topics,
    ]
    process.standardOutput = pipe
    process.standardError = pipe
    process.terminationHandler = { process in
      ending.yield(process.terminationReason == .exit ? process.terminationStatus : -1)
      ending.finish()
    }
    // Postgres's own user must get through.
    try FileManager.default.setAttributes([.posixPermissions: 0o711], ofItemAtPath: folder.path)
    try process.run()
  }

  /// Reads until a line is as wanted; nil when the process has ended before.
  func line(_ isWanted: (String) -> Bool) async -> String? {
    let handle = pipe.fileHandleForReading
    let (chunks, reading) = AsyncStream.makeStream(of: String.self)
    handle.readabilityHandler = { handle in
      let data = handle.availableData
      if data.isEmpty {
        reading.finish()
      } else {
        reading.yield(String(decoding: data, as: UTF8.self))
      }
    }
    var text = ""
    var line: String?
    for await chunk in chunks {
      text += chunk
      // The last one may go on.
      line = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        .map(String.init).first(where: isWanted)
      if line != nil { break }
    }
    // What comes later is read and dropped, so that the process is not held up.
    handle.readabilityHandler = { if $0.availableData.isEmpty { $0.readabilityHandler = nil } }
    return line
  }

  /// Sends SIGINT, and gives the exit status; -1 for the end by a signal.
  func interrupt() async -> Int32? {
    kill(process.processIdentifier, SIGINT)
    return await ends.first { _ in true }
  }

  /// Folders that are left, and processes that know of this one's folder.
  func leftovers() throws -> [String] {
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasPrefix("orderly-") }
    let processes = try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { name in
      guard Int(name) != nil,
        let environment = FileManager.default.contents(atPath: "/proc/\(name)/environ"),
        // One that has ended and was not waited for has nothing here.
        !environment.isEmpty
      else { return false }
      return String(decoding: environment, as: UTF8.self).contains("TMPDIR=\(folder.path)")
    }
    return files + processes
  }
}
