import Arguments
import Foundation
import Testing

@testable import OrderlyCLI

/// The help of each command is what an operator goes by, so a change of it must be seen: it is
/// compared with a file. `ORDERLY_WRITE_HELP_TEXTS=1` writes the files anew.
@Suite struct HelpTextTests {
  /// All commands and groups of commands, by their words.
  static let commands: [[String]] = names(below: Orderly.self)

  private static func names(below command: any ParsableCommand.Type) -> [[String]] {
    var all: [[String]] = []
    for next in command.configuration.subcommands {
      all.append([next._commandName])
      all += names(below: next).map { [next._commandName] + $0 }
    }
    return all
  }

  @Test(arguments: commands) func helpIsAsWritten(_ command: [String]) throws {
    let help = try help(of: command) + "\n"
    let file = Self.folder.appending(path: "\(command.joined(separator: "-")).txt")
    if ProcessInfo.processInfo.environment["ORDERLY_WRITE_HELP_TEXTS"] == "1" {
      try help.write(to: file, atomically: true, encoding: .utf8)
    }
    #expect(try String(contentsOf: file, encoding: .utf8) == help)
  }

  @Test(arguments: commands) func everyCommandHasAnExample(_ command: [String]) throws {
    let help = try help(of: command)
    #expect(help.contains("EXAMPLES:\n  orderly \(command.joined(separator: " "))"))
  }

  /// A file of a command that is gone, or that ``commands`` has missed.
  @Test func noFileIsLeftOver() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
    let wanted = Self.commands.map { "\($0.joined(separator: "-")).txt" }
    let left = Set(files).subtracting(wanted)
    #expect(left.isEmpty, "\(left)")
  }

  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "HelpTexts")

  private func help(of command: [String]) throws -> String {
    let error = try #require(throws: (any Error).self) {
      _ = try Orderly.parseAsRoot(command + ["--help"])
    }
    #expect(Orderly.exitCode(for: error) == .success)
    return Orderly.fullMessage(for: error)
  }
}
