/// An argument that is named by its place: `orderly publish EVENT`.
///
/// A property without a default is required, unless its type is optional. Declare an array last: it
/// takes all words that remain.
///
/// ```swift
/// @Argument(help: "The event to publish.") var event: String
/// @Argument var files: [String] = []
/// ```
@propertyWrapper
public struct Argument<Value: Sendable>: Sendable, ArgumentWrapper {
  private var parsed: Parsed<Value>

  /// The value, after parsing; reading it before is a mistake of the program and ends it.
  public var wrappedValue: Value {
    get { parsed.value }
    set { parsed = .value(newValue) }
  }

  /// Never called: the compiler looks for `init()` to see that `@Argument var x: X` sets the property,
  /// and then chooses one of the initializers below whose parameters all have defaults.
  @available(
    *, unavailable,
    message: "An argument needs a default, or a value that is ExpressibleByArgument."
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

  private init(_ recipe: ValueRecipe, _ help: ArgumentHelp?, _ completion: CompletionKind?) {
    parsed = .definition { key in
      [
        ArgumentDefinition(
          key: key, kind: .positional, help: help ?? ArgumentHelp(), recipe: recipe,
          completion: completion ?? recipe.completion)
      ]
    }
  }
}

extension Argument {
  /// An argument that need not be given.
  public init(wrappedValue: Value, help: ArgumentHelp? = nil, completion: CompletionKind? = nil)
  where Value: ExpressibleByArgument {
    self.init(.single(wrappedValue, .expressible), help, completion)
  }

  /// An argument that must be given.
  public init(help: ArgumentHelp? = nil, completion: CompletionKind? = nil)
  where Value: ExpressibleByArgument {
    self.init(.single(Value?.none, .expressible), help, completion)
  }

  /// An argument that is `nil` when it is not given.
  public init<T: ExpressibleByArgument>(
    help: ArgumentHelp? = nil, completion: CompletionKind? = nil
  ) where Value == T? {
    self.init(.optional(T?.none, .expressible), help, completion)
  }

  /// The same, with the default written out: `nil`, or a value.
  public init<T: ExpressibleByArgument>(
    wrappedValue: T?, help: ArgumentHelp? = nil, completion: CompletionKind? = nil
  ) where Value == T? {
    self.init(.optional(wrappedValue, .expressible), help, completion)
  }

  /// All words that remain. When there is one, they replace the default.
  public init<T: ExpressibleByArgument>(
    wrappedValue: [T], help: ArgumentHelp? = nil, completion: CompletionKind? = nil
  ) where Value == [T] {
    self.init(.array(wrappedValue, .expressible), help, completion)
  }

  /// All words that remain, of which there must be one.
  public init<T: ExpressibleByArgument>(
    help: ArgumentHelp? = nil, completion: CompletionKind? = nil
  ) where Value == [T] {
    self.init(.array([T]?.none, .expressible), help, completion)
  }
}
