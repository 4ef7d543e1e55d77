/// How an option or a flag is spelled on the command line.
///
/// ```swift
/// @Option(name: [.customShort("X"), .long]) var property: [String] = []
/// ```
public struct NameSpecification: Sendable, ExpressibleByArrayLiteral {
  /// One spelling.
  public struct Element: Sendable, Hashable {
    enum Base: Hashable {
      case long, short
      case customLong(String)
      case customShort(Character)
    }
    var base: Base

    /// `--` and the property's name in kebab case: `dryRun` is `--dry-run`.
    public static var long: Element { Element(base: .long) }
    /// `-` and the first letter of the property's name.
    public static var short: Element { Element(base: .short) }
    /// `--` and `name`.
    public static func customLong(_ name: String) -> Element { Element(base: .customLong(name)) }
    /// `-` and `char`.
    public static func customShort(_ char: Character) -> Element {
      Element(base: .customShort(char))
    }
  }

  var elements: [Element]

  /// All of the names, in the order in which the help shows them.
  public init(arrayLiteral elements: Element...) { self.elements = elements }

  /// The spellings in `elements`, the first long one being the one that messages use.
  public init(_ elements: some Sequence<Element>) { self.elements = Array(elements) }

  /// `--` and the property's name in kebab case: `dryRun` is `--dry-run`.
  public static var long: NameSpecification { [.long] }
  /// `-` and the first letter of the property's name.
  public static var short: NameSpecification { [.short] }
  /// Both `.short` and `.long`.
  public static var shortAndLong: NameSpecification { [.short, .long] }
  /// `--` and `name`.
  public static func customLong(_ name: String) -> NameSpecification { [.customLong(name)] }
  /// `-` and `char`.
  public static func customShort(_ char: Character) -> NameSpecification { [.customShort(char)] }

  func names(for property: String) -> [Name] {
    elements.compactMap { element in
      switch element.base {
      case .long: .long(property.kebabCased)
      case .short: property.first.map(Name.short)
      case .customLong(let name): .long(name)
      case .customShort(let char): .short(char)
      }
    }
  }
}

/// A resolved spelling of an option or a flag.
enum Name: Hashable, Sendable, CustomStringConvertible {
  case long(String)
  case short(Character)

  var description: String {
    switch self {
    case .long(let name): "--\(name)"
    case .short(let char): "-\(char)"
    }
  }

  var isShort: Bool { if case .short = self { true } else { false } }
}

extension [Name] {
  /// The first long name, which messages and the usage line show, or else the first name.
  var preferred: Name? { first { !$0.isShort } ?? first }

  /// Short names first, as the list of options shows them.
  var shortFirst: [Name] { filter(\.isShort) + filter { !$0.isShort } }
}

extension String {
  /// `dryRun` as `dry-run`, `baseURLPath` as `base-url-path`.
  var kebabCased: String {
    var result = ""
    let characters = Array(self)
    for (index, character) in characters.enumerated() {
      if character == "_" {
        result.append("-")
        continue
      }
      if character.isUppercase, index > 0, characters[index - 1] != "_" {
        let startsWord = !characters[index - 1].isUppercase
        let endsAcronym = index + 1 < characters.count && characters[index + 1].isLowercase
        if startsWord || endsAcronym { result.append("-") }
      }
      result += character.lowercased()
    }
    return result
  }
}
