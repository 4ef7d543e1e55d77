import JSONSchema

/// A schema of the size and shape of the project's contracts, and a value that it admits.
enum Corpus {
  static let common = ##"""
    {"$defs": {
      "amount": {"type": "integer", "minimum": 0, "maximum": 100000000},
      "country": {"type": "string", "pattern": "^[A-Z]{2}$"}
    }}
    """##

  static let order = ##"""
    {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "order.placed",
     "type": "object", "additionalProperties": false,
     "required": ["orderId", "currency", "total", "lines", "payment", "shipTo", "placedAt"],
     "properties": {
       "orderId": {"type": "string", "format": "uuid"},
       "currency": {"enum": ["EUR", "USD", "GBP"]},
       "total": {"$ref": "common.json#/$defs/amount", "exclusiveMinimum": 0},
       "lines": {"type": "array", "minItems": 1, "maxItems": 3, "uniqueItems": true,
                 "items": {"$ref": "#/$defs/line"}},
       "payment": {"oneOf": [{"$ref": "#/$defs/card"}, {"$ref": "#/$defs/invoice"}]},
       "shipTo": {"type": "object", "required": ["name", "country"],
         "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 12},
                        "country": {"$ref": "common.json#/$defs/country"},
                        "postcode": {"type": ["string", "null"]}},
         "if": {"properties": {"country": {"const": "DE"}}, "required": ["country"]},
         "then": {"properties": {"postcode": {"pattern": "^[0-9]{5}$"}}, "required": ["postcode"]},
         "else": {"maxProperties": 4}},
       "placedAt": {"type": "string", "format": "date-time"},
       "tags": {"type": "object", "propertyNames": {"pattern": "^[a-z-]{1,8}$"},
                "minProperties": 1, "additionalProperties": {"type": "string", "maxLength": 8}}},
     "$defs": {
       "line": {"type": "object", "additionalProperties": false,
         "required": ["sku", "quantity", "unitPrice"],
         "properties": {"sku": {"type": "string", "pattern": "^SKU-\\d{4}$"},
                        "quantity": {"type": "integer", "minimum": 1, "exclusiveMaximum": 100},
                        "unitPrice": {"allOf": [{"$ref": "common.json#/$defs/amount"},
                                                {"multipleOf": 5}]}}},
       "card": {"type": "object", "required": ["token"], "not": {"required": ["invoice"]},
         "properties": {"token": {"type": "string", "pattern": "^tok_[a-z]+(_[0-9]+)?$",
                                  "x-sensitive": true}}},
       "invoice": {"type": "object", "required": ["invoice"],
         "properties": {"invoice": {"anyOf": [{"type": "null"}, {"type": "boolean"}]}}}}}
    """##

  static let validOrder = #"""
    {"orderId": "2eb8aa08-aa98-11ea-b4aa-73b441d16380", "currency": "EUR", "total": 35,
     "lines": [{"sku": "SKU-0001", "quantity": 2, "unitPrice": 15},
               {"sku": "SKU-0002", "quantity": 1, "unitPrice": 5}],
     "payment": {"token": "tok_ok"},
     "shipTo": {"name": "Ada", "country": "DE", "postcode": "10115"},
     "placedAt": "2026-01-31T12:00:00Z", "tags": {"source": "web"}}
    """#

  static func orderSchema() throws -> Schema {
    try Schema(
      JSONValue(parsing: order), named: "order.placed.json",
      documents: ["common.json": JSONValue(parsing: common)])
  }
}

/// Small random changes to a value.
enum Mutation {
  /// The value with one change somewhere inside.
  static func mutate(_ value: JSONValue, using random: inout SplitMix) -> JSONValue {
    switch value {
    case .object(var members):
      let key = members.keys.sorted().randomElement(using: &random)
      switch (Int.random(in: 0..<12, using: &random), key) {
      case (0, let key?): members[key] = nil
      case (1, _): members[keys.randomElement(using: &random)!] = replacement(using: &random)
      case (2, let key?): members[key] = replacement(using: &random)
      case (_, let key?): members[key] = mutate(members[key]!, using: &random)
      default: members["new"] = replacement(using: &random)
      }
      return .object(members)
    case .array(var items):
      let index = items.indices.randomElement(using: &random)
      switch (Int.random(in: 0..<8, using: &random), index) {
      case (0, let index?): items.remove(at: index)
      case (1, let index?): items.append(items[index])
      case (2, _): items.append(replacement(using: &random))
      case (_, let index?): items[index] = mutate(items[index], using: &random)
      default: break
      }
      return .array(items)
    case .integer(let number):
      return [
        .integer(0), .integer(-number), .integer(number &+ 5), .integer(number &* 20),
        .number(Double(number)), .number(Double(number) + 0.5), .string(String(number)),
      ].randomElement(using: &random)!
    case .string(let text): return .string(mutate(text, using: &random))
    default: return replacement(using: &random)
    }
  }

  private static let keys = [
    "invoice", "token", "total", "quantity", "postcode", "country", "tags", "Total", "x y", "a",
  ]
  private static let characters = Array("aZ09_-:.T+zZé😀\n \u{301}٣\u{0}\u{2028}".unicodeScalars)

  private static func mutate(_ text: String, using random: inout SplitMix) -> String {
    var scalars = Array(text.unicodeScalars)
    let position = Int.random(in: 0...scalars.count, using: &random)
    let new = characters.randomElement(using: &random)!
    switch Int.random(in: 0..<4, using: &random) {
    case 0: scalars.insert(new, at: position)
    case 1 where position < scalars.count: scalars.remove(at: position)
    case 2 where position < scalars.count: scalars[position] = new
    default:
      return ["", "USD", "FR", "tok_flaky_3", "10116", text + text, text.uppercased()]
        .randomElement(using: &random)!
    }
    var result = String.UnicodeScalarView()
    result.append(contentsOf: scalars)
    return String(result)
  }

  private static func replacement(using random: inout SplitMix) -> JSONValue {
    let values: [JSONValue] = [
      nil, true, false, 0, 1, 1.0, -1, 2.5, 1e300, 99, 100, "", "x", "DE", "tok_ok", [], [1], [:],
      ["a": "b"], ["invoice": nil], ["token": "tok_ok", "invoice": true],
    ]
    return values.randomElement(using: &random)!
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
