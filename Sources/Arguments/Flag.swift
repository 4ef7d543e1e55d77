/// An argument with a name and no value: `--verbose`, `-v`, and combined `-vq`.
///
/// ```swift
/// @Flag(name: .shortAndLong) var verbose = false
/// ```
@propertyWrapper
public struct Flag: Sendable, ArgumentWrapper {
  private var parsed: Parsed<Bool>

  /// The value, after parsing; reading it before is a mistake of the program and ends it.
  public var wrappedValue: Bool {
    get { parsed.value }
    set { parsed = .value(newValue) }
  }

  /// A flag that is set to the opposite of its default when it is given.
  public init(wrappedValue: Bool, name: NameSpecification = .long, help: ArgumentHelp? = nil) {
    parsed = .definition { key in
      let recipe = ValueRecipe(initial: ParsedValue(value: wrappedValue)) { stored, _ in
        stored = ParsedValue(value: !wrappedValue)
      }
      return [
        ArgumentDefinition(
          key: key, kind: .flag, names: name.names(for: key.property),
          help: help ?? ArgumentHelp(), recipe: recipe)
      ]
    }
  }

  /// Takes the value that was parsed; called by the parser only.
  public init(from decoder: any Decoder) throws {
    parsed = .value(try ArgumentDecoder.value(Bool.self, from: decoder))
  }

  func definitions(for key: ArgumentKey) -> [ArgumentDefinition] {
    guard case .definition(let make) = parsed else { return [] }
    return make(key)
  }
}
