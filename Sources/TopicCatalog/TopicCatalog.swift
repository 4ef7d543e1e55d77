public import Contracts
import Foundation
public import JSONSchema
import YAML

/// The topics and the schemas of their events, as a Topics folder has them.
///
/// Loading checks the whole of it: every manifest is readable and named after its topic, all topics
/// have the same number of partitions, every type of event has a schema and travels on the topic
/// that the contracts say, and every schema compiles. Immutable; may be used from any thread.
public struct TopicCatalog: Sendable {
  /// Where the catalog was read from.
  public let folder: String
  /// In the order of their names.
  public let topics: [TopicManifest]
  /// Every file of the folder's schemas by its name, `order.placed.json`, as it is written.
  public let documents: [String: JSONValue]
  /// The schema of the headers of an event, as an object of texts.
  public let headers: Schema
  private let schemas: [EventType: Schema]

  /// Reads and checks a folder.
  ///
  /// - Throws: ``TopicCatalogError``, which names the file, and the line or the place in it.
  public init(folder: String) throws(TopicCatalogError) {
    self.folder = folder
    topics = try Self.manifests(in: folder)
    try Self.check(topics, folder)
    documents = try Self.documents(in: folder + "/schemas")
    headers = try Self.schema("headers.json", of: documents, folder)
    var schemas: [EventType: Schema] = [:]
    for type in EventType.allCases {
      schemas[type] = try Self.schema("\(type.rawValue).json", of: documents, folder)
    }
    self.schemas = schemas
  }

  /// The manifest of a topic; nil for a topic that the folder does not describe.
  public func topic(_ name: String) -> TopicManifest? { topics.first { $0.name == name } }

  /// The schema of an event's body.
  public func schema(for type: EventType) -> Schema {
    guard let schema = schemas[type] else {
      preconditionFailure("a catalog is only made with a schema for every type of event")
    }
    return schema
  }

  /// Everything that is wrong with the body of an event; empty for a valid one. That the total is
  /// the sum of the lines is not a schema's to say: ``EventCodec`` checks it.
  ///
  /// - Throws: ``JSONParseError`` for bytes that are not JSON.
  public func validate(
    _ type: EventType, _ body: some Sequence<UInt8>
  ) throws(JSONParseError) -> [Violation] {
    schema(for: type).validate(
      try JSONValue(parsing: body, maximumDepth: EventCodec.maximumDepth))
  }
}

// Loading.
extension TopicCatalog {
  private static func manifests(in folder: String) throws(TopicCatalogError) -> [TopicManifest] {
    var manifests: [TopicManifest] = []
    for file in try names(in: folder, ending: ".yaml") {
      let path = "\(folder)/\(file)"
      guard let text = String(validating: try contents(path), as: UTF8.self) else {
        throw TopicCatalogError(location: path, message: "is not UTF-8")
      }
      let reader = try ManifestReader(text, file: path, name: String(file.dropLast(5)))
      manifests.append(try reader.read())
    }
    guard !manifests.isEmpty else {
      throw TopicCatalogError(location: folder, message: "has no manifest (*.yaml)")
    }
    return manifests
  }

  /// What one manifest alone can't show.
  private static func check(
    _ topics: [TopicManifest], _ folder: String
  ) throws(TopicCatalogError) {
    for topic in topics {
      let path = "\(folder)/\(topic.name).yaml"
      if topic.partitions != topics[0].partitions {
        throw TopicCatalogError(
          location: path,
          message: "has \(topic.partitions) partitions, but \(topics[0].name) has "
            + "\(topics[0].partitions); all topics must have the same number, so that one "
            + "partition number holds the same orders on each")
      }
      for type in topic.messages where type.topic.rawValue != topic.name {
        throw TopicCatalogError(
          location: path, message: "\(type.rawValue) belongs to \(type.topic.rawValue)")
      }
    }
    let listed = Set(topics.flatMap(\.messages))
    for type in EventType.allCases where !listed.contains(type) {
      throw TopicCatalogError(
        location: "\(folder)/\(type.topic.rawValue).yaml", message: "\(type.rawValue) is missing")
    }
    for name in ServiceName.allCases.map(\.deadLetterTopic)
    where !topics.contains(where: { $0.name == name }) {
      throw TopicCatalogError(location: "\(folder)/\(name).yaml", message: "is missing")
    }
  }

  private static func documents(
    in folder: String
  ) throws(TopicCatalogError) -> [String: JSONValue] {
    var documents: [String: JSONValue] = [:]
    for file in try names(in: folder, ending: ".json") {
      do {
        documents[file] = try JSONValue(parsing: try contents("\(folder)/\(file)"))
      } catch let error as JSONParseError {
        throw TopicCatalogError(location: "\(folder)/\(file)", message: error.description)
      } catch let error as TopicCatalogError {
        throw error
      } catch {
        throw TopicCatalogError(location: "\(folder)/\(file)", message: "\(error)")
      }
    }
    return documents
  }

  private static func schema(
    _ file: String, of documents: [String: JSONValue], _ folder: String
  ) throws(TopicCatalogError) -> Schema {
    guard let document = documents[file] else {
      throw TopicCatalogError(location: "\(folder)/schemas/\(file)", message: "is missing")
    }
    do {
      return try Schema(document, named: file, documents: documents)
    } catch {
      throw TopicCatalogError(
        location: "\(folder)/schemas/\(error.location)", message: error.message)
    }
  }

  private static func names(
    in folder: String, ending: String
  ) throws(TopicCatalogError) -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder)
        .filter { $0.hasSuffix(ending) && !$0.hasPrefix(".") }.sorted()
    } catch {
      throw TopicCatalogError(
        location: folder, message: "the folder can't be read: \(error.localizedDescription)")
    }
  }

  private static func contents(_ path: String) throws(TopicCatalogError) -> [UInt8] {
    do {
      return [UInt8](try Data(contentsOf: URL(filePath: path)))
    } catch {
      throw TopicCatalogError(
        location: path, message: "can't be read: \(error.localizedDescription)")
    }
  }
}

/// What is wrong with a Topics folder; reads `Topics/orders.v1.yaml:31:21: partitions must be an
/// integer of at least 1`.
public struct TopicCatalogError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file, with the line and column or the JSON Pointer where there is one.
  public let location: String
  /// What is wrong, for people.
  public let message: String

  public var description: String { "\(location): \(message)" }

  init(location: String, message: String) {
    self.location = location
    self.message = message
  }

  init(_ error: YAMLError) {
    self.init(location: error.location?.description ?? "the manifest", message: error.message)
  }
}
