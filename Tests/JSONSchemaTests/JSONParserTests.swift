import Foundation
import JSONSchema
import Testing

@Suite struct JSONParserTests {
  static let refused: [(String, String)] = [
    ("", "byte 0: the text ends where a value should be"),
    ("{", "byte 1: expected a key in quotes"),
    (#"{"a":1,"a":2}"#, #"byte 7: key "a" occurs twice"#),
    (#"{"a":1,"\u0061":2}"#, #"byte 7: key "a" occurs twice"#),
    (#"{"a" 1}"#, "byte 5: expected a colon after the key"),
    ("[1,]", "byte 3: expected a value"), ("[1 2]", "byte 3: expected a comma or ]"),
    ("01", "byte 1: a number must not start with 0"), ("1.", "byte 2: expected a digit"),
    ("-", "byte 1: expected a digit"), ("+1", "byte 0: expected a value"),
    ("1e", "byte 2: expected a digit"), ("1e400", "byte 0: the number is out of range"),
    ("NaN", "byte 0: expected a value"), ("nul", "byte 0: expected a value"),
    ("1 2", "byte 2: unexpected text after the value"),
    ("\"a", "byte 0: the string is not closed"),
    ("\"\n\"", "byte 1: a control character must be escaped"),
    (#""\x""#, "byte 1: unknown escape"),
    (#""\u12g4""#, "byte 1: \\u takes four hexadecimal digits"),
    (#""\ud800""#, "byte 1: the escape is half of a surrogate pair"),
    (#""\udc00\ud800""#, "byte 1: the escape is half of a surrogate pair"),
    ("\u{FEFF}1", "byte 0: expected a value"),
  ]

  @Test(arguments: refused) func refusesWithTheOffset(_ text: String, _ message: String) throws {
    let error = try #require(throws: JSONParseError.self) { _ = try JSONValue(parsing: text) }
    #expect(error.description == message)
  }

  static let notUTF8: [[UInt8]] = [
    [0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80],
  ]

  @Test(arguments: notUTF8) func refusesInvalidUTF8(_ bytes: [UInt8]) throws {
    let error = try #require(throws: JSONParseError.self) {
      _ = try JSONValue(parsing: [0x22] + bytes + [0x22])
    }
    #expect(error.description == "byte 0: the string is not valid UTF-8")
  }

  @Test func depthIsBounded() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    _ = try JSONValue(parsing: nested(32))
    #expect(throws: JSONParseError.self) { try JSONValue(parsing: nested(33)) }
    #expect(throws: JSONParseError.self) { try JSONValue(parsing: nested(4), maximumDepth: 3) }
    #expect(throws: JSONParseError.self) { try JSONValue(parsing: nested(1_000_000)) }
  }

  @Test func keepsIntegersExactly() throws {
    #expect(try JSONValue(parsing: "9223372036854775807").int == .max)
    #expect(try JSONValue(parsing: "-9223372036854775808").int == .min)
    #expect(try JSONValue(parsing: "1.0") == 1)
    #expect(try JSONValue(parsing: "1.0").hashValue == JSONValue.integer(1).hashValue)
    #expect(try JSONValue(parsing: "1.5") == 1.5)
  }

  @Test func readsEscapes() throws {
    let value = try JSONValue(parsing: #""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\u0000""#)
    #expect(value == "\"\\/\u{8}\u{C}\n\r\t\u{E9}😀\0")
  }

  @Test func writesSortedKeys() throws {
    let value = try JSONValue(parsing: #"{"b":[1,2.5,true,null,"\u0007"],"a":{},"B":[]}"#)
    #expect(value.serialized() == #"{"B":[],"a":{},"b":[1,2.5,true,null,"\u0007"]}"#)
  }

  @Test func agreesWithFoundationOnMutatedValues() throws {
    var random = SplitMix(state: 8_259)
    let start = try JSONValue(parsing: Corpus.validOrder)
    for _ in 0..<500 {
      var value = start
      for _ in 0..<4 { value = Mutation.mutate(value, using: &random) }
      let text = value.serialized()
      #expect(try JSONValue(parsing: text) == value)
      #expect(try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)) == value)
      let encoded = try JSONEncoder().encode(value)
      #expect(try JSONValue(parsing: encoded) == value)
    }
  }

  @Test func everyDamageOfOneByteIsReadOrRefused() throws {
    var random = SplitMix(state: 1)
    let text = Array(Corpus.validOrder.utf8)
    for position in text.indices {
      var damaged = text
      damaged[position] = UInt8.random(in: .min ... .max, using: &random)
      if let value = try? JSONValue(parsing: damaged) {
        #expect(try JSONValue(parsing: value.serialized()) == value)
      }
      _ = try? JSONValue(parsing: text[..<position])
    }
  }
}
