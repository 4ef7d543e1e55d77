/// The arguments of another `ParsableArguments` type, as if they were declared here.
///
/// When a command and its subcommand include the same type, its options may be given before or
/// after the subcommand's name, and both see the same values:
///
/// ```swift
/// struct GlobalOptions: ParsableArguments { @Option var context: String? }
/// // in Orderly and in Publish:
/// @OptionGroup var global: GlobalOptions
/// // orderly --context prod publish …, or orderly publish --context prod …
/// ```
@propertyWrapper
public struct OptionGroup<Value: ParsableArguments>: ArgumentWrapper {
  private var parsed: Parsed<Value>
  let title: String

  /// The arguments, after parsing; reading them before is a mistake of the program and ends it.
  public var wrappedValue: Value {
    get { parsed.value }
    set { parsed = .value(newValue) }
  }

  /// - Parameter title: the heading of the group in the help; empty to list it with the other
  ///   options.
  public init(title: String = "") {
    self.title = title
    parsed = .definition { _ in [] }
  }

  /// Takes the values that were parsed, and validates them; called by the parser only.
  public init(from decoder: any Decoder) throws {
    title = ""
    var value = try Value(from: ArgumentDecoder.group(Value.self, from: decoder))
    do { try value.validate() } catch { throw ParserError.thrown(error) }
    parsed = .value(value)
  }

  func definitions(for key: ArgumentKey) -> [ArgumentDefinition] {
    ArgumentSet(Value.self).definitions
  }
}

extension OptionGroup: Sendable where Value: Sendable {}

/// An option group of any type.
protocol OptionGroupWrapper: ArgumentWrapper {
  var groupType: any ParsableArguments.Type { get }
  var title: String { get }
}

extension OptionGroup: OptionGroupWrapper {
  var groupType: any ParsableArguments.Type { Value.self }
}
