import Foundation

/// The operator's editor.
enum Editor {
  /// Lets the operator edit a text, and uses it. What was typed is kept in a file of this user's
  /// only, which is named, unless `use` has no more need of it.
  ///
  /// - Parameters:
  ///   - suffix: of the file's name, by which editors know what it is: `.json`.
  ///   - use: takes the text as it was saved; true when it is not needed any more.
  /// - Throws: ``CommandFailure`` where there is no terminal, or the editor ends with an error; what
  ///   `use` throws.
  static func edit(
    _ text: String, suffix: String, _ use: (String) async throws -> Bool
  ) async throws {
    guard Terminal.isInteractive, Terminal.outputIsTerminal else {
      throw CommandFailure("There is no terminal for an editor. Use --patch or -f FILE.")
    }
    let environment = ProcessInfo.processInfo.environment
    let editor = [environment["VISUAL"], environment["EDITOR"]].compactMap { $0 }
      .first { !$0.isEmpty }
    let draft = try EditorDraft(text, suffix: suffix)
    try await draft.withText { file in
      let status = await run(editor ?? "vi", file.path)
      guard status == 0 else {
        throw CommandFailure(
          "The editor (\(editor ?? "vi")) ended with \(status). Nothing was changed.")
      }
      return try await use(try String(contentsOf: file, encoding: .utf8))
    }
  }

  /// Runs the editor on this terminal. Not by Foundation's Process, which puts what it starts into a
  /// process group of its own, where the terminal stops it.
  private static func run(_ editor: String, _ path: String) async -> Int32 {
    await withCheckedContinuation { continuation in
      // It blocks for as long as somebody types.
      Thread.detachNewThread {
        // Ctrl-C is the editor's meanwhile.
        let former = signal(SIGINT, SIG_IGN)
        let words: [String] = ["sh", "-c", "\(editor) \"$1\"", "sh", path]
        let arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var process = pid_t()
        var status: Int32 = 127 << 8
        if posix_spawn(&process, "/bin/sh", nil, nil, arguments, environ) == 0 {
          while waitpid(process, &status, 0) < 0 && errno == EINTR {}
        }
        for argument in arguments { free(argument) }
        signal(SIGINT, former)
        continuation.resume(
          returning: status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f)
      }
    }
  }
}

/// A text under the hands of an operator, in a file that nobody else may read.
struct EditorDraft {
  let file: URL
  private let original: String

  /// - Parameter suffix: of the file's name.
  /// - Throws: ``CommandFailure`` when the file can't be written.
  init(_ text: String, suffix: String) throws {
    original = text
    file = FileManager.default.temporaryDirectory
      .appending(path: "orderly-\(UUID().uuidString)\(suffix)")
    try PrivateFile.write(text, to: file)
  }

  /// Runs `body` with the file, and removes it when that returns true. After false and an error it
  /// stays, and is named, if anything was typed into it.
  func withText(_ body: (URL) async throws -> Bool) async throws {
    do {
      if try await body(file) { remove() } else { keep() }
    } catch {
      keep()
      throw error
    }
  }

  private func keep() {
    guard FileManager.default.fileExists(atPath: file.path) else { return }
    // What can't be read was written by somebody.
    guard (try? String(contentsOf: file, encoding: .utf8)) != original else { return remove() }
    printMessage("Your text is kept in \(file.path).")
  }

  private func remove() {
    try? FileManager.default.removeItem(at: file)
  }
}
