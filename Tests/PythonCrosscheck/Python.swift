import Foundation

/// The interpreter named by `ORDERLY_PYTHON`, or `python3`, and the script that says what PyPI's
/// `jsonschema` makes of values.
public enum Python {
  static let environment = ProcessInfo.processInfo.environment
  public static let executable = environment["ORDERLY_PYTHON"] ?? "python3"
  public static let isCI = environment["CI"] == "true"
  public static let script = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "crosscheck.py").path
  public static let howToInstall =
    "\(executable) has no jsonschema; install it with 'apt-get install python3-jsonschema', "
    + "or name an interpreter that has it in ORDERLY_PYTHON"

  /// Whether the interpreter has the library.
  public static var isReady: Bool {
    get async { (try? await run(["-c", "import jsonschema"], input: "")) != nil }
  }

  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  /// Runs the interpreter to its end. Input and output go through files, so that neither side can
  /// wait for the other.
  public static func run(_ arguments: [String], input: String) async throws -> String {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (inputFile, outputFile) = (folder.appending(path: "in"), folder.appending(path: "out"))
    let errorFile = folder.appending(path: "errors")
    try Data(input.utf8).write(to: inputFile)
    for file in [outputFile, errorFile] { try Data().write(to: file) }
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [executable] + arguments
    process.standardInput = try FileHandle(forReadingFrom: inputFile)
    process.standardOutput = try FileHandle(forWritingTo: outputFile)
    process.standardError = try FileHandle(forWritingTo: errorFile)
    let status = try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
      do {
        try process.run()
      } catch {
        process.terminationHandler = nil
        continuation.resume(throwing: error)
      }
    }
    guard status == 0 else {
      let errors = String(decoding: try Data(contentsOf: errorFile), as: UTF8.self)
      throw Failure(description: "python ended with \(status): \(errors)")
    }
    return String(decoding: try Data(contentsOf: outputFile), as: UTF8.self)
  }
}
