/// A value that can be a parameter of a statement.
///
/// An enum of strings needs no code: `extension Status: PostgresCodable {}`.
public protocol PostgresEncodable: Sendable {
  /// The type that the parameter is declared as. ``PostgresType/text`` is left to the server to
  /// infer from the statement, so that a string can go to a text, jsonb, numeric or enum column
  /// without a cast.
  static var postgresType: PostgresType { get }

  /// Whether the value is NULL; then ``encode(into:)`` is not called.
  var isNull: Bool { get }

  /// Appends the binary form of the value.
  ///
  /// Throws ``PostgresError/Kind/usage`` for a value that the server's type cannot hold.
  func encode(into buffer: inout ParameterBuffer) throws(PostgresError)
}

extension PostgresEncodable {
  /// A value is not NULL unless its type says so.
  public var isNull: Bool { false }
}

/// A value that can be read from a column.
public protocol PostgresDecodable {
  /// Reads the binary form of a value that is not NULL.
  ///
  /// - Parameters:
  ///   - bytes: valid only during the call.
  ///   - type: the column's type; an unfitting one is a ``DecodingFailure/typeMismatch``.
  static func decode(_ bytes: UnsafeRawBufferPointer, type: PostgresType)
    throws(DecodingFailure) -> Self

  /// The value for NULL. All but `Optional` throw ``DecodingFailure/null``.
  static func decodeNull() throws(DecodingFailure) -> Self
}

extension PostgresDecodable {
  /// A type that has no NULL refuses it.
  public static func decodeNull() throws(DecodingFailure) -> Self { throw .null }
}

/// A value that can be an element of a Postgres array.
///
/// `[UInt8]` is bytea and no array; that is why this is a protocol by itself, with `UInt8` as the
/// element that writes its array differently.
public protocol PostgresArrayElement: Sendable {
  /// The type of an array of these.
  static var postgresArrayType: PostgresType { get }
  /// Appends the binary form of an array.
  static func encodeArray(_ elements: [Self], into buffer: inout ParameterBuffer)
    throws(PostgresError)
  /// Reads the binary form of an array.
  static func decodeArray(_ bytes: UnsafeRawBufferPointer, type: PostgresType)
    throws(DecodingFailure) -> [Self]
}

/// What a type conforms to that can be a parameter, a column and an element of arrays.
public typealias PostgresCodable = PostgresEncodable & PostgresDecodable & PostgresArrayElement

/// Why a value could not be read; the row adds the column and both types.
public enum DecodingFailure: Error, Hashable, Sendable {
  /// The column's type is not one that the Swift type can be read from.
  case typeMismatch
  /// NULL, and the Swift type is not optional.
  case null
  /// The bytes are not what the type says, or the value has no equivalent in Swift.
  case invalid(String)
}

/// The parameters of one round trip, encoded one behind the other in a single buffer, and what
/// libpq wants to know about each.
public struct ParameterBuffer {
  private(set) var bytes: [UInt8] = []
  private(set) var starts: [Int] = []
  private(set) var lengths: [Int32] = []
  private(set) var formats: [Int32] = []
  private(set) var types: [UInt32] = []

  var count: Int { starts.count }

  mutating func removeAll() {
    // One huge batch should not stay in memory for as long as the connection lives.
    if bytes.capacity > 1 << 20 { bytes = [] } else { bytes.removeAll(keepingCapacity: true) }
    starts.removeAll(keepingCapacity: true)
    lengths.removeAll(keepingCapacity: true)
    formats.removeAll(keepingCapacity: true)
    types.removeAll(keepingCapacity: true)
  }

  /// Appends one parameter; nil is a NULL of a type that the server infers.
  mutating func add(_ value: (any PostgresEncodable)?) throws(PostgresError) {
    guard let value else { return addNull(type: .unspecified) }
    // Text goes untyped and in text format, in which libpq wants it to end with a zero.
    let type = Swift.type(of: value).postgresType
    let isText = type == .text
    if value.isNull { return addNull(type: isText ? .unspecified : type) }
    let start = bytes.count
    try value.encode(into: &self)
    guard let length = Int32(exactly: bytes.count - start) else {
      throw PostgresError(.usage, .statement, "a parameter has more than 2 GB")
    }
    if isText { bytes.append(0) }
    starts.append(start)
    lengths.append(length)
    formats.append(isText ? 0 : 1)
    types.append(isText ? 0 : type.rawValue)
  }

  private mutating func addNull(type: PostgresType) {
    starts.append(-1)
    lengths.append(0)
    formats.append(1)
    types.append(type.rawValue)
  }

  /// Appends an integer in network byte order.
  public mutating func write<Integer: FixedWidthInteger>(_ value: Integer) {
    withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
  }

  /// Appends bytes as they are.
  public mutating func write(contentsOf bytes: some Sequence<UInt8>) {
    self.bytes.append(contentsOf: bytes)
  }

  /// Appends what `body` writes, preceded by its length as a 32-bit integer.
  mutating func writeWithLength(
    _ body: (inout ParameterBuffer) throws(PostgresError) -> Void
  ) throws(PostgresError) {
    let start = bytes.count
    write(Int32(0))
    try body(&self)
    guard let length = Int32(exactly: bytes.count - start - 4) else {
      throw PostgresError(.usage, .statement, "an array element has more than 2 GB")
    }
    withUnsafeBytes(of: length.bigEndian) { length in
      for (offset, byte) in length.enumerated() { bytes[start + offset] = byte }
    }
  }

  /// Calls `body` with the pointers that libpq's PQsend functions take, for the parameters of one
  /// statement. They are valid only within the call.
  func withPointers<R>(
    _ range: Range<Int>,
    _ body: (
      _ types: UnsafePointer<UInt32>?, _ values: UnsafePointer<UnsafePointer<CChar>?>?,
      _ lengths: UnsafePointer<Int32>?, _ formats: UnsafePointer<Int32>?
    ) -> R
  ) -> R {
    bytes.withUnsafeBytes { bytes in
      // An empty buffer may have no address, and an empty value must not look like NULL.
      withUnsafePointer(to: 0 as CChar) { empty in
        let values = starts[range].map { start -> UnsafePointer<CChar>? in
          if start < 0 { return nil }
          return bytes.baseAddress?.advanced(by: start).assumingMemoryBound(to: CChar.self)
            ?? empty
        }
        return values.withUnsafeBufferPointer { values in
          types[range].withUnsafeBufferPointer { types in
            lengths[range].withUnsafeBufferPointer { lengths in
              formats[range].withUnsafeBufferPointer { formats in
                body(
                  types.baseAddress, values.baseAddress, lengths.baseAddress, formats.baseAddress)
              }
            }
          }
        }
      }
    }
  }
}
