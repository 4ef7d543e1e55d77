import Contracts
import Foundation
import Testing

@testable import TopicCatalog

@Suite struct TopicCatalogTests {
  @Test func manifestsAreTheTopicsOfTheContracts() throws {
    let catalog = try TopicCatalog(folder: Repository.topics)
    let deadLetters = ServiceName.allCases.map(\.deadLetterTopic)
    #expect(catalog.topics.map(\.name) == (Topic.allCases.map(\.rawValue) + deadLetters).sorted())
    for topic in Topic.allCases {
      let manifest = try #require(catalog.topic(topic.rawValue))
      #expect(manifest.messages == EventType.allCases.filter { $0.topic == topic })
      #expect(manifest.configuration["cleanup.policy"] == "delete")
      #expect(manifest.configuration["retention.ms"] == "604800000")
    }
    for name in deadLetters {
      let manifest = try #require(catalog.topic(name))
      #expect(manifest.messages.isEmpty)
      #expect(manifest.configuration["retention.ms"] == "2592000000")
    }
    #expect(Set(catalog.topics.map(\.partitions)) == [6])
    #expect(Set(catalog.topics.map(\.replicas)) == [1])
  }

  /// What is said about who reads a topic is what the services read.
  @Test func operationsAreTheSaga() throws {
    for topic in Topic.allCases {
      let text = try String(
        contentsOf: URL(filePath: "\(Repository.topics)/\(topic.rawValue).yaml"), encoding: .utf8)
      for service in ServiceName.allCases {
        let operation = text.components(separatedBy: "\n  \(service.rawValue)Consumes:\n")
        #expect((operation.count == 2) == service.subscriptions.contains(topic))
        guard operation.count == 2 else { continue }
        let body = operation[1]
          .components(separatedBy: "Consumes:")[0].components(separatedBy: "components:")[0]
        let messages = body.matches(of: /messages\/(\w+)/).map { String($0.output.1).lowercased() }
        let consumed = EventType.allCases
          .filter { $0.topic == topic && service.consumes.contains($0) }
          .map { $0.rawValue.filter { $0.isLetter } }
        #expect(messages == consumed, "\(topic.rawValue) \(service.rawValue)")
      }
    }
  }

  struct Fault: Sendable, CustomTestStringConvertible {
    let file: String
    let old: String
    let new: String?
    let message: String
    var testDescription: String { message }
  }

  @Test(arguments: [
    Fault(
      file: "orders.v1.yaml", old: "partitions: 6", new: "partitions: 0",
      message: "partitions must be an integer of at least 1"),
    Fault(
      file: "orders.v1.yaml", old: "partitions: 6", new: "partitions: 12",
      message: "all topics must have the same number"),
    Fault(
      file: "orders.v1.yaml", old: "replicas: 1", new: "copies: 1", message: "replicas is missing"),
    Fault(
      file: "orders.v1.yaml", old: "asyncapi: 3.0.0", new: "asyncapi: 2.6.0",
      message: "orders.v1.yaml:1:11: asyncapi must be 3.0.x"),
    Fault(
      file: "orders.v1.yaml", old: "address: orders.v1", new: "address: orders",
      message: "named after orders.v1"),
    Fault(
      file: "orders.v1.yaml", old: "topic: orders.v1", new: "topic: orders",
      message: "topic must be the channel's address"),
    Fault(
      file: "orders.v1.yaml", old: "name: order.placed", new: "name: order.lost",
      message: "no event of the contracts is called order.lost"),
    Fault(
      file: "orders.v1.yaml", old: "$ref: schemas/order.placed.json", new: "$ref: x.json",
      message: "must be schemas/order.placed.json"),
    Fault(
      file: "orders.v1.yaml", old: "$ref: '#/components/messages/orderPlaced'",
      new: "$ref: '#/components/messages/gone'", message: "there is no #/components/messages/gone"),
    Fault(file: "orders.v1.yaml", old: "asyncapi", new: "\tasyncapi", message: "orders.v1.yaml:1:"),
    Fault(file: "payments.dlq.yaml", old: "", new: nil, message: "payments.dlq.yaml: is missing"),
    Fault(
      file: "payments.v1.yaml", old: "", new: nil, message: "payment.captured is missing"),
    Fault(
      file: "schemas/order.placed.json", old: "\"required\"", new: "\"requires\"",
      message: "order.placed.json#: unknown keyword \"requires\""),
    Fault(
      file: "schemas/order.placed.json", old: "\"required\"", new: "required",
      message: "order.placed.json: byte"),
    Fault(file: "schemas/order.placed.json", old: "", new: nil, message: "is missing"),
    Fault(file: "schemas/headers.json", old: "", new: nil, message: "is missing"),
  ]) func faultsAreNamedWithTheirPlace(_ fault: Fault) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.copyItem(at: URL(filePath: Repository.topics), to: folder)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: fault.file)
    if let new = fault.new {
      let text = try String(contentsOf: file, encoding: .utf8)
      let range = try #require(text.range(of: fault.old))
      try text.replacingCharacters(in: range, with: new)
        .write(to: file, atomically: true, encoding: .utf8)
    } else {
      try FileManager.default.removeItem(at: file)
    }
    let error = #expect(throws: TopicCatalogError.self) { try TopicCatalog(folder: folder.path) }
    #expect(error?.description.contains(fault.message) == true, "\(error?.description ?? "")")
    #expect(error?.location.hasPrefix(folder.path) == true)
  }

  @Test func theFolderIsLookedForInThreePlaces() throws {
    let root = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: root) }
    func make(_ path: String) throws -> String {
      let folder = root.appending(path: path)
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try Data().write(to: folder.appending(path: "a.yaml"))
      return folder.path
    }
    let above = try make("install/Topics")
    let here = try make("here/Topics")
    let named = try make("named")
    let program = root.path + "/install/bin/x/orderly"
    func find(_ named: String?, _ directory: String, _ program: String?) throws -> String {
      try TopicCatalog.folder(
        environment: named.map { ["ORDERLY_TOPICS": $0] } ?? [:],
        workingDirectory: root.path + directory, program: program)
    }
    #expect(try find(named, "/here", program) == named)
    #expect(try find(nil, "/here", program) == here)
    #expect(try find(nil, "/nowhere", program) == above)
    let wrong = #expect(throws: TopicCatalogError.self) { try find("/nowhere", "/here", program) }
    #expect(wrong?.description.contains("ORDERLY_TOPICS") == true)
    let nowhere = #expect(throws: TopicCatalogError.self) { try find(nil, "/nowhere", nil) }
    #expect(nowhere?.description.contains(root.path + "/nowhere/Topics") == true)
  }
}
