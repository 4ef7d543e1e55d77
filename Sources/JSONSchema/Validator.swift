/// One validation of one value.
struct Validator {
  /// A step from a value to one inside.
  enum Step {
    case key(String)
    case index(Int)
  }

  let schema: Schema
  let value: JSONValue
  var violations: [Violation] = []
  private var path: [Step] = []
  /// The whole value without what must not be shown; made when the first message needs it.
  private lazy var shown = schema.redacted(value)

  init(schema: Schema, value: JSONValue) {
    self.schema = schema
    self.value = value
  }

  mutating func check(_ value: JSONValue, against index: Int) {
    for rule in schema.nodes[index].rules {
      switch value {
      case .integer, .number: checkNumber(value, rule)
      case .string(let text): checkString(text, rule)
      case .array(let items): checkArray(items, rule)
      case .object(let members): checkObject(members, rule)
      case .null, .bool: break
      }
      checkAny(value, rule)
    }
  }

  private mutating func checkAny(_ value: JSONValue, _ rule: Rule) {
    switch rule {
    case .nothing: report("false", "must not be present")
    case .ref(let target): check(value, against: target)
    case .type(let types):
      if !types.contains(where: { $0.admits(value) }) {
        let names = types.map(\.name).joined(separator: " or ")
        report("type", "must be \(names), \(display())")
      }
    case .const(let constant):
      if value != constant { report("const", "must be \(constant.shortened()), \(display())") }
    case .oneOfValues(let values, let set):
      if !set.contains(value) {
        // Enough of a long list to see of what kind it is.
        let shown = values.count > 20 ? values.prefix(10) : values[...]
        let rest = values.count - shown.count
        let list =
          shown.map { $0.shortened() }.joined(separator: ", ")
          + (rest > 0 ? ", or \(rest) others" : "")
        report("enum", "must be one of \(list), \(display())")
      }
    case .allOf(let schemas):
      for schema in schemas { check(value, against: schema) }
    case .anyOf(let schemas):
      let results = schemas.map { attempt(value, against: $0) }
      if !results.contains(where: \.isEmpty) { reportNone("anyOf", results) }
    case .oneOf(let schemas):
      let results = schemas.map { attempt(value, against: $0) }
      let matches = results.count(where: \.isEmpty)
      if matches == 0 { reportNone("oneOf", results) }
      if matches > 1 {
        report("oneOf", "must match exactly one of \(schemas.count) schemas, matches \(matches)")
      }
    case .not(let schema):
      if attempt(value, against: schema).isEmpty {
        report("not", "must not match the schema under not, \(display())")
      }
    case .condition(let condition, let then, let otherwise):
      let branch = attempt(value, against: condition).isEmpty ? then : otherwise
      if let branch { check(value, against: branch) }
    default: break
    }
  }

  private mutating func checkNumber(_ value: JSONValue, _ rule: Rule) {
    switch rule {
    case .minimum(let bound) where value.isLess(than: bound):
      report("minimum", "must be at least \(bound.serialized()), \(display())")
    case .maximum(let bound) where bound.isLess(than: value):
      report("maximum", "must be at most \(bound.serialized()), \(display())")
    case .exclusiveMinimum(let bound) where !bound.isLess(than: value):
      report("exclusiveMinimum", "must be greater than \(bound.serialized()), \(display())")
    case .exclusiveMaximum(let bound) where !value.isLess(than: bound):
      report("exclusiveMaximum", "must be less than \(bound.serialized()), \(display())")
    case .multipleOf(let divisor):
      let isMultiple =
        switch value {
        case .integer(let number): number % divisor == 0
        default: value.double?.truncatingRemainder(dividingBy: Double(divisor)) == 0
        }
      if !isMultiple { report("multipleOf", "must be a multiple of \(divisor), \(display())") }
    default: break
    }
  }

  private mutating func checkString(_ text: String, _ rule: Rule) {
    // Lengths count code points (2020-12 validation, section 6.3), not what Swift calls characters.
    switch rule {
    case .minLength(let bound) where text.unicodeScalars.count < bound:
      let length = text.unicodeScalars.count
      report("minLength", "must have at least \(plural(bound, "character")), has \(length)")
    case .maxLength(let bound) where text.unicodeScalars.count > bound:
      let length = text.unicodeScalars.count
      report("maxLength", "must have at most \(plural(bound, "character")), has \(length)")
    case .pattern(let pattern) where !pattern.matches(text):
      report("pattern", "must match the pattern \(pattern.source), \(display())")
    case .format(let format) where !format.accepts(text):
      report("format", "must be \(format.name), \(display())")
    default: break
    }
  }

  private mutating func checkArray(_ items: [JSONValue], _ rule: Rule) {
    switch rule {
    case .items(let schema):
      for (index, item) in items.enumerated() { descend(.index(index), item, schema) }
    case .minItems(let bound) where items.count < bound:
      report("minItems", "must have at least \(plural(bound, "item")), has \(items.count)")
    case .maxItems(let bound) where items.count > bound:
      report("maxItems", "must have at most \(plural(bound, "item")), has \(items.count)")
    case .uniqueItems:
      var positions: [JSONValue: Int] = [:]
      for (index, item) in items.enumerated() {
        if let first = positions[item] {
          report("uniqueItems", "items must differ, but [\(first)] and [\(index)] are equal")
        } else {
          positions[item] = index
        }
      }
    default: break
    }
  }

  private mutating func checkObject(_ members: [String: JSONValue], _ rule: Rule) {
    switch rule {
    case .properties(let properties):
      for (key, schema) in properties {
        if let member = members[key] { descend(.key(key), member, schema) }
      }
    case .required(let keys):
      for key in keys where members[key] == nil {
        report("required", "is required", at: .key(key))
      }
    case .closed(let known):
      for key in members.keys.sorted() where !known.contains(key) {
        report("additionalProperties", "is not a known field", at: .key(key))
      }
    case .additionalProperties(let schema, let known):
      for (key, member) in members.sorted(by: { $0.key < $1.key }) where !known.contains(key) {
        descend(.key(key), member, schema)
      }
    case .propertyNames(let schema):
      for key in members.keys.sorted() {
        // The key is a value of its own, outside of what redaction knows: a separate validation.
        var names = Validator(schema: self.schema, value: .string(key))
        names.check(.string(key), against: schema)
        for violation in names.violations {
          report("propertyNames", "the key itself breaks a rule: \(violation.rule)", at: .key(key))
        }
      }
    case .minProperties(let bound) where members.count < bound:
      report("minProperties", "must have at least \(plural(bound, "field")), has \(members.count)")
    case .maxProperties(let bound) where members.count > bound:
      report("maxProperties", "must have at most \(plural(bound, "field")), has \(members.count)")
    default: break
    }
  }
}

// Moving through the value, and reporting.
extension Validator {
  private mutating func descend(_ step: Step, _ value: JSONValue, _ schema: Int) {
    path.append(step)
    check(value, against: schema)
    path.removeLast()
  }

  /// The violations of a subschema, without reporting them.
  private mutating func attempt(_ value: JSONValue, against index: Int) -> [Violation] {
    let reported = violations
    violations = []
    defer { violations = reported }
    check(value, against: index)
    return violations
  }

  private mutating func report(_ keyword: String, _ rule: String, at step: Step? = nil) {
    let path = Self.render(path + (step.map { [$0] } ?? []))
    violations.append(
      Violation(
        path: path, keyword: keyword,
        message: "\(path.isEmpty ? Violation.whole : path): \(rule)"))
  }

  private mutating func reportNone(_ keyword: String, _ results: [[Violation]]) {
    let reasons = results.enumerated().map { index, violations in
      "(\(index + 1)) \(violations[0].message)"
    }
    report(keyword, "matches none of \(results.count) schemas: \(reasons.joined(separator: "; "))")
  }

  /// "is -3", from the redacted value.
  private mutating func display() -> String {
    var value: JSONValue? = shown
    for step in path {
      // Something around the place is redacted as a whole.
      switch (step, value) {
      case (.key(let key), .object(let members)?): value = members[key]
      case (.index(let index), .array(let items)?): value = items[index]
      default: value = "[redacted]"
      }
    }
    return "is \(value?.shortened() ?? "missing")"
  }

  private static func render(_ path: [Step]) -> String {
    var text = ""
    for step in path {
      switch step {
      case .index(let index): text += "[\(index)]"
      case .key(let key) where isPlain(key): text += text.isEmpty ? key : "." + key
      case .key(let key): text += "[\(JSONValue.string(key).shortened())]"
      }
    }
    return text
  }

  private static func isPlain(_ key: String) -> Bool {
    (1...40).contains(key.utf8.count)
      && key.utf8.allSatisfy { byte in
        UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20
          || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || "_-".utf8.contains(byte)
      }
  }

  private func plural(_ count: Int, _ noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
  }
}

extension Violation {
  /// What stands for the path of the whole value in a message.
  fileprivate static let whole = "the value"

  /// The message without the path.
  fileprivate var rule: Substring {
    message.dropFirst((path.isEmpty ? Self.whole : path).count + 2)
  }
}
