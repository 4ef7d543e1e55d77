import JSONSchema
import Testing

@Suite struct MessageTests {
  @Test func everyViolationIsNamedWithItsPlace() throws {
    let schema = try Corpus.orderSchema()
    let value = try JSONValue(
      parsing: ##"""
        {"orderId": "nope", "currency": "XXX", "total": 0,
         "lines": [{"sku": "SKU-0001", "quantity": -3, "unitPrice": 7, "colour": "red"}],
         "payment": {}, "shipTo": {"name": "", "country": "DE"},
         "tags": {"A b": "123456789"}}
        """##)
    #expect(
      schema.validate(value).map(\.message) == [
        ##"currency: must be one of "EUR", "USD", "GBP", is "XXX""##,
        "lines[0].colour: is not a known field",
        "lines[0].quantity: must be at least 1, is -3",
        "lines[0].unitPrice: must be a multiple of 5, is 7",
        ##"orderId: must be a UUID, is "nope""##,
        "payment: matches none of 2 schemas: (1) payment.token: is required; "
          + "(2) payment.invoice: is required",
        "shipTo.postcode: is required",
        "shipTo.name: must have at least 1 character, has 0",
        ##"tags["A b"]: must have at most 8 characters, has 9"##,
        "tags[\"A b\"]: the key itself breaks a rule: must match the pattern ^[a-z-]{1,8}$, "
          + "is \"A b\"",
        "total: must be greater than 0, is 0",
        "placedAt: is required",
      ])
  }

  @Test func valuesAreShortenedAndEscaped() throws {
    let schema = try Schema(["type": "integer"])
    let long = JSONValue.string("\u{1B}[31m\n" + String(repeating: "x", count: 100))
    let message = try #require(schema.validate(long).first?.message)
    #expect(message.hasPrefix(#"the value: must be an integer, is "\u001b[31m\nxxx"#))
    #expect(message.hasSuffix("…"))
    #expect(message.count <= "the value: must be an integer, is ".count + 40)
    #expect(schema.validate("\u{202E}abc").first?.message.contains(#"\u202e"#) == true)
  }

  @Test func sensitiveValuesAreNotShown() throws {
    let schema = try Corpus.orderSchema()
    #expect(schema.sensitivePaths == ["payment.token"])
    guard case .object(var order) = try JSONValue(parsing: Corpus.validOrder) else { return }
    order["payment"] = ["token": "4111 1111 1111 1111", "invoice": "4111"]
    let messages = schema.validate(.object(order)).map(\.message).joined()
    #expect(messages.contains("[redacted]"))
    #expect(!messages.contains("4111 1111"))
    let redacted = schema.redacted(.object(order))
    #expect(redacted["payment"]?["token"] == "[redacted]")
    #expect(redacted["orderId"] == order["orderId"])
  }

  @Test func annotationsAreFoundByPlace() throws {
    let schema = try Schema(
      JSONValue(
        parsing: ##"""
          {"x-owner": "orders", "properties": {"lines": {"items": {"$ref": "#/$defs/line"}}},
           "additionalProperties": {"x-sensitive": true},
           "$defs": {"line": {"properties": {"serial": {"x-sensitive": true},
                                             "parts": {"items": {"$ref": "#/$defs/line"}}}}}}
          """##))
    #expect(schema.annotations("x-owner") == ["": "orders"])
    #expect(schema.sensitivePaths == ["*", "lines[].serial"])
    #expect(
      schema.redacted(["lines": [["parts": [["serial": 1]], "n": 2]], "other": ["a": 1]])
        == ["lines": [["parts": [["serial": "[redacted]"]], "n": 2]], "other": "[redacted]"])
  }

  static let unfit: [(String, String)] = [
    (#"{"properties":{"a":{"minimun":1}}}"#, #"a.json#/properties/a: unknown keyword "minimun""#),
    (#"{"prefixItems":[]}"#, #"a.json#: unknown keyword "prefixItems""#),
    (
      #"{"type":"int"}"#,
      "a.json#: type must be one or a list of null, boolean, integer, number, "
        + #"string, array, object, is "int""#
    ),
    (#"{"format":"email"}"#, #"a.json#: format must be one of uuid, date-time, is "email""#),
    (
      #"{"multipleOf":0.01}"#,
      "a.json#: multipleOf must be an integer above 0; "
        + "count in smaller units"
    ),
    (#"{"minLength":-1}"#, "a.json#: minLength must be an integer of at least 0"),
    (#"{"minimum":"1"}"#, "a.json#: minimum must be a number"),
    (#"{"required":"a"}"#, "a.json#: required must be a list of different names"),
    (#"{"required":["a","a"]}"#, "a.json#: required must be a list of different names"),
    (#"{"enum":[]}"#, "a.json#: enum must be a list of values"),
    (#"{"allOf":[]}"#, "a.json#: allOf must be a list of schemas"),
    (#"{"items":[true]}"#, "a.json#/items: a schema must be an object, true or false"),
    (#"{"then":true}"#, "a.json#: then does nothing without if"),
    (#"{"items":{"$defs":{}}}"#, "a.json#/items: $defs can only stand at the top of a document"),
    (
      #"{"$schema":"http://json-schema.org/draft-07/schema#"}"#,
      "a.json#: $schema must be https://json-schema.org/draft/2020-12/schema"
    ),
    (##"{"$ref":"#/$defs/x"}"##, "a.json#: $ref #/$defs/x: a.json has no $defs/x"),
    (
      ##"{"$ref":"#/properties/x"}"##,
      "a.json#: $ref #/properties/x: only #/$defs/… can be referred to"
    ),
    (#"{"$ref":"b.json"}"#, "a.json#: $ref b.json: there is no document b.json"),
    (
      ##"{"$defs":{"x":{"allOf":[{"$ref":"#/$defs/x"}]}}}"##,
      "a.json#/$defs/x: refers to itself without descending into the value"
    ),
    (##"{"$defs":{"unused":{"foo":1}}}"##, #"a.json#/$defs/unused: unknown keyword "foo""#),
    (#"{"x-sensitive":"yes"}"#, "a.json#: x-sensitive must be true or false"),
    (
      #"{"pattern":"(?=a)"}"#,
      "a.json#: pattern (?=a) has (? other than (?:, "
        + "which patterns here must not have"
    ),
    (
      #"{"pattern":"a++"}"#,
      "a.json#: pattern a++ has a quantifier with nothing to repeat, "
        + "which patterns here must not have"
    ),
    (#"{"pattern":"(a"}"#, "a.json#: pattern (a is not a valid regular expression"),
  ]

  @Test(arguments: unfit) func unfitSchemasAreRefused(_ text: String, _ message: String) throws {
    let error = try #require(throws: SchemaError.self) {
      _ = try Schema(JSONValue(parsing: text), named: "a.json")
    }
    #expect(error.description == message)
  }

  @Test(arguments: [
    "\\b", "\\s", "\\1", "\\p{L}", "[a", "[[a]]", "[]", "a{", "a{,2}", "*a", "]",
    "[a-\\d]", "[a--b]", "a\\", "(?<n>a)", "a**",
  ])
  func unsupportedPatternsAreRefused(_ pattern: String) {
    #expect(throws: SchemaError.self) { try Schema(["pattern": .string(pattern)]) }
  }

  @Test func referencesAreRelativeToTheirDocument() throws {
    let schema = try Schema(
      ["$ref": "../common/money.json"], named: "orders/placed.json",
      documents: [
        "common/money.json": ["$ref": "units.json#/$defs/cents"],
        "common/units.json": ["$defs": ["cents": ["type": "integer"]]],
      ])
    #expect(schema.validate(1).isEmpty)
    #expect(schema.validate("1").map(\.keyword) == ["type"])
  }
}
