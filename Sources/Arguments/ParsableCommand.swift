/// A command, or a subcommand of one.
///
/// ```swift
/// @main
/// struct Orderly: ParsableCommand {
///   static let configuration = CommandConfiguration(subcommands: [Publish.self])
/// }
///
/// struct Publish: ParsableCommand {
///   static let configuration = CommandConfiguration(abstract: "Publish an event.")
///   @Argument var event: String
///   func run() throws { print(event) }
/// }
/// ```
///
/// The root command also understands `help SUBCOMMAND` and `--generate-completion-script SHELL`.
public protocol ParsableCommand: ParsableArguments {
  /// The command's name, help and subcommands.
  static var configuration: CommandConfiguration { get }

  /// Does what the command is for, after parsing and validation. Unless it is implemented, it
  /// prints the command's help.
  mutating func run() throws
}

extension ParsableCommand {
  /// The type's name in kebab case, and no help.
  public static var configuration: CommandConfiguration { CommandConfiguration() }

  /// Prints the help.
  public mutating func run() throws { throw CleanExit.helpRequest(Self.self) }

  /// The name by which the command is called.
  public static var _commandName: String {
    configuration.commandName ?? "\(Self.self)".kebabCased
  }

  /// Reads this command, or the subcommand that `arguments` name.
  ///
  /// - Parameter arguments: the words after the program's name; by default those of the process.
  /// - Throws: an error for `exit(withError:)`: a mistake, or a request for help.
  public static func parseAsRoot(_ arguments: [String]? = nil) throws -> any ParsableCommand {
    try CommandParser.parse(self, arguments ?? processArguments).command
  }

  /// Reads the command line, runs the command that it names, and ends the process if that fails.
  ///
  /// - Parameter arguments: the words after the program's name; by default those of the process.
  public static func main(_ arguments: [String]?) {
    do {
      let parsed = try CommandParser.parse(self, arguments ?? processArguments)
      do {
        var command = parsed.command
        try command.run()
      } catch { throw CommandError(stack: parsed.stack, reason: .thrown(error)) }
    } catch { exit(withError: error) }
  }

  /// Runs the command that the process was called with. `@main` calls it.
  public static func main() { main(nil) }
}

/// A command whose `run()` is asynchronous. The root command must be one too, or its asynchronous
/// subcommands cannot run.
public protocol AsyncParsableCommand: ParsableCommand {
  /// Does what the command is for. The task is not cancelled by signals; a command that should stop
  /// on one arranges that itself.
  mutating func run() async throws
}

extension AsyncParsableCommand {
  /// Prints the help.
  public mutating func run() async throws { throw CleanExit.helpRequest(Self.self) }

  /// Takes the place of the synchronous `run()`, which is called when the root is not asynchronous.
  public mutating func run() throws {
    throw AsyncCommandInSyncRoot(command: Self._commandName)
  }

  /// Reads the command line, runs the command that it names, and ends the process if that fails.
  ///
  /// - Parameter arguments: the words after the program's name; by default those of the process.
  public static func main(_ arguments: [String]?) async {
    do {
      let parsed = try CommandParser.parse(self, arguments ?? processArguments)
      do {
        if var command = parsed.command as? any AsyncParsableCommand {
          try await command.run()
        } else {
          var command = parsed.command
          try command.run()
        }
      } catch { throw CommandError(stack: parsed.stack, reason: .thrown(error)) }
    } catch { exit(withError: error) }
  }

  /// Runs the command that the process was called with. `@main` calls it.
  public static func main() async { await main(nil) }
}

struct AsyncCommandInSyncRoot: Error, CustomStringConvertible {
  let command: String

  var description: String {
    "The command '\(command)' is asynchronous: its root command must be an AsyncParsableCommand."
  }
}
