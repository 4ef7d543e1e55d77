/// One node of a YAML document: a value and where it was written.
///
/// Two nodes are equal when their values are, wherever they were written.
public struct YAMLNode: Sendable {
  /// What the node holds.
  public var value: YAMLValue

  /// Where the node starts in its file; nil for a node made by a program.
  public var location: YAMLLocation?

  /// A node made by a program, or by the reader, which knows the location.
  public init(_ value: YAMLValue, location: YAMLLocation? = nil) {
    self.value = value
    self.location = location
  }
}

/// The value of a node, with plain scalars resolved by the core schema of YAML 1.2.2 (section
/// 10.3.2): `no`, `on` and `1_000` are text, as is everything in quotes.
public enum YAMLValue: Sendable, Equatable {
  case null
  case bool(Bool)
  case int(Int)
  case float(Double)
  case string(String)
  case sequence([YAMLNode])
  case mapping(YAMLMapping)
}

/// A mapping with text keys, in the order of the file. No key occurs twice.
///
/// A key that is not quoted keeps its spelling: `8080: x` has the key `"8080"`.
public struct YAMLMapping: Sendable, Equatable {
  /// The keys and values in order.
  public private(set) var entries: [(key: String, value: YAMLNode)] = []
  private var positions: [String: Int] = [:]

  /// An empty mapping.
  public init() {}

  /// A mapping with these entries in this order; of two entries with one key the later wins.
  public init(_ entries: some Sequence<(key: String, value: YAMLNode)>) {
    for (key, value) in entries { self[key] = value }
  }

  /// The keys in order.
  public var keys: [String] { entries.map(\.key) }

  /// The value of a key. A new key is added at the end; setting nil removes the key.
  public subscript(key: String) -> YAMLNode? {
    get { positions[key].map { entries[$0].value } }
    set {
      switch (positions[key], newValue) {
      case (let position?, let value?):
        entries[position].value = value
      case (nil, let value?):
        positions[key] = entries.count
        entries.append((key, value))
      case (let position?, nil):
        entries.remove(at: position)
        positions = [:]
        for (index, entry) in entries.enumerated() { positions[entry.key] = index }
      case (nil, nil):
        break
      }
    }
  }

  /// Equal entries in the same order.
  public static func == (left: YAMLMapping, right: YAMLMapping) -> Bool {
    left.entries.elementsEqual(right.entries) { $0.key == $1.key && $0.value == $1.value }
  }
}

/// A place in a file, for messages; reads `topics.yaml:3:5`.
public struct YAMLLocation: Sendable, Equatable, CustomStringConvertible {
  /// The name that the reader was given.
  public var file: String
  /// The line, from 1.
  public var line: Int
  /// The column in Unicode code points, from 1.
  public var column: Int

  /// A place in a file.
  public init(file: String, line: Int, column: Int) {
    self.file = file
    self.line = line
    self.column = column
  }

  public var description: String { "\(file):\(line):\(column)" }
}

/// What is wrong with a YAML text, and where; reads `topics.yaml:3:5: key "name" occurs twice`.
public struct YAMLError: Error, Equatable, CustomStringConvertible {
  /// Where; nil when the node did not come from a file.
  public var location: YAMLLocation?
  /// What is wrong, for people.
  public var message: String

  /// An error at a place. Also for code that reads a tree and finds something wrong with a node:
  /// `YAMLError(node.location, "must be positive")`.
  public init(_ location: YAMLLocation?, _ message: String) {
    self.location = location
    self.message = message
  }

  public var description: String { location.map { "\($0): \(message)" } ?? message }
}

extension YAMLNode: Equatable {
  public static func == (left: YAMLNode, right: YAMLNode) -> Bool { left.value == right.value }
}

// Reading a tree: each is nil when the node holds something else.
extension YAMLNode {
  /// Whether the node is null: `null`, `~` or nothing at all.
  public var isNull: Bool { value == .null }

  /// The text of a string node. A number is not text: quote it in the file.
  public var string: String? { if case .string(let text) = value { text } else { nil } }

  /// A boolean.
  public var bool: Bool? { if case .bool(let flag) = value { flag } else { nil } }

  /// An integer.
  public var int: Int? { if case .int(let number) = value { number } else { nil } }

  /// A float, or an integer as a float.
  public var double: Double? {
    switch value {
    case .float(let number): number
    case .int(let number): Double(number)
    default: nil
    }
  }

  /// The items of a sequence.
  public var array: [YAMLNode]? { if case .sequence(let items) = value { items } else { nil } }

  /// The entries of a mapping.
  public var mapping: YAMLMapping? { if case .mapping(let map) = value { map } else { nil } }

  /// The value of a key, nil when the node is no mapping or has no such key.
  public subscript(key: String) -> YAMLNode? { mapping?[key] }

  /// What the node holds, in words for messages: "a mapping", "text".
  public var kind: String {
    switch value {
    case .null: "nothing"
    case .bool: "true or false"
    case .int: "an integer"
    case .float: "a number"
    case .string: "text"
    case .sequence: "a list"
    case .mapping: "a mapping"
    }
  }
}
