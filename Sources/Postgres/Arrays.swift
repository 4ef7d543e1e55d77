// Binary arrays (array_send in the server's arrayfuncs.c): dimensions, a flag for NULLs, the
// element type; for each dimension its length and lower bound; then each element with its length,
// -1 for NULL. An empty array has no dimensions.

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
  /// The type of the value.
  public static var postgresType: PostgresType { Wrapped.postgresType }

  /// nil is NULL.
  public var isNull: Bool { self?.isNull ?? true }

  /// As the value; not called for nil.
  public func encode(into buffer: inout ParameterBuffer) throws(PostgresError) {
    try self?.encode(into: &buffer)
  }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
  /// As the value.
  public static func decode(_ bytes: UnsafeRawBufferPointer, type: PostgresType)
    throws(DecodingFailure) -> Wrapped?
  {
    try Wrapped.decode(bytes, type: type)
  }

  /// NULL is nil.
  public static func decodeNull() -> Wrapped? { nil }
}

extension Optional: PostgresArrayElement where Wrapped: PostgresCodable {}

/// An array of its elements; `[UInt8]` is bytea.
extension Array: PostgresEncodable where Element: PostgresArrayElement {
  /// The array type of the elements; `bytea` for bytes.
  public static var postgresType: PostgresType { Element.postgresArrayType }

  /// As ``PostgresArrayElement`` says for its elements.
  public func encode(into buffer: inout ParameterBuffer) throws(PostgresError) {
    try Element.encodeArray(self, into: &buffer)
  }
}

/// From an array of one dimension; `[UInt8]` from bytea.
extension Array: PostgresDecodable where Element: PostgresArrayElement {
  /// As ``PostgresArrayElement`` says for its elements.
  public static func decode(_ bytes: UnsafeRawBufferPointer, type: PostgresType)
    throws(DecodingFailure) -> [Element]
  {
    try Element.decodeArray(bytes, type: type)
  }
}

/// `[[UInt8]]` is bytea[]. There are no other arrays of arrays: Postgres' have to be rectangular.
extension Array: PostgresArrayElement where Element == UInt8 {}

/// Not a value by itself, but the element of `[UInt8]`, which is bytea.
extension UInt8: PostgresArrayElement {
  /// Bytes together are `bytea`, not an array.
  public static var postgresArrayType: PostgresType { .bytea }

  /// The bytes as they are.
  public static func encodeArray(_ elements: [UInt8], into buffer: inout ParameterBuffer) {
    buffer.write(contentsOf: elements)
  }

  /// From bytea.
  public static func decodeArray(_ bytes: UnsafeRawBufferPointer, type: PostgresType)
    throws(DecodingFailure) -> [UInt8]
  {
    guard type == .bytea else { throw .typeMismatch }
    return Array(bytes)
  }
}

extension PostgresArrayElement where Self: PostgresEncodable {
  /// The array type of the element's type.
  public static var postgresArrayType: PostgresType { postgresType.array }

  /// An array of one dimension, with NULL for elements that are.
  ///
  /// - Throws: ``PostgresError/Kind/usage`` for an element that can't be sent.
  public static func encodeArray(_ elements: [Self], into buffer: inout ParameterBuffer)
    throws(PostgresError)
  {
    guard !elements.isEmpty else {
      buffer.write(Int32(0))
      buffer.write(Int32(0))
      return buffer.write(postgresType.rawValue)
    }
    guard let count = Int32(exactly: elements.count) else {
      throw PostgresError(.usage, .statement, "an array of \(elements.count) elements is too long")
    }
    buffer.write(Int32(1))
    buffer.write(Int32(elements.contains(where: \.isNull) ? 1 : 0))
    buffer.write(postgresType.rawValue)
    buffer.write(count)
    buffer.write(Int32(1))
    for element in elements {
      if element.isNull {
        buffer.write(Int32(-1))
      } else {
        try buffer.writeWithLength { buffer throws(PostgresError) in
          try element.encode(into: &buffer)
        }
      }
    }
  }
}

extension PostgresArrayElement where Self: PostgresDecodable {
  /// From an array of one dimension; NULL elements only where the type has one.
  public static func decodeArray(_ bytes: UnsafeRawBufferPointer, type: PostgresType)
    throws(DecodingFailure) -> [Self]
  {
    // A scalar column would be misread; arrays of user-defined types are told by their content.
    guard type.isArrayType else { throw .typeMismatch }
    var reader = ByteReader(bytes)
    let dimensions = try reader.next(Int32.self)
    _ = try reader.next(Int32.self)
    let elementType = PostgresType(rawValue: try reader.next(UInt32.self))
    guard dimensions > 0 else { return [] }
    guard dimensions == 1 else { throw .invalid("an array of \(dimensions) dimensions") }
    let count = Int(try reader.next(Int32.self))
    guard count >= 0 else { throw .invalid("an array of \(count) elements") }
    _ = try reader.next(Int32.self)
    var elements: [Self] = []
    // Each element has at least its length in the message, which bounds what is reserved.
    elements.reserveCapacity(Swift.min(count, reader.remaining / 4))
    for _ in 0..<count {
      let length = Int(try reader.next(Int32.self))
      if length < 0 {
        elements.append(try decodeNull())
      } else {
        elements.append(try decode(try reader.next(bytes: length), type: elementType))
      }
    }
    return elements
  }
}

extension PostgresType {
  fileprivate var isArrayType: Bool { isUserDefined || Self.arrayTypes.contains(self) }
}

/// Walks over a value, never past its end.
private struct ByteReader {
  private var bytes: Slice<UnsafeRawBufferPointer>

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes[...] }

  var remaining: Int { bytes.count }

  mutating func next(bytes count: Int) throws(DecodingFailure) -> UnsafeRawBufferPointer {
    guard count >= 0, count <= bytes.count else { throw .invalid("an array that is cut short") }
    defer { bytes = bytes.dropFirst(count) }
    return UnsafeRawBufferPointer(rebasing: bytes.prefix(count))
  }

  mutating func next<Integer: FixedWidthInteger>(_: Integer.Type) throws(DecodingFailure) -> Integer
  {
    try readInteger(try next(bytes: MemoryLayout<Integer>.size), as: Integer.self)
  }
}
