/// How the opposite of a flag is spelled.
public struct FlagInversion: Sendable, Hashable {
  enum Base: Hashable { case prefixedNo, prefixedEnableDisable }
  var base: Base

  /// `--color` and `--no-color`.
  public static var prefixedNo: FlagInversion { FlagInversion(base: .prefixedNo) }
  /// `--enable-color` and `--disable-color`.
  public static var prefixedEnableDisable: FlagInversion {
    FlagInversion(base: .prefixedEnableDisable)
  }

  /// The names for one side. Only long names have an opposite.
  func names(_ names: [Name], for value: Bool) -> [Name] {
    names.compactMap { name in
      guard case .long(let text) = name else { return value ? name : nil }
      return switch base {
      case .prefixedNo: .long(value ? text : "no-\(text)")
      case .prefixedEnableDisable: .long(value ? "enable-\(text)" : "disable-\(text)")
      }
    }
  }
}

/// What happens when flags of one property contradict each other.
public struct FlagExclusivity: Sendable, Hashable {
  enum Base: Hashable { case exclusive, chooseFirst, chooseLast }
  var base: Base

  /// Giving two of them is an error.
  public static var exclusive: FlagExclusivity { FlagExclusivity(base: .exclusive) }
  /// The first counts.
  public static var chooseFirst: FlagExclusivity { FlagExclusivity(base: .chooseFirst) }
  /// The last counts.
  public static var chooseLast: FlagExclusivity { FlagExclusivity(base: .chooseLast) }
}

/// A type each of whose values is a flag of its own: `--table`, `--json`.
public protocol EnumerableFlag: CaseIterable, Equatable, Sendable {
  /// How the flag for `value` is spelled; by default `.long` of the value's name.
  static func name(for value: Self) -> NameSpecification
  /// The help of the flag for `value`; by default that of the property.
  static func help(for value: Self) -> ArgumentHelp?
}

extension EnumerableFlag {
  /// The long name: the value's name in kebab case.
  public static func name(for value: Self) -> NameSpecification { .long }
  /// None: the value is listed without a text.
  public static func help(for value: Self) -> ArgumentHelp? { nil }
}

/// An argument with a name and no value: `--verbose`, `-v`, and combined `-vq`.
///
/// ```swift
/// @Flag(name: .shortAndLong) var verbose: Int                // -vv is 2
/// @Flag(inversion: .prefixedNo) var color: Bool = true       // --no-color
/// ```
@propertyWrapper
public struct Flag<Value: Sendable>: Sendable, ArgumentWrapper {
  private var parsed: Parsed<Value>

  /// The value, after parsing; reading it before is a mistake of the program and ends it.
  public var wrappedValue: Value {
    get { parsed.value }
    set { parsed = .value(newValue) }
  }

  /// Never called: the compiler looks for `init()` to see that `@Flag var x: X` sets the property,
  /// and then chooses one of the initializers below whose parameters all have defaults.
  @available(
    *, unavailable,
    message: "A flag needs a default unless it is a count, an EnumerableFlag or has an inversion."
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

  private init(definitions: @escaping @Sendable (ArgumentKey) -> [ArgumentDefinition]) {
    parsed = .definition(definitions)
  }
}

// MARK: - Booleans and counts

extension Flag where Value == Bool {
  /// A flag that is set to the opposite of its default when it is given.
  public init(wrappedValue: Bool, name: NameSpecification = .long, help: ArgumentHelp? = nil) {
    self.init { key in
      let recipe = ValueRecipe(initial: ParsedValue(value: wrappedValue, source: "")) {
        stored, _, source in stored = ParsedValue(value: !wrappedValue, source: source)
      }
      return [
        ArgumentDefinition(
          key: key, kind: .flag, names: name.names(for: key.property),
          help: help ?? ArgumentHelp(), recipe: recipe)
      ]
    }
  }

  /// A flag with an opposite, and a default.
  public init(
    wrappedValue: Bool, name: NameSpecification = .long, inversion: FlagInversion,
    exclusivity: FlagExclusivity = .chooseLast, help: ArgumentHelp? = nil
  ) {
    self.init(
      initial: ParsedValue(value: wrappedValue, source: ""), describing: wrappedValue, name,
      inversion, exclusivity, help, value: { $0 })
  }

  /// A flag that must be given, itself or its opposite.
  public init(
    name: NameSpecification = .long, inversion: FlagInversion,
    exclusivity: FlagExclusivity = .chooseLast, help: ArgumentHelp? = nil
  ) {
    self.init(
      initial: nil, describing: nil, name, inversion, exclusivity, help, value: { $0 })
  }
}

extension Flag {
  /// A flag with an opposite that is `nil` when neither is given.
  public init(
    name: NameSpecification = .long, inversion: FlagInversion,
    exclusivity: FlagExclusivity = .chooseLast, help: ArgumentHelp? = nil
  ) where Value == Bool? {
    self.init(
      initial: ParsedValue(value: Bool?.none, source: ""), describing: nil, name,
      inversion, exclusivity, help, value: { $0 })
  }

  /// The same, with the default written out: `nil`, or a value.
  public init(
    wrappedValue: Bool?, name: NameSpecification = .long, inversion: FlagInversion,
    exclusivity: FlagExclusivity = .chooseLast, help: ArgumentHelp? = nil
  ) where Value == Bool? {
    self.init(
      initial: ParsedValue(value: wrappedValue, source: ""), describing: wrappedValue, name,
      inversion, exclusivity, help, value: { $0 })
  }

  private init(
    initial: ParsedValue?, describing shown: Bool?, _ name: NameSpecification,
    _ inversion: FlagInversion, _ exclusivity: FlagExclusivity, _ help: ArgumentHelp?,
    value: @escaping @Sendable (Bool) -> Value
  ) {
    self.init { key in
      let names = name.names(for: key.property)
      return [true, false].map { side in
        let sideNames = inversion.names(names, for: side)
        return ArgumentDefinition(
          key: key, kind: .flag, names: sideNames, help: help ?? ArgumentHelp(),
          recipe: ValueRecipe(
            initial: initial,
            defaultDescription: shown.flatMap {
              inversion.names(names, for: $0).preferred?.description
            },
            update: exclusivity.update(value(side))),
          isComposite: true)
      }
    }
  }

  /// A flag whose value is how often it was given, 0 by default: `-vvv`.
  public init(name: NameSpecification = .long, help: ArgumentHelp? = nil) where Value == Int {
    self.init { key in
      let recipe = ValueRecipe(initial: ParsedValue(value: 0, source: ""), isRepeating: true) {
        stored, _, source in
        stored = ParsedValue(value: (stored?.value as? Int ?? 0) + 1, source: source)
      }
      return [
        ArgumentDefinition(
          key: key, kind: .flag, names: name.names(for: key.property),
          help: help ?? ArgumentHelp(), recipe: recipe)
      ]
    }
  }
}

// MARK: - Enumerations

extension Flag {
  /// One flag for each value of an enumeration, with a default.
  public init(
    wrappedValue: Value, exclusivity: FlagExclusivity = .exclusive, help: ArgumentHelp? = nil
  ) where Value: EnumerableFlag {
    self.init(
      cases: Value.self, initial: ParsedValue(value: wrappedValue, source: ""),
      describing: wrappedValue, help
    ) { exclusivity.update($0) }
  }

  /// One flag for each value of an enumeration, of which one must be given.
  public init(exclusivity: FlagExclusivity = .exclusive, help: ArgumentHelp? = nil)
  where Value: EnumerableFlag {
    self.init(cases: Value.self, initial: nil, describing: nil, help) { exclusivity.update($0) }
  }

  /// One flag for each value of an enumeration; `nil` when none is given.
  public init<Element: EnumerableFlag>(
    exclusivity: FlagExclusivity = .exclusive,
    help: ArgumentHelp? = nil
  ) where Value == Element? {
    self.init(
      cases: Element.self, initial: ParsedValue(value: Element?.none, source: ""),
      describing: nil, help
    ) { exclusivity.update(Element?.some($0)) }
  }

  /// The same, with the default written out: `nil`, or a value.
  public init<Element: EnumerableFlag>(
    wrappedValue: Element?, exclusivity: FlagExclusivity = .exclusive,
    help: ArgumentHelp? = nil
  ) where Value == Element? {
    self.init(
      cases: Element.self, initial: ParsedValue(value: wrappedValue, source: ""),
      describing: wrappedValue, help
    ) { exclusivity.update(Element?.some($0)) }
  }

  /// One flag for each value of an enumeration: all that were given, in their order.
  public init<Element: EnumerableFlag>(wrappedValue: [Element], help: ArgumentHelp? = nil)
  where Value == [Element] {
    self.init(
      cases: Element.self, initial: ParsedValue(value: wrappedValue, source: ""),
      describing: nil, help
    ) { element in
      { stored, _, source in
        let array = (stored?.value as? [Element] ?? []) + [element]
        stored = ParsedValue(value: array, source: source)
      }
    }
  }

  private init<Element: EnumerableFlag>(
    cases: Element.Type, initial: ParsedValue?, describing shown: Element?, _ help: ArgumentHelp?,
    update: @escaping @Sendable (Element) -> ValueRecipe.Update
  ) {
    self.init { key in
      @Sendable func names(_ element: Element) -> [Name] {
        Element.name(for: element).names(for: "\(element)")
      }
      let isComposite = Element.allCases.allSatisfy { Element.help(for: $0) == nil }
      return Element.allCases.map { element in
        let isDefault = isComposite || element == shown
        return ArgumentDefinition(
          key: key, kind: .flag, names: names(element),
          help: Element.help(for: element) ?? help ?? ArgumentHelp(),
          recipe: ValueRecipe(
            initial: initial,
            defaultDescription: isDefault
              ? shown.flatMap { names($0).preferred?.description } : nil,
            update: update(element)),
          isComposite: isComposite)
      }
    }
  }
}

extension FlagExclusivity {
  /// Stores `value`, or fails, when another flag of the property was given before.
  func update<T: Sendable>(_ value: T) -> ValueRecipe.Update {
    { stored, _, source in
      switch (base, stored) {
      case (.chooseFirst, .some): break
      case (.exclusive, let previous?):
        throw ParserError.contradictingFlags(previous: previous.source, given: source)
      default: stored = ParsedValue(value: value, source: source)
      }
    }
  }
}
