import Foundation
import JSONSchema
import PythonCrosscheck
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
