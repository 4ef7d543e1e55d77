import Contracts
import JSONSchema
import TopicCatalog

/// What operators may see of a record's value, wherever it is shown.
///
/// What no schema describes may be anything, a payment token among it: it is withheld, and so is a
/// body of another shape, which may have the sensitive field in another place.
struct BodyPolicy {
  /// The schemas that say what is sensitive; nil shows everything.
  private let schemas: [EventType: Schema]?

  /// - Parameter showsSensitive: whether everything is shown, as it is.
  /// - Throws: an error when the schemas are not found; without them nobody knows what must not be
  ///   shown.
  init(showsSensitive: Bool) throws {
    self.init(schemas: showsSensitive ? nil : try TopicCatalog.find().schemas)
  }

  init(schemas: [EventType: Schema]?) {
    self.schemas = schemas
  }

  func body(_ bytes: [UInt8]?, type: EventType?) -> RecordText.Body {
    guard let bytes else { return .none }
    let value = try? JSONValue(parsing: bytes, maximumDepth: EventCodec.maximumDepth)
    guard let schemas else { return value.map { .json($0) } ?? .bytes(bytes) }
    func withheld(_ reason: String) -> RecordText.Body {
      .withheld(bytes: bytes.count, reason: "\(reason); --show-sensitive shows it")
    }
    guard let value else { return withheld("not JSON") }
    guard let type, let schema = schemas[type] else { return withheld("of no known type") }
    guard schema.validate(value).isEmpty else { return withheld("not as its schema says") }
    return .json(schema.redacted(value))
  }
}

extension TopicCatalog {
  fileprivate var schemas: [EventType: Schema] {
    Dictionary(uniqueKeysWithValues: EventType.allCases.map { ($0, schema(for: $0)) })
  }
}
