package import Foundation
import Synchronization

/// A built program that runs as a process, with nothing of this machine's settings.
package final class Program: Sendable {
  /// What a run has left.
  package struct Outcome: CustomStringConvertible {
    /// The exit status, or the negated number of the signal that ended it.
    package let status: Int32
    /// All of standard output.
    package let output: String
    /// All of standard error.
    package let messages: String

    package var description: String { "exit \(status)\n\(output)\(messages)" }
  }

  /// Of the process; after its end it may become another one's.
  package let processID: Int32
  private let errors = Collected()
  private let output = Collected()
  private let ending: Task<Int32, Never>

  /// The folder of the manifests in this checkout.
  private static let topics = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Topics").path

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - name: of a product of this package, which the build puts beside this process's program.
  ///   - folder: where it is instead.
  ///   - setup: what a shell does before it becomes the program, as `ulimit -n 40`.
  package init(
    _ name: String, in folder: URL? = nil, _ arguments: [String], environment: [String: String],
    after setup: String? = nil
  ) throws {
    let process = Process()
    let program = try folder?.appending(path: name) ?? Self.find(name)
    if let setup {
      process.executableURL = URL(filePath: "/bin/sh")
      process.arguments = ["-c", "\(setup) && exec \"$0\" \"$@\"", program.path] + arguments
    } else {
      process.executableURL = program
      process.arguments = arguments
    }
    process.environment = [
      "PATH": "/usr/bin:/bin", "HOME": "/dev/null", "ORDERLY_TOPICS": Self.topics,
    ].merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    let pipes = [(Pipe(), output), (Pipe(), errors)]
    process.standardOutput = pipes[0].0
    process.standardError = pipes[1].0
    let (statuses, continuation) = AsyncStream<Int32>.makeStream()
    process.terminationHandler = { process in
      continuation.yield(
        process.terminationReason == .uncaughtSignal
          ? -process.terminationStatus : process.terminationStatus)
      continuation.finish()
    }
    try process.run()
    processID = process.processIdentifier
    for (pipe, collected) in pipes {
      try pipe.fileHandleForWriting.close()
      collected.read(pipe.fileHandleForReading)
    }
    ending = Task { [output, errors] in
      let status = await statuses.first { _ in true } ?? -1
      await output.end()
      await errors.end()
      return status
    }
  }

  /// Runs a program to its end.
  package static func run(
    _ name: String, _ arguments: [String], environment: [String: String]
  ) async throws -> Outcome {
    let program = try Program(name, arguments, environment: environment)
    let status = await program.wait()
    return Outcome(status: status, output: program.output.text, messages: program.errors.text)
  }

  /// What it has written on standard error so far, in whole lines.
  package var errorLines: [String] { errors.lines }
  /// The same of standard output.
  package var outputLines: [String] { output.lines }

  /// Its exit status, or the negated number of the signal that ended it.
  @discardableResult
  package func wait() async -> Int32 { await ending.value }

  /// Whether it has not ended yet. One that is stopped by SIGSTOP runs.
  package var isRunning: Bool { kill(processID, 0) == 0 && !isZombie }

  /// Sends it a signal, and does not wait for what comes of it.
  package func signal(_ number: Int32) { kill(processID, number) }

  /// Ended, and not yet waited for by its parent.
  private var isZombie: Bool {
    guard let text = try? String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8) else {
      return true
    }
    return text.split(separator: ")").last?.hasPrefix(" Z") ?? true
  }

  /// Looks beside this process's program, and in the folders above: a test's is in a bundle.
  ///
  /// - Throws: ``NotReached`` when it is not built.
  package static func find(_ name: String) throws -> URL {
    let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    var folder = URL(filePath: own).deletingLastPathComponent()
    while folder.path != "/" {
      let program = folder.appending(path: name)
      if FileManager.default.isExecutableFile(atPath: program.path) { return program }
      folder.deleteLastPathComponent()
    }
    throw NotReached(description: "\(name) is not built: run 'swift build' first")
  }
}

/// What comes out of a pipe. It is read at once, since a full pipe would stop the process.
private final class Collected: Sendable {
  private let bytes = Mutex<[UInt8]>([])
  private let ended = AsyncStream<Void>.makeStream()

  func read(_ handle: FileHandle) {
    Thread.detachNewThread { [self] in
      // Returns with what is there; `read(upToCount:)` would wait for all of it.
      while case let data = handle.availableData, !data.isEmpty {
        bytes.withLock { $0 += data }
      }
      ended.continuation.finish()
    }
  }

  /// Waits for the end of the pipe.
  func end() async { for await _ in ended.stream {} }

  var text: String { String(decoding: bytes.withLock { $0 }, as: UTF8.self) }

  var lines: [String] {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    lines.removeLast()
    return lines.map(String.init)
  }
}
