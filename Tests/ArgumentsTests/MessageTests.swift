import Arguments
import Testing

@Suite("What the user is told")
struct MessageTests {
  /// The error for a wrong line.
  private func error(_ words: [String]) throws -> any Error {
    do {
      let command = try Tool.parseAsRoot(words)
      Issue.record("\(words) was accepted as \(command)")
      throw CancellationError()
    } catch let error where !(error is CancellationError) { return error }
  }

  @Test(
    "The sentence about each mistake",
    arguments: [
      (["publish"], "Missing expected argument '<event>'"),
      (["publish", "e", "--coutn", "1"], "Unknown option '--coutn'. Did you mean '--count'?"),
      (["publish", "e", "--something-else"], "Unknown option '--something-else'"),
      (["publish", "e", "-z"], "Unknown option '-z'"),
      (["publish", "e", "-qz"], "Unknown option '-z'"),
      (["publish", "e", "---count"], "Unknown option '---count'. Did you mean '--count'?"),
      (["publish", "e", "--=1"], "Unknown option '--'"),
      (["publish", "e", "--count"], "Missing value for '--count <count>'"),
      (["publish", "e", "-c"], "Missing value for '-c <count>'"),
      (["publish", "e", "--count", "--quiet"], "Missing value for '--count <count>'"),
      (["publish", "e", "--count", "--"], "Missing value for '--count <count>'"),
      (["publish", "e", "--count", "x"], "The value 'x' is invalid for '--count <count>'"),
      (["publish", "e", "-c", "x"], "The value 'x' is invalid for '-c <count>'"),
      (["publish", "e", "--count="], "The value '' is invalid for '--count <count>'"),
      (
        ["publish", "e", "-c", "99999999999999999999"],
        "The value '99999999999999999999' is invalid for '-c <count>'"
      ),
      (
        ["publish", "e", "-o", "xml"],
        "The value 'xml' is invalid for '-o <output>'. Please provide one of 'table', 'json' or 'yaml'."
      ),
      (
        ["publish", "e", "-H", "x"],
        "The value 'x' is invalid for '-H <header>': expected KEY=VALUE"
      ),
      (
        ["publish", "e", "--quiet=yes"],
        "The option '--quiet' does not take any value, but 'yes' was specified."
      ),
      (
        ["publish", "e", "-q=yes"],
        "The option '-q' does not take any value, but 'yes' was specified."
      ),
      (["publish", "e", "f"], "Unexpected argument 'f'"),
      (["publish", "e", "f", "g"], "2 unexpected arguments: 'f', 'g'"),
      (["pubish"], "Unexpected argument 'pubish'. Did you mean 'publish'?"),
      (["help", "pubish"], "Unexpected argument 'pubish'. Did you mean 'publish'?"),
      (["get", "groups", "x"], "Unexpected argument 'x'"),
      (["queue", "x"], "The value 'x' is invalid for '<first>'"),
      (["publish", "e", "-c", "0"], "--count must be at least 1."),
      (["check", "--ports", "1"], "Missing expected argument '--format <format>'"),
      (["check", "--format", "json"], "Missing expected argument '--ports <ports> ...'"),
      (
        ["check", "--ports", "65536"], "The value '65536' is invalid for '--ports <ports>'"
      ),
    ])
  func sentences(words: [String], expected: String) throws {
    let error = try error(words)
    #expect(Tool.message(for: error) == expected)
    #expect(Tool.exitCode(for: error) == ExitCode(2))
    #expect(Tool.fullMessage(for: error).hasPrefix("Error: \(expected)\n"))
  }

  @Test("A mistake is followed by the argument's help, the usage and the way to the help")
  func fullMessage() throws {
    #expect(
      Tool.fullMessage(for: try error(["queue", "1", "2", "3"])) == """
        Error: Unexpected argument '3'
        Usage: tool queue <first> [<second>] [--offset <offset>]
          See 'tool queue --help' for more information.
        """)
    #expect(
      Tool.fullMessage(for: try error(["publish", "e", "-cx"])).hasPrefix(
        """
        Error: The value 'x' is invalid for '-c <count>'
        Help:  -c <count>  How many to send.
        Usage: tool publish <event> [--file <file>]
        """))
  }

  @Test("Errors that a command throws")
  func thrown() throws {
    struct Broken: Error, CustomStringConvertible { var description: String { "no broker" } }
    #expect(Tool.fullMessage(for: Broken()) == "Error: no broker")
    #expect(Tool.exitCode(for: Broken()) == .failure)
    #expect(Tool.fullMessage(for: ExitCode(3)) == "")
    #expect(Tool.exitCode(for: ExitCode(3)).rawValue == 3)
    #expect(Tool.fullMessage(for: CleanExit.message("done")) == "done")
    #expect(Tool.exitCode(for: CleanExit.message("done")) == .success)
    #expect(
      Tool.fullMessage(for: CleanExit.helpRequest(GetGroups.self))
        == Tool.fullMessage(for: try error(["get", "groups", "-h"])))
    #expect(Tool.exitCode(for: ValidationError("x")) == ExitCode(2))
  }

  @Test("The root decides on the status for mistakes")
  func customStatus() throws {
    struct Old: ParsableCommand {
      static var usageErrorExitCode: ExitCode { ExitCode(64) }
    }
    #expect(throws: (any Error).self) { try Old.parse(["x"]) }
    do { _ = try Old.parse(["x"]) } catch { #expect(Old.exitCode(for: error).rawValue == 64) }
  }
}
