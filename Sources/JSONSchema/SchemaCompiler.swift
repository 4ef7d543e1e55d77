/// Turns documents into nodes. References get their index before their target is compiled, and
/// the targets wait in a queue; this is what makes recursive schemas work.
struct SchemaCompiler {
  /// A document, or one of its definitions.
  struct Target: Hashable {
    var document: String
    var definition: String?

    var location: String { document + "#" + (definition.map { "/$defs/" + $0 } ?? "") }
  }

  let documents: [String: JSONValue]
  let rootName: String
  var nodes: [SchemaNode] = []
  private var indices: [Target: Int] = [:]
  private var queue: [Target] = []

  init(documents: [String: JSONValue], rootName: String) {
    self.documents = documents
    self.rootName = rootName
  }

  mutating func compile() throws(SchemaError) -> (nodes: [SchemaNode], root: Int) {
    let root = index(of: Target(document: rootName))
    while let target = queue.popLast() {
      let document = documents[target.document] ?? .null
      let schema = target.definition.map { document["$defs"]?[$0] ?? .null } ?? document
      nodes[indices[target]!] = try node(
        schema, Place(target: target, location: target.location, isTop: target.definition == nil))
    }
    try refuseLoops()
    return (nodes, root)
  }

  mutating func index(of target: Target) -> Int {
    if let index = indices[target] { return index }
    nodes.append(SchemaNode())
    indices[target] = nodes.count - 1
    queue.append(target)
    return nodes.count - 1
  }

  /// Where a subschema stands.
  struct Place {
    var target: Target
    var location: String
    /// Whether it is a whole document.
    var isTop: Bool

    func error(_ message: String) -> SchemaError {
      SchemaError(location: location, message: message)
    }
  }

  mutating func add(
    _ schema: JSONValue, _ key: String, under place: Place
  ) throws(SchemaError) -> Int {
    nodes.append(SchemaNode())
    let index = nodes.count - 1
    nodes[index] = try node(
      schema, Place(target: place.target, location: "\(place.location)/\(key)", isTop: false))
    return index
  }

  mutating func add(
    all schemas: JSONValue, _ key: String, under place: Place
  ) throws(SchemaError) -> [Int] {
    guard let items = schemas.array, !items.isEmpty else {
      throw place.error("\(key) must be a list of schemas")
    }
    var result: [Int] = []
    for (index, item) in items.enumerated() {
      result.append(try add(item, "\(key)/\(index)", under: place))
    }
    return result
  }

  private mutating func node(_ schema: JSONValue, _ place: Place) throws(SchemaError) -> SchemaNode
  {
    var node = SchemaNode()
    switch schema {
    case .bool(true): break
    case .bool(false): node.rules = [.nothing]
    case .object(let keywords):
      for (keyword, value) in keywords.sorted(by: { $0.key < $1.key }) {
        if keyword.hasPrefix("x-") {
          if keyword == "x-sensitive", value.bool == nil {
            throw place.error("x-sensitive must be true or false")
          }
          node.annotations[keyword] = value
        } else if let rule = try rule(keyword, value, in: keywords, place) {
          node.rules.append(rule)
        }
      }
    default: throw place.error("a schema must be an object, true or false")
    }
    return node
  }

  /// The target of a `$ref`.
  func target(_ reference: JSONValue, _ place: Place) throws(SchemaError) -> Target {
    guard let text = reference.string else { throw place.error("$ref must be a string") }
    let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
    var target = Target(document: place.target.document)
    if let file = parts.first, !file.isEmpty {
      target.document = Self.resolve(String(file), against: place.target.document)
    }
    guard let document = documents[target.document] else {
      throw place.error("$ref \(text): there is no document \(target.document)")
    }
    if parts.count == 2, !parts[1].isEmpty {
      guard parts[1].hasPrefix("/$defs/") else {
        throw place.error("$ref \(text): only #/$defs/… can be referred to")
      }
      let name = String(parts[1].dropFirst("/$defs/".count))
      guard document["$defs"]?[name] != nil else {
        throw place.error("$ref \(text): \(target.document) has no $defs/\(name)")
      }
      target.definition = name
    }
    return target
  }

  /// A file name relative to another's folder; RFC 3986, section 5.2, for names without a scheme.
  static func resolve(_ file: String, against base: String) -> String {
    var folders = base.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    for part in file.split(separator: "/", omittingEmptySubsequences: false) {
      switch part {
      case ".": continue
      case ".." where folders.last != nil && folders.last != "..": folders.removeLast()
      default: folders.append(part)
      }
    }
    return folders.joined(separator: "/")
  }

  /// A schema that comes back to itself on the same value would never end.
  private func refuseLoops() throws(SchemaError) {
    enum Mark { case open, done }
    var marks: [Int: Mark] = [:]
    func visit(_ index: Int) -> Bool {
      if let mark = marks[index] { return mark == .done }
      marks[index] = .open
      for rule in nodes[index].rules {
        for child in rule.inPlace where !visit(child) { return false }
      }
      marks[index] = .done
      return true
    }
    for (target, index) in indices.sorted(by: { $0.value < $1.value }) where !visit(index) {
      throw SchemaError(
        location: target.location, message: "refers to itself without descending into the value")
    }
  }
}
