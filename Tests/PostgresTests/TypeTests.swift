import Foundation
import Postgres
import Testing

private enum Colour: String, PostgresCodable, CaseIterable {
  case red
  case green
}

@Suite("Values come back as they were sent")
struct TypeTests {
  private func roundTrip<T: PostgresCodable & Equatable>(
    _ values: [T], _ type: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try Server.with { connection in
      for value in values {
        let rows = try connection.execute("select $1::\(type), $1::\(type) is null", value)
        #expect(try rows[0][0, as: T.self] == value, sourceLocation: sourceLocation)
        #expect(try rows[0][1, as: Bool.self] == false, sourceLocation: sourceLocation)
      }
      let null = try connection.execute("select $1::\(type)", T?.none)
      #expect(try null[0][0, as: T?.self] == nil, sourceLocation: sourceLocation)

      let optionals: [T?] = [nil] + values.map { $0 } + [nil]
      for array in [values, []] {
        let rows = try connection.execute("select $1::\(type)[], cardinality($1::\(type)[])", array)
        #expect(try rows[0][0, as: [T].self] == array, sourceLocation: sourceLocation)
        #expect(try rows[0][1, as: Int.self] == array.count, sourceLocation: sourceLocation)
      }
      let rows = try connection.execute("select $1::\(type)[]", optionals)
      #expect(try rows[0][0, as: [T?].self] == optionals, sourceLocation: sourceLocation)

      let unnested = try connection.execute(
        "select v from unnest($1::\(type)[]) with ordinality as u(v, n) order by n", optionals)
      #expect(
        try unnested.map { try $0[0, as: T?.self] } == optionals, sourceLocation: sourceLocation)
    }
  }

  @Test func bool() throws { try roundTrip([true, false], "bool") }
  @Test func int16() throws { try roundTrip([0, -1, .min, .max] as [Int16], "int2") }
  @Test func int32() throws { try roundTrip([0, -1, .min, .max] as [Int32], "int4") }
  @Test func int64() throws { try roundTrip([0, -1, .min, .max] as [Int64], "int8") }
  @Test func int() throws { try roundTrip([0, -1, .min, .max] as [Int], "int8") }

  @Test func double() throws {
    try roundTrip(
      [0, -0.5, .pi, .greatestFiniteMagnitude, .leastNonzeroMagnitude, .infinity, -.infinity],
      "float8")
    try Server.with { connection in
      let rows = try connection.execute("select $1::float8", Double.nan)
      #expect(try rows.scalar(as: Double.self).isNaN)
    }
  }

  @Test func string() throws {
    try roundTrip(
      [
        "", "plain", "quotes ' \" \\ {,} NULL", "Grüße 👩🏽‍🚀 漢字 \u{7f}\n\t",
        String(repeating: "x", count: 300_000),
      ],
      "text")
  }

  @Test func bytes() throws {
    let all = [UInt8](0...255)
    try roundTrip([[], [0], all, [UInt8](repeating: 7, count: 300_000)], "bytea")
    try roundTrip([Data(), Data([0]), Data(all), Data(all)[5..<9]], "bytea")
  }

  @Test func uuid() throws {
    try roundTrip([UUID(), UUID(uuidString: "00000000-0000-0000-0000-000000000000")!], "uuid")
    try Server.with { connection in
      let id = UUID()
      let rows = try connection.execute("select $1::uuid::text", id)
      #expect(try rows.scalar(as: String.self) == id.uuidString.lowercased())
    }
  }

  @Test func dateKeepsMicroseconds() throws {
    // 2001-01-01 is the reference; the last one is in the year 2100, with a fraction.
    let seconds = [0, 0.000001, -0.000001, 814_000_000.123456, -3e9, 3_124_223_999.999999]
    let dates = seconds.map(Date.init(timeIntervalSinceReferenceDate:))
    try Server.with { connection in
      for date in dates {
        let read = try connection.execute("select $1::timestamptz", date).scalar(as: Date.self)
        #expect(abs(read.timeIntervalSince(date)) < 0.000001)
        let again = try connection.execute("select $1::timestamptz = $2::timestamptz", date, read)
        #expect(try again.scalar(as: Bool.self), "\(date) changes at the second trip")
      }
      let text = try connection.execute(
        "select to_char($1::timestamptz at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')", dates[3])
      #expect(try text.scalar(as: String.self) == "2026-10-18 07:06:40.123456")
    }
    try roundTrip(
      [
        Date(timeIntervalSinceReferenceDate: .infinity),
        Date(timeIntervalSinceReferenceDate: -.infinity), Date(timeIntervalSince1970: 0),
      ], "timestamptz")
  }

  @Test(arguments: [Double.nan, 1e300, -1e300, 1e13])
  func dateOutsideOfTheTypeIsRefused(seconds: Double) throws {
    try Server.with { connection in
      let error = try postgresError {
        try connection.execute(
          "select $1::timestamptz", Date(timeIntervalSinceReferenceDate: seconds))
      }
      #expect(error.kind == .usage)
      #expect(error.message.contains("$1"))
      #expect(try connection.execute("select 1").scalar(as: Int.self) == 1)
    }
  }

  @Test func enums() throws {
    try roundTrip(Colour.allCases, "text")
    try Server.withSchema { connection, _ in
      try connection.executeScript(
        "create type colour as enum ('red', 'green', 'blue'); create table t (c colour)")
      try connection.execute("insert into t values ($1)", Colour.green)
      let rows = try connection.execute("select c, array[c, null, c] from t")
      #expect(try rows[0][0, as: Colour.self] == .green)
      #expect(try rows[0][1, as: [Colour?].self] == [.green, nil, .green])
      let error = try postgresError {
        _ = try connection.execute("select 'blue'::colour").scalar(as: Colour.self)
      }
      #expect(error.kind == .decoding)
      #expect(error.message.contains("no such case: blue"))
    }
  }

  @Test func json() throws {
    let text = #"{"a": [1, null, "ü"]}"#
    try Server.withSchema { connection, _ in
      try connection.executeScript("create table t (a json, b jsonb, n numeric)")
      try connection.execute("insert into t values ($1, $2, $3)", text, text, "12.50")
      let row = try connection.execute("select a, b, b->'a'->>2, n::text from t")[0]
      #expect(try row[0, as: String.self] == text)
      #expect(try row[1, as: String.self] == text)
      #expect(try row[2, as: String.self] == "ü")
      #expect(try row[3, as: String.self] == "12.50")
      let arrays = try connection.execute("select $1::text[]::jsonb[]", ["1", "{}"])
      #expect(try arrays.scalar(as: [String].self) == ["1", "{}"])
    }
  }

  @Test func stringWithAZeroByteIsRefused() throws {
    try Server.with { connection in
      for parameter in ["a\0b", ["a\0b"]] as [any PostgresEncodable] {
        let error = try postgresError { try connection.execute("select $1::text", parameter) }
        #expect(error.kind == .usage)
      }
      #expect(throws: PostgresError.self) { try connection.execute("select 1\0 + 1") }
      #expect(try connection.execute("select 1").scalar(as: Int.self) == 1)
    }
  }

  @Test func narrowIntegersAreWidenedAndWideOnesRefused() throws {
    try Server.with { connection in
      let row = try connection.execute("select 1::int2, 2::int4, 3::int8, 1.5::real")[0]
      #expect(try row[0, as: Int.self] == 1)
      #expect(try row[0, as: Int32.self] == 1)
      #expect(try row[1, as: Int64.self] == 2)
      #expect(try row[3, as: Double.self] == 1.5)
      #expect(throws: PostgresError.self) { try row[2, as: Int32.self] }
      #expect(throws: PostgresError.self) { try row[1, as: Int16.self] }
    }
  }
}

@Suite("What cannot be decoded says why")
struct DecodingErrorTests {
  private func message(_ sql: String, _ body: (Row) throws -> Void) throws -> String {
    try Server.with { connection in
      let row = try connection.execute(sql)[0]
      let error = try postgresError { try body(row) }
      #expect(error.kind == .decoding)
      #expect(!error.isRetriable)
      return error.description
    }
  }

  @Test func mismatchNamesColumnAndBothTypes() throws {
    let message = try message("select 1 as one, 2.5::numeric as total") {
      _ = try $0[1, as: Int64.self]
    }
    for part in ["\"total\"", "(1)", "row 0", "numeric", "Int64", "cast"] {
      #expect(message.contains(part))
    }
  }

  @Test func nullSaysOptional() throws {
    let message = try message("select null::text as note") { _ = try $0["note", as: String.self] }
    for part in ["\"note\"", "NULL", "optional"] { #expect(message.contains(part)) }
  }

  @Test func nullInAnArray() throws {
    let message = try message("select array[1, null]") { _ = try $0[0, as: [Int].self] }
    #expect(message.contains("NULL"))
  }

  @Test func scalarIsNoArrayAndArrayNoScalar() throws {
    _ = try message("select 1") { _ = try $0[0, as: [Int].self] }
    _ = try message("select array[1]") { _ = try $0[0, as: Int.self] }
    _ = try message("select 'x'::bytea") { _ = try $0[0, as: String.self] }
    _ = try message("select row(1, 'x')") { _ = try $0[0, as: String.self] }
    _ = try message("select now()::timestamp") { _ = try $0[0, as: Date.self] }
  }

  @Test func twoDimensions() throws {
    let message = try message("select array[[1], [2]]") { _ = try $0[0, as: [Int].self] }
    #expect(message.contains("2 dimensions"))
  }

  @Test func unknownColumns() throws {
    #expect(try message("select 1 as a, 2 as b") { _ = try $0["c", as: Int.self] }.contains("a, b"))
    #expect(try message("select 1") { _ = try $0[1, as: Int.self] }.contains("no column 1"))
    #expect(try message("select 1") { _ = try $0[-1, as: Int.self] }.contains("no column -1"))
  }

  @Test func scalarOfSeveralRows() throws {
    try Server.with { connection in
      for sql in ["select 1 where false", "select generate_series(1, 2)"] {
        let error = try postgresError { _ = try connection.execute(sql).scalar(as: Int.self) }
        #expect(error.message.contains("exactly one"))
      }
    }
  }
}
