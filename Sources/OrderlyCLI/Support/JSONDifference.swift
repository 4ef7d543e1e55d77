import JSONSchema

/// What differs between two JSON values, by place.
struct JSONDifference: Equatable {
  /// A JSON pointer (RFC 6901); empty for the whole.
  let place: String
  /// nil where there is nothing.
  let before: JSONValue?
  let after: JSONValue?

  /// The smallest places that differ, in the order of their names. Arrays of another length differ
  /// as a whole.
  static func between(
    _ before: JSONValue?, _ after: JSONValue?, at place: String = ""
  ) -> [JSONDifference] {
    switch (before, after) {
    case (.object(let old)?, .object(let new)?):
      return Set(old.keys).union(new.keys).sorted().flatMap { name in
        let escaped = name.replacing("~", with: "~0").replacing("/", with: "~1")
        return between(old[name], new[name], at: "\(place)/\(escaped)")
      }
    case (.array(let old)?, .array(let new)?) where old.count == new.count:
      return old.indices.flatMap { between(old[$0], new[$0], at: "\(place)/\($0)") }
    default:
      guard before != after else { return [] }
      return [JSONDifference(place: place, before: before, after: after)]
    }
  }
}

extension JSONValue {
  /// The value at a JSON pointer.
  func at(_ pointer: String) -> JSONValue? {
    var value: JSONValue? = self
    for part in pointer.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
      let name = String(part).replacing("~1", with: "/").replacing("~0", with: "~")
      if let items = value?.array {
        value = Int(name).flatMap { items.indices ~= $0 ? items[$0] : nil }
      } else {
        value = value?[name]
      }
    }
    return value
  }
}
