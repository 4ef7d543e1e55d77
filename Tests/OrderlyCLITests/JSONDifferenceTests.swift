import JSONSchema
import Testing

@testable import OrderlyCLI

@Suite struct JSONDifferenceTests {
  @Test(
    arguments: [
      (#"{"a":1}"#, #"{"a":1.0}"#, []),
      (#"{"a":1}"#, #"{"a":2}"#, ["/a: 1 → 2"]),
      (#"{"a":1}"#, #"{"b":1}"#, ["/a: 1 → -", "/b: - → 1"]),
      (#"{"a":{"b":[1,2]}}"#, #"{"a":{"b":[1,3]}}"#, ["/a/b/1: 2 → 3"]),
      (#"{"a":[1]}"#, #"{"a":[1,2]}"#, ["/a: [1] → [1,2]"]),
      (#"{"x/y":1,"x~y":1}"#, #"{"x/y":2,"x~y":2}"#, ["/x~1y: 1 → 2", "/x~0y: 1 → 2"]),
      ("1", "[1]", [": 1 → [1]"]),
    ] as [(String, String, [String])])
  func placesAreFound(_ before: String, _ after: String, _ expected: [String]) throws {
    let found = JSONDifference.between(
      try JSONValue(parsing: before.utf8), try JSONValue(parsing: after.utf8))
    let texts = found.map {
      "\($0.place): \($0.before?.serialized() ?? "-") → \($0.after?.serialized() ?? "-")"
    }
    #expect(texts == expected)
  }
}
