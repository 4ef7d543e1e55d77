import Arguments
import Foundation
import Testing

@testable import OrderlyCLI

/// The help of each command is what an operator goes by, so a change of it must be seen: it is
/// compared with a file. `ORDERLY_WRITE_HELP_TEXTS=1` writes the files anew.
@Suite struct HelpTextTests {
  static let commands: [[String]] = [
    ["db"], ["db", "migrate"], ["db", "check"], ["topics"], ["topics", "list"],
    ["topics", "apply"], ["topics", "verify"], ["topics", "delete"], ["publish"], ["consume"],
    ["doctor"], ["group"], ["group", "seek"], ["dlq", "rehearse"], ["dlq", "edit"],
    ["dlq", "plan"], ["dlq", "apply"], ["dlq", "release"], ["dlq", "discard"], ["dlq", "assign"],
    ["dlq", "note"], ["saga"], ["saga", "retry"], ["saga", "compensate"],
  ]

  @Test(arguments: commands) func helpIsAsWritten(_ command: [String]) throws {
    let help = try help(of: command) + "\n"
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "HelpTexts/\(command.joined(separator: "-")).txt")
    if ProcessInfo.processInfo.environment["ORDERLY_WRITE_HELP_TEXTS"] == "1" {
      try help.write(to: file, atomically: true, encoding: .utf8)
    }
    #expect(try String(contentsOf: file, encoding: .utf8) == help)
  }

  @Test(arguments: commands) func everyCommandHasAnExample(_ command: [String]) throws {
    let help = try help(of: command)
    #expect(help.contains("EXAMPLES:\n  orderly \(command.joined(separator: " "))"))
  }

  private func help(of command: [String]) throws -> String {
    let error = try #require(throws: (any Error).self) {
      _ = try Orderly.parseAsRoot(command + ["--help"])
    }
    #expect(Orderly.exitCode(for: error) == .success)
    return Orderly.fullMessage(for: error)
  }
}
