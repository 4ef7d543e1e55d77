import JSONSchema

/// Small faults in a JSON value, of the kinds that producers make.
enum Mutation {
  /// A copy with one thing changed at a random place; now and then it is still valid.
  static func mutate(_ value: JSONValue, using random: inout SplitMix64) -> JSONValue {
    // At a place below, mostly: the leaves are where the rules are.
    switch value {
    case .object(let members) where !members.isEmpty && Int.random(in: 0..<6, using: &random) > 0:
      var members = members
      let key = members.keys.sorted().randomElement(using: &random)!
      switch Int.random(in: 0..<12, using: &random) {
      case 0: members[key] = nil
      case 1: members["newer"] = leaf(using: &random)
      case 2:
        members[key + "s"] = members[key]
        members[key] = nil
      default: members[key] = members[key].map { mutate($0, using: &random) }
      }
      return .object(members)
    case .array(let items) where !items.isEmpty && Int.random(in: 0..<6, using: &random) > 0:
      var items = items
      let index = items.indices.randomElement(using: &random)!
      switch Int.random(in: 0..<8, using: &random) {
      case 0: items.remove(at: index)
      case 1:
        items = Array(
          repeating: items[index], count: [99, 100, 101].randomElement(using: &random)!)
      case 2: items.insert(items[index], at: 0)
      default: items[index] = mutate(items[index], using: &random)
      }
      return .array(items)
    case .integer(let number): return self.number(number, using: &random)
    case .string(let text): return self.text(text, using: &random)
    default: return leaf(using: &random)
    }
  }

  /// Every value with a single leaf exchanged for one at or just past some limit. Random faults
  /// rarely meet a limit alone, these do for each field.
  static func atEveryLimit(_ value: JSONValue) -> [JSONValue] {
    switch value {
    case .object(let members):
      return members.keys.sorted().flatMap { key in
        atEveryLimit(members[key] ?? nil).map { changed in
          .object(members.merging([key: changed]) { $1 })
        }
      }
    case .array(let items):
      let sizes = [0, 1, 99, 100, 101].compactMap { size in
        items.first.map { JSONValue.array(Array(repeating: $0, count: size)) }
      }
      return sizes
        + items.indices.flatMap { index in
          atEveryLimit(items[index]).map { changed in
            .array(Array(items[..<index]) + [changed] + items[(index + 1)...])
          }
        }
    case .integer(let number): return near(number)
    case .string(let text):
      let lengths = limits.flatMap { length in
        ["a", "A", "李"].map { JSONValue.string(String(repeating: $0, count: length)) }
      }
      return lengths + odd.flatMap { [.string(text + $0), .string($0 + text), .string($0)] }
        + times.map { .string($0) }
    default: return []
    }
  }

  private static let limits = [0, 1, 2, 3, 19, 20, 21, 63, 64, 65, 127, 128, 129, 199, 200, 201]

  private static func number(_ number: Int64, using random: inout SplitMix64) -> JSONValue {
    return Int.random(in: 0..<5, using: &random) == 0
      ? leaf(using: &random) : near(number).randomElement(using: &random)!
  }

  private static func near(_ number: Int64) -> [JSONValue] {
    [
      -1, 0, 1, 9_999, 10_000, 10_001, 9_999_999_999, 10_000_000_000, 10_000_000_001,
      999_999_999_999, 1_000_000_000_000, 1_000_000_000_001, .integer(.max), .integer(.min),
      1.5, 1e300, -1e300, 1e-300, -0.0, 1e12, 1.000_000_000_01e12, 9_007_199_254_740_993,
      .number(Double(number)), .number(Double(number) + 0.5), .integer(0 &- number),
    ]
  }

  private static let odd = [
    "\u{0}", "\n", "\t", "\u{1f}", "\u{7f}", "\u{80}", "\u{a0}", "é", "e\u{301}", "\u{212a}",
    "李", "👩‍👩‍👧", " ", "/", "_", "-", "z", "Z", "0", "\u{2028}", "\\", "\"", "\u{10ffff}", "\u{fffd}",
  ]

  private static func text(_ text: String, using random: inout SplitMix64) -> JSONValue {
    let scalars = Array(text.unicodeScalars)
    let insert = odd.randomElement(using: &random)!
    switch Int.random(in: 0..<10, using: &random) {
    case 0: return leaf(using: &random)
    case 1: return ""
    case 2: return .string(text.uppercased())
    case 3: return .string(text.lowercased())
    case 4, 5:
      // Around each limit, counted in code points.
      let length = limits.randomElement(using: &random)!
      let filler = ["a", "é", "李", "👍", "e\u{301}"].randomElement(using: &random)!
      let unit = filler.unicodeScalars.count
      return .string(String(repeating: filler, count: (length + unit - 1) / unit))
    case 6:
      return [.string("XXX"), .string("KES"), .string("ZZ"), .string("timed-out")]
        .randomElement(using: &random)!
    case 7: return .string(times.randomElement(using: &random)!)
    default:
      var changed = scalars
      let place = Int.random(in: 0...scalars.count, using: &random)
      if place < scalars.count, Bool.random(using: &random) { changed.remove(at: place) }
      changed.insert(contentsOf: Array(insert.unicodeScalars), at: min(place, changed.count))
      var result = String.UnicodeScalarView()
      result.append(contentsOf: changed)
      return .string(String(result))
    }
  }

  private static let times = [
    "2026-11-21T08:30:00Z", "2026-11-21T08:30:00.1+01:00", "2026-02-29T08:30:00Z",
    "2024-02-29T08:30:00Z", "2026-06-31T00:00:00Z", "2026-11-21T08:30:00z", "0000-01-01T00:00:00Z",
    "2026-12-31T23:59:60Z", "2026-11-21T08:30:00.1234567890Z",
    "9999-12-31T23:59:59.999999999-23:59",
    "2026-11-21T08:30:00+24:00", "2026-11-21T08:30Z", "2100-02-29T00:00:00Z",
  ]

  private static func leaf(using random: inout SplitMix64) -> JSONValue {
    let leaves: [JSONValue] = [
      nil, true, false, 0, 1, -1, 1.5, "", "1", "null", [], [[]], [1], [""], .object([:]),
      .object(["sku": "a", "quantity": 1]), .object(["a": nil]),
    ]
    return leaves.randomElement(using: &random)!
  }
}
