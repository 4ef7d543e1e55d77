import Foundation
import JSONSchema
import Testing

/// Compares verdicts with PyPI's `jsonschema` on thousands of values. A seed makes every run the
/// same.
@Suite struct CrosscheckTests {
  @Test(
    .enabled("left out: \(Python.howToInstall)") { await Python.isReady || Python.isCI }
  ) func verdictsAgreeWithPython() async throws {
    guard await Python.isReady else {
      Issue.record("\(Python.howToInstall)")
      return
    }
    var random = SplitMix(state: 2_020_12)
    let cases = try Self.cases(using: &random)
    let lines = cases.map { example in
      JSONValue.object([
        "schema": example.schema, "documents": .object(example.documents),
        "instances": .array(example.instances.map { .string($0.serialized()) }),
      ]).serialized()
    }
    let output = try await Python.run([Python.script], input: lines.joined(separator: "\n"))
    let verdicts = output.split(separator: "\n")
    try #require(verdicts.count == cases.count)
    var valid = 0
    var total = 0
    for (example, verdict) in zip(cases, verdicts) {
      let schema = try Schema(example.schema, named: "main.json", documents: example.documents)
      try #require(verdict.utf8.count == example.instances.count)
      for (instance, theirs) in zip(example.instances, verdict) {
        let violations = schema.validate(instance)
        #expect(
          violations.isEmpty == (theirs == "1"),
          "\(example.schema.serialized()) on \(instance.serialized()): \(violations)")
        valid += violations.isEmpty ? 1 : 0
        total += 1
      }
    }
    // The comparison says little unless there is a good share of both verdicts.
    #expect(total > 5_000)
    #expect(valid > total / 10 && valid < total * 9 / 10)
  }

  private struct Case {
    var schema: JSONValue
    var documents: [String: JSONValue] = [:]
    var instances: [JSONValue] = []
  }

  private static func cases(using random: inout SplitMix) throws -> [Case] {
    var cases: [Case] = []
    let keywordValues = try Set(KeywordTests.cases.flatMap { $0.valid + $0.invalid }).sorted()
      .map { try JSONValue(parsing: $0) }
    for example in KeywordTests.cases {
      var schema = try JSONValue(parsing: example.schema)
      // Python takes an id as the base of references, and warns of one that is not needed.
      if case .object(var members) = schema {
        members["$id"] = nil
        schema = .object(members)
      }
      cases.append(Case(schema: schema, instances: keywordValues))
    }
    var order = Case(schema: try JSONValue(parsing: Corpus.order))
    order.documents = ["common.json": try JSONValue(parsing: Corpus.common)]
    let valid = try JSONValue(parsing: Corpus.validOrder)
    order.instances = [valid]
    for _ in 0..<4_000 {
      var mutated = valid
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        mutated = Mutation.mutate(mutated, using: &random)
      }
      order.instances.append(mutated)
    }
    return cases + [order]
  }
}

/// The interpreter named by `ORDERLY_PYTHON`, or `python3`.
private enum Python {
  static let environment = ProcessInfo.processInfo.environment
  static let executable = environment["ORDERLY_PYTHON"] ?? "python3"
  static let isCI = environment["CI"] == "true"
  static let script = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "crosscheck.py").path
  static let howToInstall =
    "\(executable) has no jsonschema; install it with 'pip install jsonschema', "
    + "or name an interpreter that has it in ORDERLY_PYTHON"

  static var isReady: Bool {
    get async { (try? await run(["-c", "import jsonschema, referencing"], input: "")) != nil }
  }

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Runs the interpreter to its end. Input and output go through files, so that neither side can
  /// wait for the other.
  static func run(_ arguments: [String], input: String) async throws -> String {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (inputFile, outputFile) = (folder.appending(path: "in"), folder.appending(path: "out"))
    let errorFile = folder.appending(path: "errors")
    try Data(input.utf8).write(to: inputFile)
    for file in [outputFile, errorFile] { try Data().write(to: file) }
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [executable] + arguments
    process.standardInput = try FileHandle(forReadingFrom: inputFile)
    process.standardOutput = try FileHandle(forWritingTo: outputFile)
    process.standardError = try FileHandle(forWritingTo: errorFile)
    let status = try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
      do {
        try process.run()
      } catch {
        process.terminationHandler = nil
        continuation.resume(throwing: error)
      }
    }
    guard status == 0 else {
      let errors = String(decoding: try Data(contentsOf: errorFile), as: UTF8.self)
      throw Failure(description: "python ended with \(status): \(errors)")
    }
    return String(decoding: try Data(contentsOf: outputFile), as: UTF8.self)
  }
}
