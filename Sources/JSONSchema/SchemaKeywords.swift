// One keyword and its value to a rule; the list of all keywords is here and nowhere else.
extension SchemaCompiler {
  /// The rule of a keyword; nil for those that assert nothing.
  mutating func rule(
    _ keyword: String, _ value: JSONValue, in keywords: [String: JSONValue], _ place: Place
  ) throws(SchemaError) -> Rule? {
    switch keyword {
    case "$schema", "$id", "$defs": return try header(keyword, value, place)
    case "$comment", "title", "description":
      guard value.string != nil else { throw place.error("\(keyword) must be a string") }
      return nil
    case "examples":
      guard value.array != nil else { throw place.error("examples must be a list") }
      return nil
    case "default": return nil
    case "$ref": return .ref(index(of: try target(value, place)))
    case "type": return .type(try types(value, place))
    case "const": return .const(value)
    case "enum":
      guard let values = value.array, !values.isEmpty else {
        throw place.error("enum must be a list of values")
      }
      return .oneOfValues(values, Set(values))
    case "minimum": return .minimum(try number(keyword, value, place))
    case "maximum": return .maximum(try number(keyword, value, place))
    case "exclusiveMinimum": return .exclusiveMinimum(try number(keyword, value, place))
    case "exclusiveMaximum": return .exclusiveMaximum(try number(keyword, value, place))
    case "multipleOf":
      guard let divisor = value.int, divisor > 0 else {
        // Fractions are refused since 0.01 has no exact value in binary.
        throw place.error("multipleOf must be an integer above 0; count in smaller units")
      }
      return .multipleOf(divisor)
    case "minLength": return .minLength(try count(keyword, value, place))
    case "maxLength": return .maxLength(try count(keyword, value, place))
    case "pattern": return .pattern(try pattern(value, place))
    case "format":
      guard let format = value.string.flatMap(Format.init) else {
        throw place.error("format must be one of uuid, date-time, is \(value.shortened())")
      }
      return .format(format)
    case "minItems": return .minItems(try count(keyword, value, place))
    case "maxItems": return .maxItems(try count(keyword, value, place))
    case "uniqueItems":
      guard let isUnique = value.bool else {
        throw place.error("uniqueItems must be true or false")
      }
      return isUnique ? .uniqueItems : nil
    case "required": return .required(try names(keyword, value, place))
    case "minProperties": return .minProperties(try count(keyword, value, place))
    case "maxProperties": return .maxProperties(try count(keyword, value, place))
    default: return try applicator(keyword, value, in: keywords, place)
    }
  }

  /// The keywords that hold subschemas.
  private mutating func applicator(
    _ keyword: String, _ value: JSONValue, in keywords: [String: JSONValue], _ place: Place
  ) throws(SchemaError) -> Rule? {
    switch keyword {
    case "properties":
      guard let schemas = value.object else { throw place.error("properties must be an object") }
      var properties: [(key: String, schema: Int)] = []
      for (key, schema) in schemas.sorted(by: { $0.key < $1.key }) {
        properties.append((key, try add(schema, "properties/\(key)", under: place)))
      }
      return .properties(properties)
    case "additionalProperties":
      let known = Set(keywords["properties"]?.object.map { Array($0.keys) } ?? [])
      if value == false { return .closed(known: known) }
      return .additionalProperties(try add(value, keyword, under: place), except: known)
    case "propertyNames": return .propertyNames(try add(value, keyword, under: place))
    case "items": return .items(try add(value, keyword, under: place))
    case "allOf": return .allOf(try add(all: value, keyword, under: place))
    case "anyOf": return .anyOf(try add(all: value, keyword, under: place))
    case "oneOf": return .oneOf(try add(all: value, keyword, under: place))
    case "not": return .not(try add(value, keyword, under: place))
    case "if":
      let condition = try add(value, keyword, under: place)
      var branches: [Int?] = []
      for branch in ["then", "else"] {
        let schema = keywords[branch]
        branches.append(schema == nil ? nil : try add(schema!, branch, under: place))
      }
      return .condition(condition, then: branches[0], else: branches[1])
    case "then", "else":
      guard keywords["if"] != nil else { throw place.error("\(keyword) does nothing without if") }
      return nil  // taken up by "if"
    default:
      throw place.error("unknown keyword \(JSONValue.string(keyword).shortened())")
    }
  }

  private mutating func header(
    _ keyword: String, _ value: JSONValue, _ place: Place
  ) throws(SchemaError) -> Rule? {
    guard place.isTop else {
      throw place.error("\(keyword) can only stand at the top of a document")
    }
    switch (keyword, value) {
    case ("$defs", .object(let definitions)):
      for name in definitions.keys.sorted() {
        // So that a $ref needs no escapes.
        guard name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"~/%#\"".utf8.contains($0) }) else {
          throw place.error("$defs: the name \(JSONValue.string(name).shortened()) must be plain")
        }
        _ = index(of: Target(document: place.target.document, definition: name))
      }
    case ("$defs", _): throw place.error("$defs must be an object")
    case ("$schema", let dialect):
      guard dialect == "https://json-schema.org/draft/2020-12/schema" else {
        throw place.error("$schema must be https://json-schema.org/draft/2020-12/schema")
      }
    case (_, .string): break
    default: throw place.error("\(keyword) must be a string")
    }
    return nil
  }

  private func types(_ value: JSONValue, _ place: Place) throws(SchemaError) -> [JSONType] {
    let names = value.array ?? [value]
    let types = names.compactMap { $0.string.flatMap(JSONType.init) }
    guard types.count == names.count, !types.isEmpty else {
      let known = JSONType.allCases.map(\.rawValue).joined(separator: ", ")
      throw place.error("type must be one or a list of \(known), is \(value.shortened())")
    }
    return types
  }

  private func number(
    _ keyword: String, _ value: JSONValue, _ place: Place
  ) throws(SchemaError) -> JSONValue {
    guard value.double != nil else { throw place.error("\(keyword) must be a number") }
    return value
  }

  private func count(
    _ keyword: String, _ value: JSONValue, _ place: Place
  ) throws(SchemaError) -> Int {
    guard let count = value.int, count >= 0 else {
      throw place.error("\(keyword) must be an integer of at least 0")
    }
    return Int(count)
  }

  private func names(
    _ keyword: String, _ value: JSONValue, _ place: Place
  ) throws(SchemaError) -> [String] {
    let names = value.array?.compactMap(\.string) ?? []
    guard names.count == value.array?.count, Set(names).count == names.count else {
      throw place.error("\(keyword) must be a list of different names")
    }
    return names
  }

  private func pattern(_ value: JSONValue, _ place: Place) throws(SchemaError) -> Pattern {
    guard let source = value.string else { throw place.error("pattern must be a string") }
    do throws(Pattern.Failure) {
      return try Pattern(source)
    } catch {
      throw place.error("pattern \(source) \(error.message)")
    }
  }
}
