/// Names one property of one `ParsableArguments` type.
///
/// Values are kept by this key for a whole parse, so a group of options that a command and its
/// subcommand both include by `@OptionGroup` is one set of values, given at either place.
struct ArgumentKey: Hashable, Sendable {
  let owner: ObjectIdentifier
  let property: String

  init(owner: any ParsableArguments.Type, property: String) {
    self.owner = ObjectIdentifier(owner)
    self.property = property
  }
}

/// A value; the `nil` of an optional argument is one, too.
struct ParsedValue: Sendable {
  var value: any Sendable
}

/// One argument as the parser, the help and the completions see it.
struct ArgumentDefinition: Sendable {
  enum Kind: Sendable { case positional, option, flag }

  var key: ArgumentKey
  var kind: Kind
  var names: [Name] = []
  var help: ArgumentHelp
  var recipe: ValueRecipe
  var sectionTitle = ""
  var completion: CompletionKind = .default

  var isOptional: Bool { recipe.initial != nil }
  var takesValue: Bool { kind != .flag }

  var valueName: String {
    if let name = help.valueName { return name }
    if case .long(let name)? = names.preferred { return name }
    return key.property.kebabCased
  }

  /// `--name <value>`, as messages and the usage line name it.
  var synopsis: String { synopsis(of: names.preferred) }

  func synopsis(of name: Name?) -> String {
    switch kind {
    case .positional: "<\(valueName)>"
    case .flag: name?.description ?? ""
    case .option: "\(name?.description ?? "") <\(valueName)>"
    }
  }

  /// The synopsis with `...` for a repeated argument.
  var repeatedSynopsis: String { recipe.isRepeating ? synopsis + " ..." : synopsis }

  /// The entry in the usage line.
  var usage: String { isOptional ? "[\(repeatedSynopsis)]" : repeatedSynopsis }
}

/// How the words given for an argument become its value.
struct ValueRecipe: Sendable {
  /// Adds `text` to what is stored.
  typealias Update = @Sendable (_ stored: inout ParsedValue?, _ text: String) throws -> Void

  /// The value when nothing is given; none when the argument is required.
  var initial: ParsedValue?
  var defaultDescription: String?
  var allowedValues: [String] = []
  var completion: CompletionKind = .default
  var isRepeating = false
  var update: Update

  static func single<T: Sendable>(_ initial: T?, _ parser: ValueParser<T>) -> ValueRecipe {
    ValueRecipe(
      initial: initial.map { ParsedValue(value: $0) },
      defaultDescription: initial.map(parser.describe), allowedValues: parser.allowedValues,
      completion: parser.completion
    ) { stored, text in
      stored = ParsedValue(value: try parser.value(of: text))
    }
  }

  static func optional<T: Sendable>(_ initial: T?, _ parser: ValueParser<T>) -> ValueRecipe {
    ValueRecipe(
      initial: ParsedValue(value: initial),
      defaultDescription: initial.map(parser.describe), allowedValues: parser.allowedValues,
      completion: parser.completion
    ) { stored, text in
      stored = ParsedValue(value: T?.some(try parser.value(of: text)))
    }
  }

  static func array<T: Sendable>(_ initial: [T]?, _ parser: ValueParser<T>) -> ValueRecipe {
    ValueRecipe(
      initial: initial.map { ParsedValue(value: $0) },
      defaultDescription: initial.map { $0.map(parser.describe).joined(separator: ", ") },
      allowedValues: parser.allowedValues, completion: parser.completion, isRepeating: true
    ) { stored, text in
      let element = try parser.value(of: text)
      var array = stored?.value as? [T] ?? []
      stored = nil  // leaves `array` the only reference, so that append does not copy
      array.append(element)
      stored = ParsedValue(value: array)
    }
  }
}

/// Reads one word.
struct ValueParser<T: Sendable>: Sendable {
  let parse: @Sendable (String) throws -> T?
  let describe: @Sendable (T) -> String
  var allowedValues: [String] = []
  var completion: CompletionKind = .default

  /// - Throws: `InvalidValue`.
  func value(of text: String) throws -> T {
    let value: T?
    do { value = try parse(text) } catch { throw InvalidValue(reason: error) }
    guard let value else { throw InvalidValue(reason: nil) }
    return value
  }

  static func transform(_ transform: @escaping @Sendable (String) throws -> T) -> ValueParser {
    ValueParser(parse: transform, describe: { "\($0)" })
  }
}

extension ValueParser where T: ExpressibleByArgument {
  static var expressible: ValueParser {
    ValueParser(
      parse: { T(argument: $0) }, describe: \.defaultValueDescription,
      allowedValues: T.allValueStrings, completion: T.defaultCompletionKind)
  }
}

/// A word that is no value of its argument, with the error of a `transform`.
struct InvalidValue: Error {
  var reason: (any Error)?
}

/// What a property wrapper holds: until parsing what it declares, and then its value.
enum Parsed<Value> {
  case definition(@Sendable (ArgumentKey) -> [ArgumentDefinition])
  case value(Value)

  var value: Value {
    guard case .value(let value) = self else {
      fatalError(
        """
        A property of a ParsableArguments type was read before it was parsed. Get the type's value \
        from parse(), parseAsRoot() or main(), or give it an initializer that sets every property.
        """)
    }
    return value
  }
}

extension Parsed: Sendable where Value: Sendable {}

/// A property wrapper that declares arguments.
protocol ArgumentWrapper: Decodable {
  func definitions(for key: ArgumentKey) -> [ArgumentDefinition]
}
