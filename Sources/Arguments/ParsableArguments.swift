#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

#if compiler(>=6.2)
  /// `SendableMetatype`, where the compiler has it (6.2).
  public typealias _SendableMetatype = SendableMetatype
#else
  /// `SendableMetatype`, where the compiler has it (6.2).
  public typealias _SendableMetatype = Any
#endif

/// A type whose properties are read from the command line.
///
/// Give every stored property one of the wrappers `@Argument`, `@Option`, `@Flag` and
/// `@OptionGroup`, or a default value. `init()` and `init(from:)` are synthesized.
public protocol ParsableArguments: Decodable, _SendableMetatype {
  /// Makes a value that only declares its arguments; its wrapped properties cannot be read.
  init()

  /// Checks the values together, after parsing. Throw a `ValidationError` to show the usage.
  mutating func validate() throws

  /// The exit status after a mistake in the command line; `ExitCode.validationFailure`, which is 2,
  /// unless the root command says otherwise. Not in swift-argument-parser, where it is always 64.
  static var usageErrorExitCode: ExitCode { get }
}

extension ParsableArguments {
  /// All values are accepted.
  public mutating func validate() throws {}

  /// ``ExitCode/validationFailure``, 2.
  public static var usageErrorExitCode: ExitCode { .validationFailure }

  /// Reads a value of this type.
  ///
  /// - Parameter arguments: the words after the program's name; by default those of the process.
  /// - Throws: an error for `exit(withError:)`: a mistake, or a request for help.
  public static func parse(_ arguments: [String]? = nil) throws -> Self {
    let parsed = try CommandParser.parse(asCommand, arguments ?? processArguments)
    if let value = parsed.command as? Self { return value }
    if let wrapper = parsed.command as? ArgumentsCommand<Self> { return wrapper.arguments }
    throw CommandError(
      stack: parsed.stack, reason: .thrown(ValidationError("A subcommand was not expected here.")))
  }

  /// One sentence about `error`, as after "Error: ".
  public static func message(for error: any Error) -> String {
    Message(for: error, root: asCommand, columns: 80).brief
  }

  /// All that is printed about `error`: the sentence, the usage and where to find the help; or the
  /// help itself when that was asked for.
  ///
  /// - Parameter columns: where lines of the help are wrapped.
  public static func fullMessage(for error: any Error, columns: Int = 80) -> String {
    Message(for: error, root: asCommand, columns: columns).full
  }

  /// The exit status for `error`: 0 for help, `usageErrorExitCode` for a mistake in the command
  /// line, the status of an `ExitCode`, and 1 for any other error.
  public static func exitCode(for error: any Error) -> ExitCode {
    Message(for: error, root: asCommand, columns: 80).exitCode
  }

  /// Ends the process: prints what there is to say about `error` (help to standard output, anything
  /// else to standard error) and exits with `exitCode(for:)`, or with 0 when there is no error.
  public static func exit(withError error: (any Error)? = nil) -> Never {
    guard let error else { systemExit(0) }
    let message = Message(for: error, root: asCommand, columns: 80)
    if !message.full.isEmpty {
      let isWanted = message.exitCode == .success
      // What went wrong may be in the words of a record, a server, or whoever made the arguments.
      let text = isWanted ? message.full : printable(message.full, keepsLines: true)
      write(text + "\n", to: isWanted ? STDOUT_FILENO : STDERR_FILENO)
    }
    systemExit(message.exitCode.rawValue)
  }

  static var asCommand: any ParsableCommand.Type {
    self as? any ParsableCommand.Type ?? ArgumentsCommand<Self>.self
  }

  static var processArguments: [String] { Array(CommandLine.arguments.dropFirst()) }
}

/// A command around a type that is none, so that the parser deals with commands only.
struct ArgumentsCommand<Arguments: ParsableArguments>: ParsableCommand {
  @OptionGroup var arguments: Arguments

  static var configuration: CommandConfiguration {
    CommandConfiguration(commandName: "\(Arguments.self)".kebabCased)
  }

  static var usageErrorExitCode: ExitCode { Arguments.usageErrorExitCode }
}

/// Writes all of `text`. When the reader has gone there is nobody to tell, so errors end it.
private func write(_ text: String, to descriptor: Int32) {
  var bytes = Array(text.utf8)[...]
  while !bytes.isEmpty {
    let written = bytes.withUnsafeBytes { systemWrite(descriptor, $0.baseAddress, $0.count) }
    if written < 0 {
      if errno == EINTR { continue }
      return
    }
    bytes = bytes.dropFirst(written)
  }
}

// The C functions under names that the methods above do not hide.
private func systemExit(_ status: Int32) -> Never { exit(status) }
private let systemWrite: @Sendable (Int32, UnsafeRawPointer?, Int) -> Int = { write($0, $1, $2) }
