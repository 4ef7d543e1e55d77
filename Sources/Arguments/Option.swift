/// An argument with a name and a value: `--name value`, `--name=value`, `-n value`, `-nvalue`.
///
/// A property without a default is required, unless its type is optional.
///
/// ```swift
/// @Option(name: .shortAndLong, help: "How many events to send.") var count: Int = 1
/// @Option(name: .customShort("H"), transform: Header.init(parsing:)) var headers: [Header] = []
/// ```
@propertyWrapper
public struct Option<Value: Sendable>: Sendable, ArgumentWrapper {
  private var parsed: Parsed<Value>

  /// The value, after parsing; reading it before is a mistake of the program and ends it.
  public var wrappedValue: Value {
    get { parsed.value }
    set { parsed = .value(newValue) }
  }

  /// Never called: the compiler looks for `init()` to see that `@Option var x: X` sets the property,
  /// and then chooses one of the initializers below whose parameters all have defaults.
  @available(
    *, unavailable,
    message: "An option needs a default, or a value that is ExpressibleByArgument."
  )
  public init() { fatalError("unavailable") }

  /// Takes the value that was parsed; called by the parser only.
  public init(from decoder: any Decoder) throws {
    parsed = .value(try ArgumentDecoder.value(Value.self, from: decoder))
  }

  func definitions(for key: ArgumentKey) -> [ArgumentDefinition] {
    guard case .definition(let make) = parsed else { return [] }
    return make(key)
  }

  private init(
    _ recipe: ValueRecipe, _ name: NameSpecification, _ help: ArgumentHelp?,
    _ completion: CompletionKind?
  ) {
    parsed = .definition { key in
      [
        ArgumentDefinition(
          key: key, kind: .option, names: name.names(for: key.property),
          help: help ?? ArgumentHelp(), recipe: recipe,
          completion: completion ?? recipe.completion)
      ]
    }
  }
}

// MARK: - Values of types that know how to read themselves

extension Option {
  /// An option that need not be given.
  public init(
    wrappedValue: Value, name: NameSpecification = .long, help: ArgumentHelp? = nil,
    completion: CompletionKind? = nil
  ) where Value: ExpressibleByArgument {
    self.init(.single(wrappedValue, .expressible), name, help, completion)
  }

  /// An option that must be given.
  public init(
    name: NameSpecification = .long,
    help: ArgumentHelp? = nil, completion: CompletionKind? = nil
  ) where Value: ExpressibleByArgument {
    self.init(.single(Value?.none, .expressible), name, help, completion)
  }

  /// An option that is `nil` when it is not given.
  public init<T: ExpressibleByArgument>(
    name: NameSpecification = .long, help: ArgumentHelp? = nil,
    completion: CompletionKind? = nil
  ) where Value == T? {
    self.init(.optional(T?.none, .expressible), name, help, completion)
  }

  /// The same, with the default written out: `nil`, or a value.
  public init<T: ExpressibleByArgument>(
    wrappedValue: T?, name: NameSpecification = .long, help: ArgumentHelp? = nil,
    completion: CompletionKind? = nil
  ) where Value == T? {
    self.init(.optional(wrappedValue, .expressible), name, help, completion)
  }

  /// An option of several values. Given once or more, it replaces the default.
  public init<T: ExpressibleByArgument>(
    wrappedValue: [T], name: NameSpecification = .long, help: ArgumentHelp? = nil,
    completion: CompletionKind? = nil
  ) where Value == [T] {
    self.init(.array(wrappedValue, .expressible), name, help, completion)
  }

  /// An option that must be given at least once.
  public init<T: ExpressibleByArgument>(
    name: NameSpecification = .long,
    help: ArgumentHelp? = nil, completion: CompletionKind? = nil
  ) where Value == [T] {
    self.init(.array([T]?.none, .expressible), name, help, completion)
  }
}

// MARK: - Values read by a closure

extension Option {
  /// An option of several values. Given once or more, it replaces the default. An error that
  /// `transform` throws is shown to the user.
  public init<T: Sendable>(
    wrappedValue: [T], name: NameSpecification = .long, help: ArgumentHelp? = nil,
    completion: CompletionKind? = nil, transform: @escaping @Sendable (String) throws -> T
  ) where Value == [T] {
    self.init(.array(wrappedValue, .transform(transform)), name, help, completion)
  }
}
