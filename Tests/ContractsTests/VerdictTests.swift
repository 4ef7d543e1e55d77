import Contracts
import Foundation
import JSONSchema
import PythonCrosscheck
import Testing
import TopicCatalog

/// The schemas, the Swift types, Foundation and Python's `jsonschema` must agree on what a valid
/// event is. A seed makes every run the same.
@Suite struct VerdictTests {
  private let catalog: TopicCatalog

  init() throws { catalog = try TopicCatalog(folder: Repository.topics) }

  private struct Mutant {
    let type: EventType
    let value: JSONValue
    var body: [UInt8] { Array(value.serialized().utf8) }
  }

  /// Each sample with every single leaf at its limits, and with one to three faults, many times.
  private static func mutants() throws -> [Mutant] {
    var random = SplitMix64(seed: 2_020_12)
    return try Samples.payloads.flatMap { payload in
      let sample = try Samples.json(payload)
      var values = Mutation.atEveryLimit(sample)
      for _ in 0..<(payload.type == .orderPlaced ? 2_000 : 400) {
        var value = sample
        for _ in 0..<Int.random(in: 1...3, using: &random) {
          value = Mutation.mutate(value, using: &random)
        }
        values.append(value)
      }
      return values.map { Mutant(type: payload.type, value: $0) }
    }
  }

  /// What the Swift types say; the sum of the lines, which no schema can express, left aside.
  private static func isValid(_ mutant: Mutant) -> (Bool, why: String) {
    do {
      _ = try Samples.decode(mutant.type, mutant.body)
      return (true, "")
    } catch {
      return (error.detail.contains("must be the sum of the lines"), error.description)
    }
  }

  @Test(arguments: Samples.payloads) func whatSwiftWritesIsValid(_ payload: EventPayload) throws {
    #expect(try catalog.validate(payload.type, EventCodec.body(of: payload)).isEmpty)
    let headers = EventCodec.headers(of: Samples.event(payload)).map { header in
      (header.name, JSONValue.string(header.text ?? ""))
    }
    let object = JSONValue.object(Dictionary(uniqueKeysWithValues: headers))
    #expect(catalog.headers.validate(object).isEmpty)
  }

  @Test func schemasAndSwiftAgreeOnMutants() throws {
    var valid = 0
    let mutants = try Self.mutants()
    for mutant in mutants {
      let violations = catalog.schema(for: mutant.type).validate(mutant.value)
      let (swift, why) = Self.isValid(mutant)
      #expect(
        violations.isEmpty == swift,
        "\(mutant.type.rawValue) \(mutant.value.serialized().prefix(600)): \(violations) / \(why)")
      valid += swift ? 1 : 0
    }
    // The comparison says little unless there is a good share of both verdicts.
    #expect(valid > mutants.count / 10 && valid < mutants.count * 9 / 10)
  }

  @Test(.enabled("left out: \(Python.howToInstall)") { await Python.isReady || Python.isCI })
  func schemasAndPythonAgreeOnMutants() async throws {
    guard await Python.isReady else {
      Issue.record("\(Python.howToInstall)")
      return
    }
    let byType = Dictionary(grouping: try Self.mutants(), by: \.type)
      .sorted { $0.key.rawValue < $1.key.rawValue }
    let common = try #require(catalog.documents["common.json"])
    let input = try byType.map { type, mutants in
      JSONValue.object([
        "schema": try #require(catalog.documents["\(type.rawValue).json"]),
        "documents": .object([try #require(common["$id"]?.string): common]),
        "instances": .array(mutants.map { .string($0.value.serialized()) }),
      ]).serialized()
    }
    let verdicts = try await Python.run([Python.script], input: input.joined(separator: "\n"))
      .split(separator: "\n")
    try #require(verdicts.count == byType.count)
    for ((type, mutants), verdict) in zip(byType, verdicts) {
      try #require(verdict.utf8.count == mutants.count)
      for (mutant, theirs) in zip(mutants, verdict) {
        let violations = catalog.schema(for: type).validate(mutant.value)
        #expect(
          violations.isEmpty == (theirs == "1"),
          "\(type.rawValue) \(mutant.value.serialized().prefix(600)): \(violations)")
      }
    }
  }

  /// Foundation checks types only, so what it refuses must be refused, and what is accepted must
  /// have the same value there.
  @Test func readerAndFoundationAgreeOnMutants() throws {
    for mutant in try Self.mutants() {
      let foundation = try? FoundationReference.decode(mutant.type, mutant.body)
      let decoded = Result { () throws(UnreadableEvent) in
        try Samples.decode(mutant.type, mutant.body)
      }
      switch decoded {
      case .success(let payload):
        #expect(payload == foundation)
        #expect(try EventCodec.body(of: payload) == FoundationReference.encode(payload))
      case .failure(let error):
        // Of the right types: then it must be a rule that was broken, not the shape.
        let broken = #expect(throws: InvalidField.self, "\(error)") {
          if let foundation {
            try foundation.validate()
          } else {
            throw InvalidField("", "not of the type")
          }
        }
        if foundation != nil { #expect(error.detail == broken?.description) }
      }
    }
  }

  /// Bytes changed anywhere: nothing traps, and JSON is what the strict parser takes for JSON.
  @Test func readerAndStrictParserAgreeOnBrokenText() throws {
    var random = SplitMix64(seed: 8259)
    for payload in Samples.payloads {
      let sample = try EventCodec.body(of: payload)
      for _ in 0..<600 {
        let body = Self.damage(sample, using: &random)
        let text = String(decoding: body, as: UTF8.self)
        let parsed = Result { () throws(JSONParseError) in try JSONValue(parsing: body) }
        let decoded = Result { () throws(UnreadableEvent) in
          try Samples.decode(payload.type, body)
        }
        switch (decoded, parsed) {
        case (.success(let value), .success):
          #expect(value == (try? FoundationReference.decode(payload.type, body)), "\(text)")
        case (.success, .failure(let error)):
          Issue.record("\(text): read, but \(error)")
        case (.failure(let error), .success):
          #expect(error.reason == .invalidBody || error.reason == .wrongKey, "\(text): \(error)")
        case (.failure(let error), .failure(let syntax)):
          // A name that is there twice is a fault of the field here.
          #expect(
            error.reason == .invalidJSON || syntax.message.contains("twice"),
            "\(text): \(error), \(syntax)")
        }
      }
    }
  }

  private static func damage(_ sample: [UInt8], using random: inout SplitMix64) -> [UInt8] {
    let bytes: [UInt8] = Array("{}[],:\"\\u0 \n-.eE1tfn/".utf8) + [0, 0x1f, 0x7f, 0x80, 0xc3, 0xff]
    var body = sample
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      guard let place = body.indices.randomElement(using: &random),
        let byte = bytes.randomElement(using: &random)
      else { break }
      switch Int.random(in: 0..<8, using: &random) {
      case 0...2: body.remove(at: place)
      case 3...4: body.insert(byte, at: place)
      case 5: body = Array(body[...place])
      default: body[place] = byte
      }
    }
    return body
  }
}
