import JSONSchema
import Testing

/// A schema, values that it admits and values that it does not, all as JSON.
struct KeywordCase: Sendable, CustomTestStringConvertible {
  let schema: String
  let valid: [String]
  let invalid: [String]

  var testDescription: String { schema }

  init(_ schema: String, valid: [String], invalid: [String]) {
    (self.schema, self.valid, self.invalid) = (schema, valid, invalid)
  }
}

@Suite struct KeywordTests {
  static let cases: [KeywordCase] = [
    .init("true", valid: ["1", "null", "{}"], invalid: []),
    .init("false", valid: [], invalid: ["1", "null", "{}"]),
    .init(#"{"type":"null"}"#, valid: ["null"], invalid: ["0", "false", #""""#, "{}"]),
    .init(#"{"type":"boolean"}"#, valid: ["true", "false"], invalid: ["0", "1", #""true""#]),
    .init(
      #"{"type":"integer"}"#, valid: ["1", "-0", "1.0", "1e3", "1e300", "9223372036854775808"],
      invalid: ["1.5", #""1""#, "true", "1e-3"]),
    .init(#"{"type":"number"}"#, valid: ["1", "1.5"], invalid: [#""1""#, "null", "false"]),
    .init(#"{"type":"string"}"#, valid: [#""""#], invalid: ["1", "[]"]),
    .init(#"{"type":"array"}"#, valid: ["[]"], invalid: ["{}", #""[]""#]),
    .init(#"{"type":"object"}"#, valid: ["{}"], invalid: ["[]", "null"]),
    .init(#"{"type":["string","null"]}"#, valid: [#""a""#, "null"], invalid: ["1", "{}"]),
    .init(
      #"{"const":1}"#, valid: ["1", "1.0"],
      invalid: ["true", "2", #""1""#, "1.0000000000000002"]),
    .init(#"{"const":{"a":[1]}}"#, valid: [#"{"a":[1.0]}"#], invalid: [#"{"a":[1],"b":2}"#, "{}"]),
    .init(#"{"const":"é"}"#, valid: [#""\u00e9""#], invalid: [#""e\u0301""#]),
    .init(
      #"{"enum":["EUR","USD",null,0]}"#, valid: [#""EUR""#, "null", "0.0"],
      invalid: [#""eur""#, "false", #""EUR ""#]),
    .init(#"{"minimum":1}"#, valid: ["1", "1.0", "2", #""x""#], invalid: ["0", "0.99", "-3"]),
    .init(#"{"maximum":2.5}"#, valid: ["2", "2.5"], invalid: ["3", "2.51"]),
    .init(#"{"exclusiveMinimum":0}"#, valid: ["1", "1e-300"], invalid: ["0", "-0.0", "-1"]),
    .init(#"{"exclusiveMaximum":10}"#, valid: ["9", "9.99"], invalid: ["10", "10.0", "11"]),
    // One apart where a Double no longer tells them apart.
    .init(
      #"{"maximum":9007199254740992.0}"#, valid: ["9007199254740992"],
      invalid: ["9007199254740993"]),
    .init(
      #"{"minimum":9223372036854775807}"#, valid: ["9223372036854775807", "9223372036854775808"],
      invalid: ["9223372036854775806", "-1e30"]),
    .init(#"{"multipleOf":5}"#, valid: ["0", "-10", "15.0", #""x""#], invalid: ["4", "7.5"]),
    .init(
      #"{"minLength":2}"#, valid: [#""ab""#, #""e\u0301""#, #""🇩🇪""#, "1"],
      invalid: [#""a""#, #""é""#, #""😀""#, #""""#]),
    .init(
      #"{"maxLength":1}"#, valid: [#""😀""#, #""""#], invalid: [#""ab""#, #""🇩🇪""#, #""\r\n""#]),
    .init(
      #"{"pattern":"^[A-Z]{3}$"}"#, valid: [#""EUR""#, "7"],
      invalid: [#""EURO""#, #""EUR\n""#, #""eur""#, #"" EUR""#]),
    .init(#"{"pattern":"b+"}"#, valid: [#""abc""#], invalid: [#""ac""#]),
    .init(#"{"pattern":"^\\d+$"}"#, valid: [#""09""#], invalid: [#""٣""#, #""""#]),
    .init(#"{"pattern":"^\\w+$"}"#, valid: [#""a_9""#], invalid: [#""é""#, #""a-b""#]),
    .init(#"{"pattern":"^[^\\w&&-]$"}"#, valid: [#""é""#], invalid: [#""a""#, #""&""#, #""-""#]),
    .init(
      #"{"pattern":"^.$"}"#, valid: [#""😀""#, #""\u0085""#], invalid: [#""\n""#, #""\u2028""#]),
    .init(#"{"pattern":"^(a|b){2}c?$|^x$"}"#, valid: [#""abc""#, #""x""#], invalid: [#""abx""#]),
    .init(
      #"{"format":"uuid"}"#, valid: [#""2EB8AA08-aa98-11ea-b4aa-73b441d16380""#, "1"],
      invalid: [
        #""2eb8aa08aa9811eab4aa73b441d16380""#, #""2eb8aa08-aa98-11ea-b4aa-73b441d1638""#,
        #""2eb8aa08-aa98-11ea-b4aa-73b441d1638g""#, #""{2eb8aa08-aa98-11ea-b4aa-73b441d1638}""#,
        #""2eb8aa0-8aa98-11ea-b4aa-73b441d16380""#,
      ]),
    .init(
      #"{"format":"date-time"}"#,
      valid: [
        #""2026-01-31T12:00:00Z""#, #""2024-02-29t23:59:59.123456789z""#,
        #""1998-12-31T15:59:60.123-08:00""#, #""2026-01-31T12:00:00+05:30""#,
        #""1998-12-31T23:59:60Z""#, #""0000-02-29T00:00:00Z""#,
      ],
      invalid: [
        #""2026-02-29T12:00:00Z""#, #""2026-01-31T24:00:00Z""#, #""2026-01-31T12:00:00""#,
        #""2026-01-31 12:00:00Z""#, #""2026-13-01T12:00:00Z""#, #""2026-00-01T12:00:00Z""#,
        #""2026-01-31T12:60:00Z""#, #""2026-01-31T12:00:61Z""#, #""2026-01-31T12:00:60Z""#,
        #""2026-01-31T12:00:00.Z""#, #""2026-01-31T12:00:00+24:00""#,
        #""2026-01-31T12:00:00+0530""#,
        #""2026-01-31T12:00:00Z ""#, #""2026-1-31T12:00:00Z""#, #""２026-01-31T12:00:00Z""#,
      ]),
    .init(#"{"items":{"type":"string"}}"#, valid: ["[]", #"["a"]"#, "{}"], invalid: [#"["a",1]"#]),
    .init(#"{"minItems":1,"maxItems":2}"#, valid: ["[1]", "[1,2]"], invalid: ["[]", "[1,2,3]"]),
    .init(
      #"{"uniqueItems":true}"#, valid: ["[]", "[1,true]", "[0,false]", #"["a",["a"]]"#],
      invalid: ["[1,1.0]", #"[{"a":1,"b":2},{"b":2,"a":1}]"#, "[[1],[1]]", "[null,null]"]),
    .init(#"{"uniqueItems":false}"#, valid: ["[1,1]"], invalid: []),
    .init(
      #"{"properties":{"a":{"type":"integer"}},"required":["a"]}"#,
      valid: [#"{"a":1}"#, #"{"a":1,"b":""}"#, "[]"], invalid: ["{}", #"{"a":"1"}"#]),
    .init(
      #"{"properties":{"a":true},"additionalProperties":false}"#, valid: ["{}", #"{"a":1}"#],
      invalid: [#"{"b":1}"#, #"{"a":1,"A":1}"#]),
    .init(
      #"{"properties":{"a":true},"additionalProperties":{"type":"string"}}"#,
      valid: [#"{"a":1,"b":"x"}"#], invalid: [#"{"a":1,"b":2}"#]),
    .init(
      #"{"propertyNames":{"pattern":"^[a-z]+$"}}"#, valid: ["{}", #"{"a":1}"#],
      invalid: [#"{"A":1}"#, #"{"a":1,"":2}"#]),
    .init(
      #"{"minProperties":1,"maxProperties":2}"#, valid: [#"{"a":1}"#],
      invalid: ["{}", #"{"a":1,"b":2,"c":3}"#]),
    .init(#"{"allOf":[{"minimum":1},{"maximum":3}]}"#, valid: ["2"], invalid: ["0", "4"]),
    .init(#"{"anyOf":[{"type":"null"},{"minimum":3}]}"#, valid: ["null", "3"], invalid: ["2"]),
    .init(#"{"oneOf":[{"minimum":1},{"maximum":3}]}"#, valid: ["0", "4"], invalid: ["2"]),
    .init(#"{"not":{"type":"null"}}"#, valid: ["1"], invalid: ["null"]),
    .init(
      #"{"if":{"minimum":10},"then":{"multipleOf":10},"else":{"maximum":5}}"#,
      valid: ["20", "5"], invalid: ["15", "7"]),
    .init(#"{"if":{"minimum":10},"else":false}"#, valid: ["10"], invalid: ["9"]),
    .init(
      ##"{"$ref":"#/$defs/n","maximum":5,"$defs":{"n":{"minimum":1}}}"##, valid: ["3"],
      invalid: ["0", "6"]),
    .init(
      ##"{"properties":{"next":{"$ref":"#"}},"additionalProperties":false}"##,
      valid: ["{}", #"{"next":{"next":{}}}"#], invalid: [#"{"next":{"next":{"x":1}}}"#]),
    .init(
      ##"{"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"urn:x","$comment":"c","##
        + ##""title":"t","description":"d","examples":[1],"default":2,"x-note":{"any":1}}"##,
      valid: ["1", "null"], invalid: []),
  ]

  @Test(arguments: cases) func keyword(_ example: KeywordCase) throws {
    let schema = try Schema(JSONValue(parsing: example.schema))
    for text in example.valid {
      #expect(schema.validate(try JSONValue(parsing: text)).isEmpty, "\(text)")
    }
    for text in example.invalid {
      #expect(!schema.validate(try JSONValue(parsing: text)).isEmpty, "\(text)")
    }
  }
}
