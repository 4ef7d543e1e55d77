import Contracts
import JSONSchema
import Testing
import TopicCatalog

/// The schemas say what the Swift types say, field by field.
@Suite struct SchemaTests {
  private let catalog: TopicCatalog

  init() throws { catalog = try TopicCatalog(folder: Repository.topics) }

  /// A subschema with what it refers to laid under it.
  private func resolved(_ schema: JSONValue) throws -> [String: JSONValue] {
    var members = try #require(schema.object)
    if let reference = members["$ref"]?.string {
      let name = try #require(reference.split(separator: "/").last.map(String.init))
      let target = try #require(catalog.documents["common.json"]?["$defs"]?[name])
      members.merge(try resolved(target)) { mine, _ in mine }
    }
    return members
  }

  /// Every object of a sample with its schema: `visit` is called with both and the path.
  private func walk(
    _ value: JSONValue, _ schema: JSONValue, _ path: String,
    _ visit: ([String: JSONValue], [String: JSONValue], String) throws -> Void
  ) throws {
    let schema = try resolved(schema)
    if let items = value.array {
      for (index, item) in items.enumerated() {
        try walk(item, try #require(schema["items"]), "\(path)[\(index)]", visit)
      }
    }
    guard let members = value.object else { return }
    try visit(members, schema, path)
    for (key, member) in members {
      let place = path.isEmpty ? key : "\(path).\(key)"
      try walk(member, try #require(schema["properties"]?[key], "\(place)"), place, visit)
    }
  }

  @Test(arguments: Samples.payloads) func bothHaveTheSameFields(_ payload: EventPayload) throws {
    let document = try #require(catalog.documents["\(payload.type.rawValue).json"])
    #expect(document["title"]?.string == payload.type.rawValue)
    try walk(try Samples.json(payload), document, "") { members, schema, path in
      let properties = try #require(schema["properties"]?.object)
      #expect(Set(members.keys) == Set(properties.keys), "\(path)")
      let required = try #require(schema["required"]?.array).compactMap(\.string)
      #expect(required.sorted() == members.keys.sorted(), "\(path)")
      #expect(schema["additionalProperties"] == true, "\(path)")
      for (key, property) in properties {
        #expect(try resolved(property)["description"]?.string?.isEmpty == false, "\(path).\(key)")
      }
    }
  }

  /// Each field is really read: it must be there, and of its type, and the error names it.
  @Test(arguments: Samples.payloads) func everyFieldIsDecoded(_ payload: EventPayload) throws {
    let sample = try Samples.json(payload)
    let document = try #require(catalog.documents["\(payload.type.rawValue).json"])
    var paths: [String] = []
    try walk(sample, document, "") { members, _, path in
      paths += members.keys.map { path.isEmpty ? $0 : "\(path).\($0)" }
    }
    for path in paths {
      for replacement in [nil, JSONValue.null, true] as [JSONValue?] {
        let changed = sample.replacing(path, with: replacement)
        try #require(changed != sample, "\(path)")
        let error = #expect(throws: UnreadableEvent.self, "\(path)") {
          try Samples.decode(payload.type, Array(changed.serialized().utf8))
        }
        #expect(error?.reason == .invalidBody)
        #expect(error?.detail.hasPrefix("\(path): ") == true, "\(error?.detail ?? "")")
      }
    }
  }

  @Test func listsOfValuesAreTheSame() throws {
    let common = try #require(catalog.documents["common.json"]?["$defs"])
    func values(_ schema: JSONValue?) -> [String] {
      (schema?["enum"]?.array ?? []).compactMap(\.string).sorted()
    }
    #expect(values(common["currency"]) == Currency.codes.sorted())
    #expect(
      values(common["cancellationReason"]) == CancellationReason.allCases.map(\.rawValue).sorted())
    let headers = catalog.documents["headers.json"]?["properties"]
    #expect(values(headers?["ce_type"]) == EventType.allCases.map(\.rawValue).sorted())
    let dead = catalog.documents["dead-letter-headers.json"]?["properties"]
    #expect(values(dead?["dlq-service"]) == ServiceName.allCases.map(\.rawValue).sorted())
  }

  @Test func sensitiveFieldsAreMarked() {
    #expect(
      catalog.schema(for: .orderPlaced).sensitivePaths
        == ["payment.token", "shipTo.line1", "shipTo.name"])
    #expect(
      catalog.schema(for: .inventoryReserved).sensitivePaths
        == ["payment.token", "shipTo.line1", "shipTo.name"])
    #expect(
      catalog.schema(for: .paymentCaptured).sensitivePaths == ["shipTo.line1", "shipTo.name"])
  }

  @Test func headersOfTheContractsAreTheSchemas() throws {
    let known = try #require(catalog.documents["headers.json"]?["properties"]?.object)
    let written = EventCodec.headers(of: Samples.event(Samples.payloads[0])).map(\.name)
    #expect(Set(known.keys) == Set(written))
    let dead = try #require(catalog.documents["dead-letter-headers.json"]?["properties"]?.object)
    typealias Name = HeaderName.DeadLetter
    #expect(
      Set(dead.keys) == [
        Name.service, Name.topic, Name.partition, Name.offset, Name.reason, Name.detail,
        Name.attempts, Name.firstFailed, Name.lastFailed, Name.fingerprint,
      ])
  }
}

extension JSONValue {
  /// A copy with the member at a path like `lines[0].sku` replaced, or removed for nil.
  fileprivate func replacing(_ path: String, with value: JSONValue?) -> JSONValue {
    let steps = path.split(whereSeparator: { ".[]".contains($0) }).map(String.init)
    return replacing(steps[...], with: value)
  }

  private func replacing(_ steps: ArraySlice<String>, with value: JSONValue?) -> JSONValue {
    guard let step = steps.first else { return value ?? self }
    switch self {
    case .object(var members):
      members[step] =
        steps.count == 1 ? value : members[step]?.replacing(steps.dropFirst(), with: value)
      return .object(members)
    case .array(var items):
      guard let index = Int(step) else { return self }
      items[index] = items[index].replacing(steps.dropFirst(), with: value)
      return .array(items)
    default: return self
    }
  }
}
