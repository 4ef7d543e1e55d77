import Arguments
import Foundation
import Testing

@Suite("Completion scripts", .timeLimit(.minutes(10)))
struct CompletionTests {
  private func script(_ shell: String) throws -> String {
    var text = ""
    do {
      _ = try Tool.parseAsRoot(["--generate-completion-script", shell])
      Issue.record("No script was asked for.")
    } catch {
      #expect(Tool.exitCode(for: error) == .success)
      text = Tool.fullMessage(for: error)
    }
    return text
  }

  /// What a program prints, given `input`, and its status.
  private func run(_ program: String, _ arguments: [String], input: String) throws -> (
    output: String, status: Int32
  ) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    let (stdin, stdout) = (Pipe(), Pipe())
    process.standardInput = stdin
    process.standardOutput = stdout
    process.standardError = stdout
    try process.run()
    try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
    try stdin.fileHandleForWriting.close()
    let output = try stdout.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (String(decoding: output, as: UTF8.self), process.terminationStatus)
  }

  @Test("bash accepts the script")
  func bashSyntax() throws {
    let result = try run("bash", ["-n"], input: try script("bash"))
    #expect(result == ("", 0))
  }

  @Test(
    "zsh and fish accept theirs, where they are installed",
    arguments: [("zsh", "-n"), ("fish", "-n")]
  )
  func otherSyntax(shell: String, flag: String) throws {
    let text = try script(shell)
    #expect(text.contains("publish"))
    guard try run("sh", ["-c", "command -v \(shell)"], input: "").status == 0 else { return }
    let result = try run(shell, [flag], input: text)
    #expect(result == ("", 0))
  }

  @Test(
    "bash completes",
    arguments: [
      (["tool", ""], "publish get queue check"),
      (["tool", "pu"], "publish"),
      (["tool", "--context", "publish", "g"], "get"),
      (["tool", "get", ""], "orders groups"),
      (["tool", "publish", "--output", ""], "table json yaml"),
      (["tool", "publish", "--output", "="], "table json yaml"),
      (["tool", "publish", "--output", "=", "j"], "json"),
      (["tool", "-v", "publish", "e", "-o", "y"], "yaml"),
      (["tool", "publish", "--co"], "--count --context"),
      (["tool", "get", "orders", "--no"], "--no-color"),
      (["tool", "get", "groups", "--conte"], "--context"),
      (["tool", "publish", "--count", ""], ""),
    ])
  func bashReplies(words: [String], expected: String) throws {
    let quoted = words.map { "'\($0)'" }.joined(separator: " ")
    let probe = """

      COMP_WORDS=(\(quoted)); COMP_CWORD=\(words.count - 1)
      _tool; echo "${COMPREPLY[*]}"
      """
    let result = try run("bash", ["-s"], input: try script("bash") + probe)
    #expect(result.output == expected + "\n")
  }

  @Test("fish completes, where it is installed")
  func fishReplies() throws {
    guard try run("sh", ["-c", "command -v fish"], input: "").status == 0 else { return }
    let probe = "\ncomplete -C 'tool --context get publish -o '\ncomplete -C 'tool get '"
    let result = try run("fish", ["--no-config"], input: try script("fish") + probe)
    let words = result.output.split(separator: "\n").map { $0.prefix { $0 != "\t" } }
    #expect(Set(words) == ["table", "json", "yaml", "orders", "groups"])
  }

  @Test("Another shell is refused")
  func unknownShell() throws {
    for words in [["--generate-completion-script", "tcsh"], ["--generate-completion-script"]] {
      do { _ = try Tool.parseAsRoot(words) } catch {
        #expect(Tool.message(for: error).hasSuffix("with one of:\n    bash zsh fish"))
        #expect(Tool.exitCode(for: error) == ExitCode(2))
      }
    }
  }
}
