import CYAML

/// How large a document may grow.
public struct YAMLLimits: Sendable {
  /// How deep sequences and mappings may be nested.
  public var depth: Int
  /// How many nodes there may be, each alias counted as all that it stands for. This is what stops
  /// a few lines of aliases to aliases from growing to billions of nodes.
  public var nodes: Int

  /// Limits that no manifest or configuration file comes near.
  public init(depth: Int = 64, nodes: Int = 100_000) {
    self.depth = depth
    self.nodes = nodes
  }
}

extension YAMLNode {
  /// Reads a text that holds one YAML document; an empty text is null.
  ///
  /// Refused, because it is more often a mistake than meant: duplicate keys, keys that are not
  /// scalars, merge keys (`<<`, which YAML 1.2 does not have), tags other than the core schema's,
  /// integers beyond 64 bits, and a second document.
  /// - Parameters:
  ///   - text: the document.
  ///   - file: its name, for messages.
  ///   - limits: the bounds on depth and size.
  /// - Throws: ``YAMLError``, with file, line and column.
  public init(
    parsing text: String, file: String = "YAML", limits: YAMLLimits = YAMLLimits()
  ) throws(YAMLError) {
    var text = text
    // Through Result, because withUTF8 does not carry a typed error.
    let result = text.withUTF8 { bytes in
      Result { () throws(YAMLError) in
        try readDocument(bytes, file: file, limits: limits)
      }
    }
    self = try result.get()
  }
}

private func readDocument(
  _ bytes: UnsafeBufferPointer<UInt8>, file: String, limits: YAMLLimits
) throws(YAMLError) -> YAMLNode {
  let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
  defer { parser.deallocate() }
  guard yaml_parser_initialize(parser) == 1 else {
    throw YAMLError(nil, "\(file): out of memory")
  }
  defer { yaml_parser_delete(parser) }
  yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
  yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
  var builder = TreeBuilder(events: EventReader(parser: parser, file: file), limits: limits)
  return try builder.document()
}

/// Builds the tree from the events by recursive descent; the depth bound bounds the stack.
private struct TreeBuilder {
  let events: EventReader
  let limits: YAMLLimits
  private var anchors: [String: (node: YAMLNode, size: Int)] = [:]
  private var nodes = 0

  init(events: EventReader, limits: YAMLLimits) {
    self.events = events
    self.limits = limits
  }

  mutating func document() throws(YAMLError) -> YAMLNode {
    _ = try events.next()  // the start of the stream
    let start = try events.next()
    guard case .documentStart = start.kind else { return YAMLNode(.null, location: start.location) }
    let root = try node(try events.next(), depth: 0)
    _ = try events.next()  // the end of the document
    let end = try events.next()
    guard case .streamEnd = end.kind else {
      throw YAMLError(end.location, "a second document starts here; one file holds one")
    }
    return root
  }

  private mutating func node(_ event: Event, depth: Int) throws(YAMLError) -> YAMLNode {
    let before = nodes
    try count(1, at: event.location)
    var node = YAMLNode(.null, location: event.location)
    switch event.kind {
    case .scalar(let text, let isPlain):
      node.value = try scalar(text, isPlain: isPlain, event)
    case .sequenceStart:
      try check(event, tag: "seq", depth: depth)
      node.value = .sequence(try items(depth: depth + 1))
    case .mappingStart:
      try check(event, tag: "map", depth: depth)
      node.value = .mapping(try entries(depth: depth + 1))
    case .alias(let name):
      guard let target = anchors[name] else {
        throw YAMLError(event.location, "alias *\(name) has no anchor &\(name) before it")
      }
      try count(target.size - 1, at: event.location)
      // The location stays the anchor's: what is wrong with the value is mended there.
      return target.node
    case .streamStart, .streamEnd, .documentStart, .documentEnd, .sequenceEnd, .mappingEnd:
      throw YAMLError(event.location, "unexpected end of the document")
    }
    // Known only from here on, so a node cannot contain itself.
    if let anchor = event.anchor { anchors[anchor] = (node, nodes - before) }
    return node
  }

  private mutating func items(depth: Int) throws(YAMLError) -> [YAMLNode] {
    var items: [YAMLNode] = []
    while true {
      let event = try events.next()
      if case .sequenceEnd = event.kind { return items }
      items.append(try node(event, depth: depth))
    }
  }

  private mutating func entries(depth: Int) throws(YAMLError) -> YAMLMapping {
    var entries = YAMLMapping()
    while true {
      let event = try events.next()
      if case .mappingEnd = event.kind { return entries }
      guard case .scalar(let key, let isPlain) = event.kind else {
        throw YAMLError(event.location, "a key must be plain or quoted text")
      }
      if key == "<<", isPlain {
        throw YAMLError(event.location, "merge keys (<<) are not part of YAML 1.2; write it out")
      }
      guard entries[key] == nil else {
        throw YAMLError(event.location, "key \"\(key)\" occurs twice")
      }
      if let anchor = event.anchor {
        anchors[anchor] = (YAMLNode(.string(key), location: event.location), 1)
      }
      entries[key] = try node(try events.next(), depth: depth)
    }
  }

  private func scalar(
    _ text: String, isPlain: Bool, _ event: Event
  ) throws(YAMLError) -> YAMLValue {
    switch event.tag {
    case nil where isPlain:
      do {
        return try CoreSchema.resolve(text)
      } catch {
        throw YAMLError(
          event.location, "\(text) does not fit into 64 bits; put it in quotes if it is text")
      }
    case nil, "!", "tag:yaml.org,2002:str":
      return .string(text)
    case let tag?:
      throw YAMLError(event.location, "tag \(tag) is not supported here; only !!str is")
    }
  }

  private func check(_ event: Event, tag: String, depth: Int) throws(YAMLError) {
    if let found = event.tag, found != "!", found != "tag:yaml.org,2002:" + tag {
      throw YAMLError(event.location, "tag \(found) is not supported here")
    }
    guard depth < limits.depth else {
      throw YAMLError(event.location, "nested deeper than \(limits.depth) levels")
    }
  }

  private mutating func count(_ more: Int, at location: YAMLLocation) throws(YAMLError) {
    nodes += more
    guard nodes <= limits.nodes else {
      throw YAMLError(
        location, "more than \(limits.nodes) nodes, aliases counted as what they stand for")
    }
  }
}
