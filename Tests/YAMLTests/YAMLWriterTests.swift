import Testing
import YAML

@Suite struct YAMLWriterTests {
  @Test func writesBlockStyle() throws {
    let node = try YAMLNode(
      parsing: """
        {name: orders, partitions: 6, when: "2026-01-01T00:00:00Z", "on": "yes", none: null, f: 1.0,
        lines: [{sku: A, tags: [x, "1"]}, [1, [2]], []], deep: {er: {}}}
        """)
    #expect(
      node.dump() == """
        name: orders
        partitions: 6
        when: "2026-01-01T00:00:00Z"
        "on": "yes"
        none: null
        f: 1.0
        lines:
        - sku: A
          tags:
          - x
          - "1"
        - - 1
          - - 2
        - []
        deep:
          er: {}

        """)
  }

  static let texts = [
    "", " ", "a b", " a", "a ", "a: b", "a:b", "a:", "a #b", "#", "-", "- a", "?", "*a", "&a", "!a",
    "%a", "@a", "`a", "|", ">", "{", "}", "[a]", "a, b", "'", "\"", "it's", "\\", "a\nb", "\n",
    "\t",
    "\r\n", "\0", "\u{7f}\u{85}\u{a0}", "\u{2028}\u{feff}\u{fffe}", "é", "e\u{301}", "日本", "🇩🇪",
    "null",
    "Null", "~", "true", "FALSE", "yes", "No", "on", "y", "1", "-1", "+1", "0x1f", "0o7", "1.5",
    "1e3", ".5", ".inf", ".nan", "1_000", "12:30:45", "2026-01-01", "---", "...", "<<", "=",
    "9223372036854775808", "key: [", "a\u{1F}", "/path/to", "tok_ok", "SKU-0000",
  ]

  @Test(arguments: texts) func textComesBackAsText(_ text: String) throws {
    let value = YAMLNode(.string(text))
    #expect(try YAMLNode(parsing: value.dump()) == value)
    let nested = YAMLNode(
      .mapping(YAMLMapping([(text, value), ("list", YAMLNode(.sequence([value, value])))])))
    if text != "list" { #expect(try YAMLNode(parsing: nested.dump()) == nested) }
  }

  @Test func randomTreesComeBackEqual() throws {
    var random = SplitMix(state: 20_260_101)
    for _ in 0..<2_000 {
      let node = Self.tree(depth: 4, using: &random)
      let text = node.dump()
      let again = try YAMLNode(parsing: text)
      #expect(again == node, "\(text)")
    }
  }

  private static func tree(depth: Int, using random: inout SplitMix) -> YAMLNode {
    switch Int.random(in: 0..<(depth > 0 ? 9 : 6), using: &random) {
    case 0: return YAMLNode(.null)
    case 1: return YAMLNode(.bool(.random(using: &random)))
    case 2: return YAMLNode(.int(.random(in: .min ... .max, using: &random)))
    case 3:
      let number = Double(bitPattern: random.next())
      return YAMLNode(.float(number.isNaN ? .infinity : number))
    case 4, 5: return YAMLNode(.string(texts.randomElement(using: &random)!))
    case 6:
      let count = Int.random(in: 0..<4, using: &random)
      return YAMLNode(.sequence((0..<count).map { _ in tree(depth: depth - 1, using: &random) }))
    default:
      var mapping = YAMLMapping()
      for _ in 0..<Int.random(in: 0..<4, using: &random) {
        let key = texts.randomElement(using: &random)!
        mapping[key] = tree(depth: depth - 1, using: &random)
      }
      return YAMLNode(.mapping(mapping))
    }
  }
}

/// Steele, Lea and Flood's SplitMix64: a small generator with a seed.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}
