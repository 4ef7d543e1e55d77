import Foundation

/// A running `orderly dev`, with a folder for its temporary files and as its user's home.
final class DevProcess {
  private let process = Process()
  private let folder: URL
  private let ends: AsyncStream<Int32>
  private let output = Pipe()
  private let chunks: AsyncStream<String>
  private var text = ""

  var processID: Int32 { process.processIdentifier }
  /// The name of its context.
  var context: String { "dev-\(processID)" }

  init(_ arguments: [String], _ folder: URL, environment: [String: String] = [:]) throws {
    self.folder = folder
    let (ends, ending) = AsyncStream.makeStream(of: Int32.self)
    self.ends = ends
    process.executableURL = try OrderlyProcess.program()
    process.arguments = ["dev"] + arguments
    process.environment = [
      "PATH": "/usr/bin:/bin", "HOME": folder.path, "TMPDIR": folder.path,
      "ORDERLY_TOPICS": OrderlyProcess.topics,
    ].merging(environment) { $1 }
    process.standardOutput = output
    process.standardError = output
    process.terminationHandler = { process in
      ending.yield(process.terminationReason == .exit ? process.terminationStatus : -1)
      ending.finish()
    }
    let (chunks, reading) = AsyncStream.makeStream(of: String.self)
    self.chunks = chunks
    output.fileHandleForReading.readabilityHandler = { handle in
      let data = handle.availableData
      if data.isEmpty {
        handle.readabilityHandler = nil
        reading.finish()
      } else {
        reading.yield(String(decoding: data, as: UTF8.self))
      }
    }
    // Postgres's own user must get through.
    try FileManager.default.setAttributes([.posixPermissions: 0o711], ofItemAtPath: folder.path)
    try process.run()
  }

  /// The lines that have been read; the last one may go on, and is not among them.
  var lines: [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
  }

  /// Reads until there is a line as wanted; nil when the output has ended before.
  func line(_ isWanted: (String) -> Bool) async -> String? {
    while true {
      if let line = lines.first(where: isWanted) { return line }
      guard let chunk = await chunks.first(where: { _ in true }) else { return nil }
      text += chunk
    }
  }

  /// Reads to the end of the output, and gives all of it.
  func all() async -> String {
    for await chunk in chunks { text += chunk }
    return text
  }

  /// Closes the pipe that it writes to.
  func closeOutput() throws {
    output.fileHandleForReading.readabilityHandler = nil
    try output.fileHandleForReading.close()
  }

  /// Sends a signal, and gives the exit status; -1 for the end by a signal.
  func end(by signal: Int32 = SIGINT) async -> Int32? {
    kill(processID, signal)
    return await status()
  }

  /// The exit status; -1 for the end by a signal.
  func status() async -> Int32? {
    await ends.first { _ in true }
  }

  /// A command of the same user, who has set nothing.
  func orderly(_ arguments: String..., environment: [String: String] = [:]) async throws
    -> OrderlyProcess.Outcome
  {
    try await OrderlyProcess(
      environment: ["HOME": folder.path].merging(environment) { $1 }
    ).run(arguments)
  }

  /// Folders and contexts that are left, and processes that know of this one's folder.
  func leftovers() throws -> [String] {
    let contexts = folder.path + "/.local/state/orderly"
    return try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasPrefix("orderly-") }
      + ((try? FileManager.default.contentsOfDirectory(atPath: contexts)) ?? []) + processes()
  }

  /// Processes that know of this one's folder.
  func processes() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { name in
      guard Int(name) != nil,
        let environment = FileManager.default.contents(atPath: "/proc/\(name)/environ"),
        // One that has ended and was not waited for has nothing here.
        !environment.isEmpty
      else { return false }
      return String(decoding: environment, as: UTF8.self).contains("TMPDIR=\(folder.path)")
    }
  }
}
