import CPQ

/// The result of a statement: its rows, as the server sent them, decoded when they are read.
///
/// It owns libpq's result and stays readable after the connection is closed. Not Sendable: decode
/// what is to leave the thread.
public final class Rows: RandomAccessCollection {
  private let result: OpaquePointer
  private let columnTypes: [PostgresType]
  private lazy var columnIndexes = Dictionary(
    columns.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { first, _ in first })

  /// The first row is row 0.
  public let startIndex = 0
  /// The number of rows.
  public let endIndex: Int

  /// Takes over the result.
  init(_ result: OpaquePointer) {
    self.result = result
    endIndex = Int(PQntuples(result))
    columnTypes = (0..<PQnfields(result)).map { PostgresType(rawValue: PQftype(result, $0)) }
  }

  // PQclear frees memory and does nothing else.
  deinit { PQclear(result) }

  /// The names of the columns.
  public var columns: [String] {
    (0..<columnTypes.count).map { String(cString: PQfname(result, Int32($0))) }
  }

  /// How many rows the statement inserted, updated, deleted or selected; 0 for other statements.
  public var affectedRows: Int { Int(String(cString: PQcmdTuples(result))) ?? 0 }

  /// A row, by its place.
  ///
  /// - Precondition: `row` is below ``endIndex``.
  public subscript(row: Int) -> Row {
    precondition(indices.contains(row), "row \(row) of \(endIndex)")
    return Row(rows: self, index: row)
  }

  /// The first column of the only row.
  ///
  /// Throws ``PostgresError/Kind/decoding`` if there is not exactly one row, or it does not fit.
  public func scalar<T: PostgresDecodable>(as type: T.Type = T.self) throws(PostgresError) -> T {
    guard count == 1 else {
      throw PostgresError(.decoding, .decode, "\(count) rows where exactly one was expected")
    }
    return try self[0].decode(0, as: type)
  }

  /// The index of a column; of several with the same name the first.
  func column(_ name: String) throws(PostgresError) -> Int {
    guard let index = columnIndexes[name] else {
      throw PostgresError(
        .decoding, .decode,
        "there is no column \"\(name)\"; the columns are \(columns.joined(separator: ", "))")
    }
    return index
  }

  func decode<T: PostgresDecodable>(_ row: Int, _ column: Int, as: T.Type) throws(PostgresError)
    -> T
  {
    guard columnTypes.indices.contains(column) else {
      throw PostgresError(
        .decoding, .decode, "there is no column \(column), the row has \(columnTypes.count)")
    }
    let (r, c) = (Int32(row), Int32(column))
    do throws(DecodingFailure) {
      if PQgetisnull(result, r, c) != 0 { return try T.decodeNull() }
      let bytes = UnsafeRawBufferPointer(
        start: PQgetvalue(result, r, c), count: Int(PQgetlength(result, r, c)))
      return try T.decode(bytes, type: columnTypes[column])
    } catch {
      throw decodingError(error, row: row, column: column, wanted: T.self)
    }
  }

  private func decodingError(
    _ failure: DecodingFailure, row: Int, column: Int, wanted: any PostgresDecodable.Type
  ) -> PostgresError {
    let type = columnTypes[column]
    let place = "column \"\(columns[column])\" (\(column)) of row \(row), of type \(type),"
    switch failure {
    case .typeMismatch:
      return PostgresError(
        .decoding, .decode, "\(place) cannot be read as \(wanted)",
        hint: "read it as another type, or cast it in the SQL")
    case .null:
      return PostgresError(
        .decoding, .decode, "\(place) is or contains NULL and cannot be read as \(wanted)",
        hint: "read it as an optional")
    case .invalid(let problem):
      return PostgresError(
        .decoding, .decode, "\(place) cannot be read as \(wanted): \(problem)")
    }
  }
}

/// One row of a result, which it keeps alive.
public struct Row {
  private let rows: Rows
  /// The number of the row.
  public let index: Int

  init(rows: Rows, index: Int) {
    self.rows = rows
    self.index = index
  }

  /// The value of a column by its number from 0: `try row[0, as: Int64.self]`.
  ///
  /// Throws ``PostgresError/Kind/decoding``, which names the column and both types.
  public subscript<T: PostgresDecodable>(column: Int, as type: T.Type) -> T {
    get throws(PostgresError) { try rows.decode(index, column, as: type) }
  }

  /// The value of a column by its name.
  ///
  /// Throws ``PostgresError/Kind/decoding``, which names the column and both types.
  public subscript<T: PostgresDecodable>(column: String, as type: T.Type) -> T {
    get throws(PostgresError) { try rows.decode(index, try rows.column(column), as: type) }
  }

  /// The value of a column by its number, the type inferred: `let id: UUID = try row.decode(0)`.
  public func decode<T: PostgresDecodable>(_ column: Int, as type: T.Type = T.self)
    throws(PostgresError) -> T
  {
    try rows.decode(index, column, as: type)
  }

  /// The value of a column by its name, the type inferred.
  public func decode<T: PostgresDecodable>(_ column: String, as type: T.Type = T.self)
    throws(PostgresError) -> T
  {
    try rows.decode(index, try rows.column(column), as: type)
  }
}
