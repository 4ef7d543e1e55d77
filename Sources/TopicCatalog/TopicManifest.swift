public import Contracts
import YAML

/// What a manifest says about a topic.
public struct TopicManifest: Hashable, Sendable {
  /// The topic's name in Kafka, which is the manifest's file name without its ending.
  public let name: String
  /// At least 1, and the same for every topic of a catalog.
  public let partitions: Int
  /// At least 1; a default for development that an operator overrides.
  public let replicas: Int
  /// The topic's settings as Kafka's admin API takes them, for instance `retention.ms`: `604800000`.
  public let configuration: [String: String]
  /// The types of events on the topic, in the order of the manifest; empty for dead letters, which
  /// may be anything.
  public let messages: [EventType]
}

/// Reads one AsyncAPI document, as far as it matters here.
struct ManifestReader {
  private let root: YAMLNode
  private let name: String

  /// - Parameters:
  ///   - text: the document.
  ///   - file: its path, for messages.
  ///   - name: the topic that the file's name stands for.
  init(_ text: String, file: String, name: String) throws(TopicCatalogError) {
    do {
      root = try YAMLNode(parsing: text, file: file)
    } catch {
      throw TopicCatalogError(error)
    }
    self.name = name
  }

  func read() throws(TopicCatalogError) -> TopicManifest {
    let version = try string(root, "asyncapi")
    guard version.text.hasPrefix("3.0.") else {
      throw error(version.node, "asyncapi must be 3.0.x, is \(version.text)")
    }
    let channels = try mapping(root, "channels")
    guard channels.entries.count == 1, let channel = channels.entries.first?.value else {
      throw error(root["channels"], "a manifest describes one topic, so it has one channel")
    }
    let address = try string(channel, "address")
    guard address.text == name else {
      throw error(
        address.node, "the file is named after \(name), but the address is \(address.text)")
    }
    let binding = try child(try child(channel, "bindings"), "kafka")
    if let topic = binding["topic"], topic.string != name {
      throw error(topic, "topic must be the channel's address, \(name)")
    }
    return TopicManifest(
      name: name, partitions: try count(binding, "partitions"),
      replicas: try count(binding, "replicas"), configuration: try configuration(binding),
      messages: try messages(channel))
  }

  private func configuration(
    _ binding: YAMLNode
  ) throws(TopicCatalogError) -> [String: String] {
    guard binding["topicConfiguration"] != nil else { return [:] }
    var configuration: [String: String] = [:]
    for (key, node) in try mapping(binding, "topicConfiguration").entries {
      let values = node.array ?? [node]
      var texts: [String] = []
      for value in values {
        switch value.value {
        case .string(let text): texts.append(text)
        case .int(let number): texts.append(String(number))
        case .float(let number): texts.append(String(number))
        case .bool(let flag): texts.append(String(flag))
        case .null, .sequence, .mapping:
          throw error(value, "\(key) must be text, a number, or a list of them")
        }
      }
      configuration[key] = texts.joined(separator: ",")
    }
    return configuration
  }

  /// The events of the channel. A message whose payload has no schema is not an event.
  private func messages(_ channel: YAMLNode) throws(TopicCatalogError) -> [EventType] {
    var types: [EventType] = []
    for (key, node) in try mapping(channel, "messages").entries {
      let message = try resolve(node, key)
      guard let payload = message["payload"] else { continue }
      let type = try string(message, "name")
      guard let event = EventType(rawValue: type.text) else {
        throw error(type.node, "no event of the contracts is called \(type.text)")
      }
      let schema = try string(payload, "$ref")
      guard schema.text == "schemas/\(event.rawValue).json" else {
        throw error(
          schema.node, "the payload of \(event.rawValue) must be schemas/\(event.rawValue).json")
      }
      types.append(event)
    }
    return types
  }

  /// Follows a reference into the components of the same file.
  private func resolve(_ node: YAMLNode, _ key: String) throws(TopicCatalogError) -> YAMLNode {
    guard let reference = node["$ref"] else { return node }
    let prefix = "#/components/messages/"
    guard let text = reference.string, text.hasPrefix(prefix) else {
      throw error(reference, "message \(key) must refer to \(prefix)…")
    }
    let target = String(text.dropFirst(prefix.count))
    guard let message = root["components"]?["messages"]?[target] else {
      throw error(reference, "there is no \(text) in this file")
    }
    return message
  }
}

// Access to nodes, with messages for what is not there.
extension ManifestReader {
  private func child(_ node: YAMLNode, _ key: String) throws(TopicCatalogError) -> YAMLNode {
    guard let child = node[key] else { throw error(node, "\(key) is missing") }
    return child
  }

  private func mapping(_ node: YAMLNode, _ key: String) throws(TopicCatalogError) -> YAMLMapping {
    let child = try child(node, key)
    guard let mapping = child.mapping else {
      throw error(child, "\(key) must be a mapping, is \(child.kind)")
    }
    return mapping
  }

  private func string(
    _ node: YAMLNode, _ key: String
  ) throws(TopicCatalogError) -> (text: String, node: YAMLNode) {
    let child = try child(node, key)
    guard let text = child.string else {
      throw error(child, "\(key) must be text, is \(child.kind)")
    }
    return (text, child)
  }

  private func count(_ node: YAMLNode, _ key: String) throws(TopicCatalogError) -> Int {
    let child = try child(node, key)
    guard let number = child.int, number >= 1 else {
      throw error(child, "\(key) must be an integer of at least 1")
    }
    return number
  }

  private func error(_ node: YAMLNode?, _ message: String) -> TopicCatalogError {
    TopicCatalogError(YAMLError(node?.location, message))
  }
}
