/// A type that can be read from one word of the command line.
///
/// An enumeration with string raw values that is `CaseIterable` needs no code: its values are
/// listed in the help and in the message about a wrong one, and are completed by the shell.
///
/// ```swift
/// enum Format: String, CaseIterable, ExpressibleByArgument { case table, json, yaml }
/// ```
public protocol ExpressibleByArgument: Sendable {
  /// Reads a value; `nil` when `argument` is not one.
  init?(argument: String)

  /// How the help shows this value when it is a default.
  var defaultValueDescription: String { get }

  /// All values, or none when they cannot be listed.
  static var allValueStrings: [String] { get }

  /// How the shell completes a value.
  static var defaultCompletionKind: CompletionKind { get }
}

extension ExpressibleByArgument {
  /// As `print` shows it.
  public var defaultValueDescription: String { "\(self)" }
  /// None: they cannot be listed.
  public static var allValueStrings: [String] { [] }
  /// The values, where they can be listed; else the shell's own.
  public static var defaultCompletionKind: CompletionKind {
    allValueStrings.isEmpty ? .default : .list(allValueStrings)
  }
}

extension ExpressibleByArgument where Self: CaseIterable {
  /// The values of all cases.
  public static var allValueStrings: [String] { allCases.map(\.defaultValueDescription) }
}

extension RawRepresentable where Self: ExpressibleByArgument, RawValue: ExpressibleByArgument {
  /// Reads the raw value; nil when there is no case of it.
  public init?(argument: String) {
    guard let rawValue = RawValue(argument: argument) else { return nil }
    self.init(rawValue: rawValue)
  }

  /// As the raw value is shown.
  public var defaultValueDescription: String { rawValue.defaultValueDescription }
}

extension String: ExpressibleByArgument {
  /// Any word.
  public init?(argument: String) { self = argument }
}

extension Bool: ExpressibleByArgument {
  /// `true` or `false`.
  public init?(argument: String) { self.init(argument) }
  /// `true` and `false`.
  public static var allValueStrings: [String] { ["true", "false"] }
}

extension LosslessStringConvertible where Self: ExpressibleByArgument {
  /// As `init(_:)` reads it.
  public init?(argument: String) { self.init(argument) }
}

extension Int: ExpressibleByArgument {}
extension Int8: ExpressibleByArgument {}
extension Int16: ExpressibleByArgument {}
extension Int32: ExpressibleByArgument {}
extension Int64: ExpressibleByArgument {}
extension UInt: ExpressibleByArgument {}
extension UInt8: ExpressibleByArgument {}
extension UInt16: ExpressibleByArgument {}
extension UInt32: ExpressibleByArgument {}
extension UInt64: ExpressibleByArgument {}
extension Float: ExpressibleByArgument {}
extension Double: ExpressibleByArgument {}
