/// A JSON Schema of draft 2020-12, of exactly the keywords that contracts need.
///
/// Known are `$schema $id $ref $defs $comment title description examples default type properties
/// required additionalProperties propertyNames items minItems maxItems uniqueItems minLength
/// maxLength pattern format enum const minimum maximum exclusiveMinimum exclusiveMaximum multipleOf
/// minProperties maxProperties allOf anyOf oneOf not if then else`, and annotations that start with
/// `x-`. Any other keyword is an error when the schema is loaded, so that a misspelt rule is not a
/// rule that silently does nothing. Where this is stricter than the specification:
/// `$schema`, `$id` and `$defs` stand at the top of a document only; `$ref` is `#`, `#/$defs/name`,
/// or a file name with or without one of these; `format` is asserted, and is `uuid` or `date-time`;
/// `multipleOf` is an integer; `pattern` is the part of ECMA-262 that reads the same everywhere.
///
/// Immutable; validation may run on any number of threads at once.
public struct Schema: Sendable {
  let nodes: [SchemaNode]
  let root: Int

  /// Loads a schema with all that it refers to.
  /// - Parameters:
  ///   - document: the schema, as parsed.
  ///   - name: its file name, against which `$ref` to other files is resolved; also for messages.
  ///   - documents: the other documents by file name; those that are not referred to are not read.
  /// - Throws: ``SchemaError`` for an unknown keyword, a keyword with an unfit value, a `$ref` that
  ///   leads nowhere, or a schema that refers to itself without descending into the value.
  public init(
    _ document: JSONValue, named name: String = "schema", documents: [String: JSONValue] = [:]
  ) throws(SchemaError) {
    var compiler = SchemaCompiler(
      documents: documents.merging([name: document]) { $1 }, rootName: name)
    (nodes, root) = try compiler.compile()
  }

  /// Everything that is wrong with a value, in an order that depends on nothing but schema and
  /// value; empty for a valid value. Values at places that are marked `x-sensitive` are not shown.
  public func validate(_ value: JSONValue) -> [Violation] {
    var validator = Validator(schema: self, value: value)
    validator.check(value, against: root)
    return validator.violations
  }

  /// The value with everything that is marked `x-sensitive: true` replaced by the text
  /// `[redacted]`; for logs and dead letters. Works on invalid values too, as far as their shape
  /// follows the schema.
  public func redacted(_ value: JSONValue) -> JSONValue { redacted(value, by: root) }

  /// The places marked `x-sensitive: true`, sorted: `payment.token`, `lines[].serial`, with `*` for
  /// any key that `additionalProperties` admits.
  public var sensitivePaths: [String] {
    annotations("x-sensitive").filter { $0.value == true }.keys.sorted()
  }

  /// The values of an annotation by place; places as in ``sensitivePaths``, the root being "". A
  /// recursive schema is followed once.
  public func annotations(_ keyword: String) -> [String: JSONValue] {
    var found: [String: JSONValue] = [:]
    var above: Set<Int> = []
    func visit(_ index: Int, at path: String) {
      guard above.insert(index).inserted else { return }
      defer { above.remove(index) }
      if let value = nodes[index].annotations[keyword] { found[path] = value }
      for rule in nodes[index].rules {
        switch rule {
        case .properties(let properties):
          for (key, child) in properties { visit(child, at: path.isEmpty ? key : "\(path).\(key)") }
        case .additionalProperties(let child, except: _):
          visit(child, at: path.isEmpty ? "*" : "\(path).*")
        case .items(let child): visit(child, at: path + "[]")
        default: for child in rule.inPlace { visit(child, at: path) }
        }
      }
    }
    visit(root, at: "")
    return found
  }

  private func redacted(_ value: JSONValue, by index: Int) -> JSONValue {
    let node = nodes[index]
    if node.annotations["x-sensitive"] == true { return "[redacted]" }
    var value = value
    for rule in node.rules {
      switch (rule, value) {
      case (.properties(let properties), .object(var members)):
        for (key, child) in properties {
          if let member = members[key] { members[key] = redacted(member, by: child) }
        }
        value = .object(members)
      case (.additionalProperties(let child, let known), .object(let members)):
        value = .object(
          Dictionary(
            uniqueKeysWithValues: members.map { key, member in
              (key, known.contains(key) ? member : redacted(member, by: child))
            }))
      case (.items(let child), .array(let items)):
        value = .array(items.map { redacted($0, by: child) })
      default:
        for child in rule.inPlace { value = redacted(value, by: child) }
      }
    }
    return value
  }
}

/// Why a schema could not be loaded; reads
/// `order.placed.json#/properties/total: unknown keyword "minimun"`.
public struct SchemaError: Error, Equatable, CustomStringConvertible {
  /// The document and the JSON Pointer of the subschema.
  public let location: String
  /// What is wrong, for people.
  public let message: String

  public var description: String { "\(location): \(message)" }
}

/// One way in which a value breaks its schema.
public struct Violation: Sendable, Equatable, CustomStringConvertible {
  /// Where in the value: `lines[0].quantity`; empty for the value as a whole. Keys other than
  /// letters, digits, `_` and `-` are written `["like this"]`.
  public let path: String
  /// The keyword that is broken, `minimum`; `false` for a schema that admits nothing.
  public let keyword: String
  /// For people, path included: `lines[0].quantity: must be at least 1, is -3`.
  public let message: String

  public var description: String { message }
}
