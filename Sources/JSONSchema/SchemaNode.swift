/// One compiled subschema. Others are referred to by their index, so that schemas may be recursive.
struct SchemaNode: Sendable {
  var rules: [Rule] = []
  /// The keywords that start with `x-`.
  var annotations: [String: JSONValue] = [:]
}

/// One keyword with its value, checked and ready to apply.
enum Rule: Sendable {
  /// The schema `false`.
  case nothing
  case ref(Int)
  case type([JSONType])
  case const(JSONValue)
  case oneOfValues([JSONValue], Set<JSONValue>)
  case minimum(JSONValue)
  case maximum(JSONValue)
  case exclusiveMinimum(JSONValue)
  case exclusiveMaximum(JSONValue)
  case multipleOf(Int64)
  case minLength(Int)
  case maxLength(Int)
  case pattern(Pattern)
  case format(Format)
  case items(Int)
  case minItems(Int)
  case maxItems(Int)
  case uniqueItems
  case properties([(key: String, schema: Int)])
  case required([String])
  case closed(known: Set<String>)
  case additionalProperties(Int, except: Set<String>)
  case propertyNames(Int)
  case minProperties(Int)
  case maxProperties(Int)
  case allOf([Int])
  case anyOf([Int])
  case oneOf([Int])
  case not(Int)
  case condition(Int, then: Int?, else: Int?)

  /// The subschemas that apply to the same value as this one.
  var inPlace: [Int] {
    switch self {
    case .ref(let schema), .not(let schema): [schema]
    case .allOf(let schemas), .anyOf(let schemas), .oneOf(let schemas): schemas
    case .condition(let condition, let then, let otherwise):
      [condition] + [then, otherwise].compactMap { $0 }
    default: []
    }
  }
}

/// The types that the `type` keyword names.
enum JSONType: String, Sendable, CaseIterable {
  case null, boolean, integer, number, string, array, object

  /// With its article, for messages.
  var name: String {
    switch self {
    case .null: "null"
    case .integer, .array, .object: "an \(rawValue)"
    case .boolean, .number, .string: "a \(rawValue)"
    }
  }

  /// Whether a value is of this type; 1.0 is an integer (2020-12 validation, section 6.1.1).
  func admits(_ value: JSONValue) -> Bool {
    switch (self, value) {
    case (.null, .null), (.boolean, .bool), (.string, .string), (.array, .array),
      (.object, .object), (.integer, .integer), (.number, .integer), (.number, .number):
      true
    case (.integer, .number(let number)): number.isFinite && number == number.rounded()
    default: false
    }
  }
}
