import Testing
import YAML

@Suite struct YAMLReaderTests {
  static let scalars: [(String, YAMLValue)] = [
    ("null", .null), ("~", .null), ("", .null), ("Null", .null), ("nUll", .string("nUll")),
    ("true", .bool(true)), ("FALSE", .bool(false)), ("yes", .string("yes")),
    ("off", .string("off")), ("tRue", .string("tRue")),
    ("0", .int(0)), ("-17", .int(-17)), ("+5", .int(5)), ("007", .int(7)), ("0o17", .int(15)),
    ("0xFf", .int(255)), ("0x", .string("0x")), ("0o8", .string("0o8")), ("-0x1", .string("-0x1")),
    ("1_000", .string("1_000")), ("12:30", .string("12:30")), ("-", .sequence([YAMLNode(.null)])),
    ("9223372036854775807", .int(.max)), ("-9223372036854775808", .int(.min)),
    ("1.5", .float(1.5)), ("1.", .float(1)), (".5", .float(0.5)), ("-1e3", .float(-1000)),
    ("1e", .string("1e")), (".", .string(".")), ("+.", .string("+.")), ("1.2.3", .string("1.2.3")),
    (".inf", .float(.infinity)), ("-.INF", .float(-.infinity)), ("inf", .string("inf")),
    ("nan", .string("nan")), ("0x1p3", .string("0x1p3")),
    ("'1'", .string("1")), ("\"true\"", .string("true")), ("''", .string("")),
    ("!!str 1", .string("1")), ("\"a\\0b\"", .string("a\0b")), ("|\n  a\n  b\n", .string("a\nb\n")),
    ("2026-01-01", .string("2026-01-01")), ("[]", .sequence([])), ("{}", .mapping(YAMLMapping())),
  ]

  @Test(arguments: scalars) func scalar(_ text: String, _ expected: YAMLValue) throws {
    #expect(try YAMLNode(parsing: text).value == expected)
  }

  @Test func readsNestedValuesInOrder() throws {
    let node = try YAMLNode(
      parsing: """
        # comment
        channels:
          orders: orders.v1
          ports: [8080, 9.5]
          on: true
        empty:
        """)
    #expect(node["channels"]?["orders"]?.string == "orders.v1")
    #expect(node["channels"]?["ports"]?.array?.first?.int == 8080)
    #expect(node["channels"]?["ports"]?.array?.map(\.double) == [8080, 9.5])
    #expect(node["channels"]?["on"]?.bool == true)
    #expect(node["channels"]?.mapping?.keys == ["orders", "ports", "on"])
    #expect(node["empty"]?.isNull == true)
    #expect(node["nothing"] == nil)
    #expect(node["empty"]?["deeper"] == nil)
    #expect(node["channels"]?["orders"]?.int == nil)
    #expect(
      node["channels"]?["ports"]?.location == YAMLLocation(file: "YAML", line: 4, column: 10))
  }

  @Test func aliasesStandForTheirAnchors() throws {
    let node = try YAMLNode(parsing: "a: &x {b: 1}\nc: *x\nd: [*x, *x]")
    #expect(node["c"] == node["a"])
    #expect(node["d"]?.array?.count == 2)
    #expect(try YAMLNode(parsing: "&k key: *k")["key"]?.string == "key")
  }

  @Test func anAnchorMayBeDefinedAgain() throws {
    #expect(
      try YAMLNode(parsing: "[&x 1, *x, &x 2, *x]").array?.compactMap(\.int) == [1, 1, 2, 2])
  }

  static let mistakes: [(String, String)] = [
    ("a: 1\nb: 2\na: 3", #"f.yaml:3:1: key "a" occurs twice"#),
    ("a: 1\n'a': 3", #"f.yaml:2:1: key "a" occurs twice"#),
    ("a: *x", "f.yaml:1:4: alias *x has no anchor &x before it"),
    ("a: &x [*x]", "f.yaml:1:8: alias *x has no anchor &x before it"),
    ("[1, 2]: x", "f.yaml:1:1: a key must be plain or quoted text"),
    (
      "a: &x {}\nb:\n  <<: *x", "f.yaml:3:3: merge keys (<<) are not part of YAML 1.2; write it out"
    ),
    (
      "a: 9223372036854775808",
      "f.yaml:1:4: 9223372036854775808 does not fit into 64 bits; "
        + "put it in quotes if it is text"
    ),
    ("a\n---\nb", "f.yaml:2:1: a second document starts here; one file holds one"),
    (
      "a: !!binary AA==",
      "f.yaml:1:4: tag tag:yaml.org,2002:binary is not supported here; "
        + "only !!str is"
    ),
    ("a: !thing {}", "f.yaml:1:4: tag !thing is not supported here"),
    (
      "a: [1, 2",
      "f.yaml:2:1: did not find expected ',' or ']', "
        + "while parsing a flow sequence that starts in line 1"
    ),
    ("a: b: c", "f.yaml:1:5: mapping values are not allowed in this context"),
    (
      "\tx: 1",
      "f.yaml:1:1: found character that cannot start any token, "
        + "while scanning for the next token"
    ),
    ("a: \u{1}", "f.yaml:1:1: control characters are not allowed (byte 3, character 1)"),
  ]

  @Test(arguments: mistakes) func mistakesAreNamedWithTheirPlace(
    _ text: String, _ message: String
  ) throws {
    let error = try #require(throws: YAMLError.self) {
      _ = try YAMLNode(parsing: text, file: "f.yaml")
    }
    #expect(error.description == message)
  }

  @Test func depthIsBounded() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    _ = try YAMLNode(parsing: nested(64))
    let error = try #require(throws: YAMLError.self) { _ = try YAMLNode(parsing: nested(65)) }
    #expect(error.description == "YAML:1:65: nested deeper than 64 levels")
    #expect(throws: YAMLError.self) {
      try YAMLNode(parsing: String(repeating: "[", count: 500_000))
    }
  }

  @Test func anAliasBombIsRefused() throws {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...9 {
      let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
      text += "a\(level): &a\(level) [\(aliases)]\n"
    }
    let error = try #require(throws: YAMLError.self) { _ = try YAMLNode(parsing: text) }
    #expect(error.message == "more than 100000 nodes, aliases counted as what they stand for")
  }

  @Test func aMappingKeepsOrderThroughChanges() {
    var mapping = YAMLMapping([("a", YAMLNode(.int(1))), ("b", YAMLNode(.int(2)))])
    mapping["c"] = YAMLNode(.int(3))
    mapping["a"] = nil
    mapping["b"] = YAMLNode(.int(5))
    mapping["none"] = nil
    #expect(mapping.keys == ["b", "c"])
    #expect(mapping["b"]?.int == 5)
    #expect(mapping["c"]?.int == 3)
    #expect(mapping["a"] == nil)
  }
}
