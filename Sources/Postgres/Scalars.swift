#if canImport(FoundationEssentials)
  public import FoundationEssentials
#else
  public import Foundation
#endif

extension Bool: PostgresCodable {
  /// `boolean`.
  public static var postgresType: PostgresType { .bool }

  /// One byte, 1 or 0.
  public func encode(into buffer: inout ParameterBuffer) { buffer.write(UInt8(self ? 1 : 0)) }

  /// From boolean.
  public static func decode(_ bytes: UnsafeRawBufferPointer, type: PostgresType)
    throws(DecodingFailure) -> Bool
  {
    guard type == .bool else { throw .typeMismatch }
    return try readInteger(bytes, as: UInt8.self) != 0
  }
}

/// An integer in network byte order that fills `bytes`.
func readInteger<Integer: FixedWidthInteger>(_ bytes: UnsafeRawBufferPointer, as: Integer.Type)
  throws(DecodingFailure) -> Integer
{
  guard bytes.count == MemoryLayout<Integer>.size else {
    throw .invalid("\(bytes.count) bytes instead of \(MemoryLayout<Integer>.size)")
  }
  return Integer(bigEndian: bytes.loadUnaligned(as: Integer.self))
}

/// An integer of any column that is not wider than `Integer`.
private func readWidened<Integer: FixedWidthInteger>(
  _ bytes: UnsafeRawBufferPointer, type: PostgresType
) throws(DecodingFailure) -> Integer {
  switch type {
  case .int2: return Integer(try readInteger(bytes, as: Int16.self))
  case .int4 where Integer.bitWidth >= 32:
    return Integer(try readInteger(bytes, as: Int32.self))
  case .int8 where Integer.bitWidth >= 64:
    return Integer(try readInteger(bytes, as: Int64.self))
  default: throw .typeMismatch
  }
}

extension Int16: PostgresCodable {
  /// `smallint`.
  public static var postgresType: PostgresType { .int2 }

  /// Two bytes, in network order.
  public func encode(into buffer: inout ParameterBuffer) { buffer.write(self) }

  /// From smallint.
  public static func decode(_ bytes: UnsafeRawBufferPointer, type: PostgresType)
    throws(DecodingFailure) -> Int16
  { try readWidened(bytes, type: type) }
}

extension Int32: PostgresCodable {
  /// `integer`.
  public static var postgresType: PostgresType { .int4 }

  /// Four bytes, in network order.
  public func encode(into buffer: inout ParameterBuffer) { buffer.write(self) }

  /// From integer and smallint.
  public static func decode(_ bytes: UnsafeRawBufferPointer, type: PostgresType)
    throws(DecodingFailure) -> Int32
  { try readWidened(bytes, type: type) }
}

extension Int64: PostgresCodable {
  /// `bigint`.
  public static var postgresType: PostgresType { .int8 }

  /// Eight bytes, in network order.
  public func encode(into buffer: inout ParameterBuffer) { buffer.write(self) }

  /// From bigint, integer and smallint.
  public static func decode(_ bytes: UnsafeRawBufferPointer, type: PostgresType)
    throws(DecodingFailure) -> Int64
  { try readWidened(bytes, type: type) }
}

/// As bigint.
extension Int: PostgresCodable {
  /// `bigint`.
  public static var postgresType: PostgresType { .int8 }

  /// Eight bytes, in network order.
  public func encode(into buffer: inout ParameterBuffer) { buffer.write(Int64(self)) }

  /// From bigint, integer and smallint.
  public static func decode(_ bytes: UnsafeRawBufferPointer, type: PostgresType)
    throws(DecodingFailure) -> Int
  { try readWidened(bytes, type: type) }
}

extension Double: PostgresCodable {
  /// `double precision`.
  public static var postgresType: PostgresType { .float8 }

  /// The eight bytes of its IEEE 754 form, in network order.
  public func encode(into buffer: inout ParameterBuffer) { buffer.write(bitPattern) }

  /// From double precision and real.
  public static func decode(_ bytes: UnsafeRawBufferPointer, type: PostgresType)
    throws(DecodingFailure) -> Double
  {
    switch type {
    case .float8: return Double(bitPattern: try readInteger(bytes, as: UInt64.self))
    case .float4: return Double(Float(bitPattern: try readInteger(bytes, as: UInt32.self)))
    default: throw .typeMismatch
    }
  }
}

extension String: PostgresCodable {
  /// `text`, which the server may take for another type that it infers.
  public static var postgresType: PostgresType { .text }

  /// Throws for a string with a zero byte, which Postgres cannot store.
  public func encode(into buffer: inout ParameterBuffer) throws(PostgresError) {
    guard !utf8.contains(0) else {
      throw PostgresError(
        .usage, .statement, "a string with a zero byte (U+0000) cannot be stored in Postgres",
        hint: "send it as bytea, or remove the character")
    }
    buffer.write(contentsOf: utf8)
  }

  /// From text and its kin, json and jsonb (their text), and enums.
  public static func decode(_ bytes: UnsafeRawBufferPointer, type: PostgresType)
    throws(DecodingFailure) -> String
  {
    switch type {
    case .text, .varchar, .bpchar, .name, .char, .json, .unknown:
      return try readText(bytes)
    case .jsonb:
      // jsonb_send puts a version in front of the text; there is only version 1.
      guard bytes.first == 1 else { throw .invalid("jsonb of an unknown version") }
      return try readText(UnsafeRawBufferPointer(rebasing: bytes.dropFirst()))
    case _ where type.isUserDefined:
      // Enums and citext are sent as their text. What a composite type is sent as has lengths in
      // it, and thereby zeros, which no text has.
      guard !bytes.contains(0) else { throw .typeMismatch }
      return try readText(bytes)
    default:
      throw .typeMismatch
    }
  }

  private static func readText(_ bytes: UnsafeRawBufferPointer) throws(DecodingFailure) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .invalid("not UTF-8")
    }
    return text
  }
}

extension PostgresEncodable where Self: RawRepresentable, RawValue: PostgresEncodable {
  /// The type of the raw value.
  public static var postgresType: PostgresType { RawValue.postgresType }

  /// As the raw value.
  public func encode(into buffer: inout ParameterBuffer) throws(PostgresError) {
    try rawValue.encode(into: &buffer)
  }
}

extension PostgresDecodable where Self: RawRepresentable, RawValue: PostgresDecodable {
  /// From what the raw value is read from; a value without a case is refused.
  public static func decode(_ bytes: UnsafeRawBufferPointer, type: PostgresType)
    throws(DecodingFailure) -> Self
  {
    let raw = try RawValue.decode(bytes, type: type)
    guard let value = Self(rawValue: raw) else { throw .invalid("no such case: \(raw)") }
    return value
  }
}

extension UUID: PostgresCodable {
  /// `uuid`.
  public static var postgresType: PostgresType { .uuid }

  /// Its sixteen bytes.
  public func encode(into buffer: inout ParameterBuffer) {
    withUnsafeBytes(of: uuid) { buffer.write(contentsOf: $0) }
  }

  /// From uuid.
  public static func decode(_ bytes: UnsafeRawBufferPointer, type: PostgresType)
    throws(DecodingFailure) -> UUID
  {
    guard type == .uuid else { throw .typeMismatch }
    guard bytes.count == 16 else { throw .invalid("\(bytes.count) bytes instead of 16") }
    return UUID(uuid: bytes.loadUnaligned(as: uuid_t.self))
  }
}

extension Data: PostgresCodable {
  /// `bytea`.
  public static var postgresType: PostgresType { .bytea }

  /// Its bytes as they are.
  public func encode(into buffer: inout ParameterBuffer) { buffer.write(contentsOf: self) }

  /// From bytea.
  public static func decode(_ bytes: UnsafeRawBufferPointer, type: PostgresType)
    throws(DecodingFailure) -> Data
  {
    guard type == .bytea else { throw .typeMismatch }
    return Data(bytes)
  }
}

/// As timestamptz, in microseconds: a finer part is rounded away. Infinite dates are `infinity`
/// and `-infinity`.
extension Date: PostgresCodable {
  /// `timestamptz`.
  public static var postgresType: PostgresType { .timestamptz }

  /// Seconds from Postgres' epoch, 2000-01-01, to Foundation's, 2001-01-01.
  private static let epochOffset = 366.0 * 86_400

  /// Throws for a date outside the years -4712 to 294276 and for NaN.
  public func encode(into buffer: inout ParameterBuffer) throws(PostgresError) {
    let seconds = timeIntervalSinceReferenceDate
    if seconds == .infinity { return buffer.write(Int64.max) }
    if seconds == -.infinity { return buffer.write(Int64.min) }
    // Whole seconds and the rest apart: multiplied together they would lose the last digit.
    let whole = seconds.rounded(.down)
    guard let wholes = Int64(exactly: whole + Self.epochOffset),
      case (let micros, false) = wholes.multipliedReportingOverflow(by: 1_000_000),
      case let fraction = Int64(((seconds - whole) * 1_000_000).rounded()),
      case (let value, false) = micros.addingReportingOverflow(fraction),
      value != .max, value != .min
    else {
      throw PostgresError(
        .usage, .statement, "a date \(seconds) seconds from 2001 is outside of timestamptz")
    }
    buffer.write(value)
  }

  /// From timestamptz; `infinity` and `-infinity` are infinite dates.
  public static func decode(_ bytes: UnsafeRawBufferPointer, type: PostgresType)
    throws(DecodingFailure) -> Date
  {
    guard type == .timestamptz else { throw .typeMismatch }
    let micros = try readInteger(bytes, as: Int64.self)
    if micros == .max { return Date(timeIntervalSinceReferenceDate: .infinity) }
    if micros == .min { return Date(timeIntervalSinceReferenceDate: -.infinity) }
    let (seconds, rest) = micros.quotientAndRemainder(dividingBy: 1_000_000)
    return Date(
      timeIntervalSinceReferenceDate: Double(seconds) - epochOffset + Double(rest) / 1_000_000)
  }
}
