/// Builds a `ParsableArguments` value through its synthesized `init(from:)`, which asks for each
/// stored property by name. This is what lets the library set properties without macros.
struct ArgumentDecoder: Decoder {
  let owner: any ParsableArguments.Type
  let arguments: ArgumentSet
  let values: [ArgumentKey: ParsedValue]
  /// The property being decoded; none for the type itself.
  var property: ArgumentKey?

  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
    KeyedDecodingContainer(Properties(decoder: self))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw Unsupported() }
  func singleValueContainer() throws -> any SingleValueDecodingContainer { throw Unsupported() }

  /// The value of the wrapped property that `decoder` stands at.
  ///
  /// - Throws: `ParserError.missingArgument` when it is required and was not given.
  static func value<Value>(_ type: Value.Type, from decoder: any Decoder) throws -> Value {
    guard let decoder = decoder as? ArgumentDecoder, let key = decoder.property,
      let definition = decoder.arguments.definition(for: key)
    else { throw Unsupported() }
    guard let stored = decoder.values[key] ?? definition.recipe.initial else {
      throw ParserError.missingArgument(definition)
    }
    guard let value = stored.value as? Value else { throw Unsupported() }
    return value
  }

  static func group<Group: ParsableArguments>(
    _ type: Group.Type, from decoder: any Decoder
  ) throws -> ArgumentDecoder {
    guard let decoder = decoder as? ArgumentDecoder else { throw Unsupported() }
    return ArgumentDecoder(owner: type, arguments: decoder.arguments, values: decoder.values)
  }

  /// A mistake of the program, not of its user.
  struct Unsupported: Error, CustomStringConvertible {
    var description: String {
      """
      A ParsableArguments type can only be made by the parser. Every stored property must have a \
      wrapper of this library or a default value, and init(from:) must be the synthesized one.
      """
    }
  }
}

/// The properties of the type that is being decoded.
private struct Properties<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let decoder: ArgumentDecoder

  var codingPath: [any CodingKey] { [] }
  var allKeys: [Key] { [] }

  private func argumentKey(_ key: Key) -> ArgumentKey {
    ArgumentKey(owner: decoder.owner, property: key.stringValue)
  }

  func contains(_ key: Key) -> Bool { true }

  func decodeNil(forKey key: Key) -> Bool {
    guard let value = decoder.arguments.undecorated[argumentKey(key)] else { return false }
    let mirror = Mirror(reflecting: value)
    return mirror.displayStyle == .optional && mirror.children.isEmpty
  }

  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
    guard type is any ArgumentWrapper.Type else {
      guard let value = decoder.arguments.undecorated[argumentKey(key)] as? T else {
        throw ArgumentDecoder.Unsupported()
      }
      return value
    }
    var inner = decoder
    inner.property = argumentKey(key)
    return try T(from: inner)
  }

  func nestedContainer<NestedKey: CodingKey>(
    keyedBy type: NestedKey.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<NestedKey> { throw ArgumentDecoder.Unsupported() }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    throw ArgumentDecoder.Unsupported()
  }

  func superDecoder() throws -> any Decoder { throw ArgumentDecoder.Unsupported() }
  func superDecoder(forKey key: Key) throws -> any Decoder { throw ArgumentDecoder.Unsupported() }
}
