import Foundation
import Testing

/// The built `orderly` command, run as a process with nothing of this machine's settings.
struct OrderlyProcess {
  /// What a run has left.
  struct Outcome: CustomTestStringConvertible {
    let status: Int32
    let output: String
    let messages: String

    var testDescription: String { "exit \(status)\n\(output)\(messages)" }
    /// The lines of standard output.
    var lines: [Substring] { output.split(separator: "\n") }
  }

  /// Settings for the process.
  var environment: [String: String] = [:]

  /// The folder of the manifests in this checkout.
  static let topics = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Topics").path

  /// Beside the test bundle, where the build puts all programs.
  static func program() throws -> URL {
    let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    var folder = URL(filePath: tests).deletingLastPathComponent()
    while folder.path != "/" {
      let program = folder.appending(path: "orderly")
      if FileManager.default.isExecutableFile(atPath: program.path) { return program }
      folder.deleteLastPathComponent()
    }
    throw CocoaError(.fileNoSuchFile)
  }

  /// Runs the command to its end.
  ///
  /// - Parameter input: what it reads on standard input; nothing when nil.
  func run(_ arguments: String..., input: String? = nil) async throws -> Outcome {
    try await run(arguments, input: input)
  }

  func run(_ arguments: [String], input: String? = nil) async throws -> Outcome {
    try await withTemporaryFolder { folder in
      let process = Process()
      process.executableURL = try Self.program()
      process.arguments = arguments
      process.environment = [
        "PATH": "/usr/bin:/bin", "HOME": folder.path, "ORDERLY_TOPICS": Self.topics,
      ].merging(environment) { $1 }
      // Files, since a pipe that nobody reads would stop the process when it is full.
      let (output, messages) = (folder.appending(path: "out"), folder.appending(path: "err"))
      process.standardInput = try file(folder.appending(path: "in"), input ?? "").forReading
      process.standardOutput = try file(output, "").forWriting
      process.standardError = try file(messages, "").forWriting
      let (ended, ending) = AsyncStream.makeStream(of: Int32.self)
      process.terminationHandler = { process in
        ending.yield(process.terminationStatus)
        ending.finish()
      }
      try process.run()
      let status = await ended.first { _ in true }
      return Outcome(
        status: try #require(status), output: try String(contentsOf: output, encoding: .utf8),
        messages: try String(contentsOf: messages, encoding: .utf8))
    }
  }

  private func file(
    _ url: URL, _ text: String
  ) throws -> (forReading: FileHandle, forWriting: FileHandle) {
    try text.write(to: url, atomically: false, encoding: .utf8)
    return (try FileHandle(forReadingFrom: url), try FileHandle(forWritingTo: url))
  }
}

/// Runs `body` with a folder that is removed afterwards.
func withTemporaryFolder<R>(_ body: (URL) async throws -> R) async throws -> R {
  let folder = FileManager.default.temporaryDirectory
    .appending(path: "orderly-cli-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  let result: Result<R, any Error>
  do { result = .success(try await body(folder)) } catch { result = .failure(error) }
  try FileManager.default.removeItem(at: folder)
  return try result.get()
}
