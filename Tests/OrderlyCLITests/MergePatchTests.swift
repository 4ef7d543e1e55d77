import JSONSchema
import Testing

@testable import OrderlyCLI

/// The examples of RFC 7386, appendix A, and what an operator patches.
@Suite struct MergePatchTests {
  static let cases: [(original: String, patch: String, result: String)] = [
    (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
    (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
    (#"{"a":"b"}"#, #"{"a":null}"#, #"{}"#),
    (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
    (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
    (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
    (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
    (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#),
    (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#),
    (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#),
    (#"{"a":"foo"}"#, "null", "null"),
    (#"{"a":"foo"}"#, #""bar""#, #""bar""#),
    (#"{"e":null}"#, #"{"a":1}"#, #"{"e":null,"a":1}"#),
    ("[1,2]", #"{"a":"b","c":null}"#, #"{"a":"b"}"#),
    ("{}", #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
    (
      #"{"payment":{"token":"tok_down","cardCountry":"DE"},"total":5}"#,
      #"{"payment":{"token":"tok_ok"}}"#,
      #"{"payment":{"token":"tok_ok","cardCountry":"DE"},"total":5}"#
    ),
  ]

  @Test(arguments: cases) func itIsMerged(
    _ sample: (original: String, patch: String, result: String)
  ) throws {
    let merged = try JSONValue(parsing: sample.original.utf8)
      .merging(try JSONValue(parsing: sample.patch.utf8))
    #expect(merged == (try JSONValue(parsing: sample.result.utf8)))
  }
}
