import JSONSchema

extension JSONValue {
  /// The value after a merge patch (RFC 7386): members of the patch replace those of the same name,
  /// null takes one away, and what is no object takes the place of the whole.
  func merging(_ patch: JSONValue) -> JSONValue {
    guard let changes = patch.object else { return patch }
    var members = object ?? [:]
    for (name, change) in changes {
      if case .null = change {
        members[name] = nil
      } else {
        members[name] = (members[name] ?? .null).merging(change)
      }
    }
    return .object(members)
  }
}
