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

  /// What is said about the rows is not cleared away with those before them.
  @Test(.timeLimit(.minutes(10))) func noticesStayInSightOnATerminal() async throws {
    try await SmallSystem.with { system in
      let (screen, terminal) = try Self.terminal()
      let process = Process()
      process.executableURL = try OrderlyProcess.program()
      process.arguments = ["get", "orders", "--limit", "1", "-w"]
      process.environment = ["HOME": "/dev/null", "ORDERLY_DATABASE_URL": system.database]
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = terminal
      process.standardError = terminal
      let (chunks, reading) = AsyncStream.makeStream(of: String.self)
      screen.readabilityHandler = { handle in
        reading.yield(String(decoding: handle.availableData, as: UTF8.self))
      }
      let (ends, ending) = AsyncStream.makeStream(of: Void.self)
      process.terminationHandler = { _ in ending.finish() }
      try process.run()
      var shown = ""
      for await chunk in chunks {
        shown += chunk
        if shown.contains("Only the newest 1 are shown") { break }
      }
      screen.readabilityHandler = nil
      kill(process.processIdentifier, SIGINT)
      for await _ in ends {}
      #expect(shown.hasPrefix("\u{1b}[H\u{1b}[2J"))
    }
  }

  /// Both ends of a new terminal that is nobody's controlling one.
  private static func terminal() throws -> (screen: FileHandle, terminal: FileHandle) {
    let screen = open("/dev/ptmx", O_RDWR | O_NOCTTY)
    // TIOCSPTLCK and TIOCGPTN of ioctl_tty(2), which are macros that Swift does not see.
    var (lock, number): (Int32, Int32) = (0, -1)
    try #require(ioctl(screen, 0x4004_5431, &lock) == 0 && ioctl(screen, 0x8004_5430, &number) == 0)
    let terminal = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
    try #require(terminal >= 0)
    return (
      FileHandle(fileDescriptor: screen, closeOnDealloc: true),
      FileHandle(fileDescriptor: terminal, closeOnDealloc: true)
    )
  }
}
