/// The name of a schema, table, column or role, to be put into an SQL text.
public struct Identifier: Hashable, Sendable, CustomStringConvertible {
  /// The name as the catalogues have it, unquoted.
  public let name: String

  /// Throws ``PostgresError/Kind/usage`` for a name that no object can have: an empty one, one
  /// with a zero byte, or one of more than 63 bytes, which the server would cut silently.
  public init(_ name: String) throws(PostgresError) {
    guard !name.isEmpty, name.utf8.count <= 63, !name.utf8.contains(0) else {
      throw PostgresError(
        .usage, .statement, "\"\(name.prefix(80))\" is no name: 1 to 63 bytes, none of them zero")
    }
    self.name = name
  }

  /// In double quotes, with those inside it doubled: safe in any SQL text.
  public var quoted: String {
    "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
      + "\""
  }

  /// The quoted form, so that `"create schema \(identifier)"` is safe as well.
  public var description: String { quoted }
}
