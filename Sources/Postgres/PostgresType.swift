/// The object id of a data type, as the server gives it for parameters and columns.
public struct PostgresType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// The id in `pg_type.oid`.
  public let rawValue: UInt32

  /// Takes an id as in `pg_type.oid`, for types without a constant here.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  // The ids of built-in types never change (pg_type.dat).
  /// No type: the server infers it from the statement.
  public static let unspecified = PostgresType(rawValue: 0)
  /// `boolean`.
  public static let bool = PostgresType(rawValue: 16)
  /// `bytea`: bytes.
  public static let bytea = PostgresType(rawValue: 17)
  /// `"char"`: one byte, as in the catalogues; not `character`.
  public static let char = PostgresType(rawValue: 18)
  /// `name`: the identifiers of the catalogues, at most 63 bytes.
  public static let name = PostgresType(rawValue: 19)
  /// `bigint`, 64 bits.
  public static let int8 = PostgresType(rawValue: 20)
  /// `smallint`, 16 bits.
  public static let int2 = PostgresType(rawValue: 21)
  /// `integer`, 32 bits.
  public static let int4 = PostgresType(rawValue: 23)
  /// `text`.
  public static let text = PostgresType(rawValue: 25)
  /// `json`: kept as its text.
  public static let json = PostgresType(rawValue: 114)
  /// `real`, 32 bits.
  public static let float4 = PostgresType(rawValue: 700)
  /// `double precision`, 64 bits.
  public static let float8 = PostgresType(rawValue: 701)
  /// A literal whose type was not inferred.
  public static let unknown = PostgresType(rawValue: 705)
  /// `character(n)`, padded with spaces.
  public static let bpchar = PostgresType(rawValue: 1042)
  /// `character varying`.
  public static let varchar = PostgresType(rawValue: 1043)
  /// `timestamp with time zone`: microseconds since 2000-01-01 UTC.
  public static let timestamptz = PostgresType(rawValue: 1184)
  /// `uuid`, 16 bytes.
  public static let uuid = PostgresType(rawValue: 2950)
  /// `jsonb`: JSON in parsed form.
  public static let jsonb = PostgresType(rawValue: 3802)

  /// The type of arrays of this type, for the types that Swift values are sent as.
  var array: PostgresType {
    switch self {
    case .bool: PostgresType(rawValue: 1000)
    case .bytea: PostgresType(rawValue: 1001)
    case .int2: PostgresType(rawValue: 1005)
    case .int4: PostgresType(rawValue: 1007)
    case .text: PostgresType(rawValue: 1009)
    case .int8: PostgresType(rawValue: 1016)
    case .float8: PostgresType(rawValue: 1022)
    case .timestamptz: PostgresType(rawValue: 1185)
    case .uuid: PostgresType(rawValue: 2951)
    case .json: PostgresType(rawValue: 199)
    case .jsonb: PostgresType(rawValue: 3807)
    default: .unspecified
    }
  }

  /// Types made by users (enums, domains' bases, extensions) have ids from FirstNormalObjectId up.
  var isUserDefined: Bool { rawValue >= 16384 }

  /// The name as SQL writes it, or the number of a type without a name here.
  public var description: String { Self.names[rawValue] ?? "type with oid \(rawValue)" }

  /// The built-in arrays that have a name here.
  static let arrayTypes = Set(
    names.filter { $0.value.hasSuffix("[]") }.keys.map(PostgresType.init(rawValue:)))

  private static let names: [UInt32: String] = [
    16: "boolean", 17: "bytea", 18: "\"char\"", 19: "name", 20: "bigint", 21: "smallint",
    23: "integer", 25: "text", 26: "oid", 114: "json", 600: "point", 700: "real",
    701: "double precision", 705: "unknown", 790: "money", 869: "inet", 1042: "character",
    1043: "character varying", 1082: "date", 1083: "time", 1114: "timestamp without time zone",
    1184: "timestamp with time zone", 1186: "interval", 1266: "time with time zone",
    1700: "numeric", 2249: "record", 2278: "void", 2950: "uuid", 3220: "pg_lsn", 3802: "jsonb",
    199: "json[]", 1000: "boolean[]", 1001: "bytea[]", 1005: "smallint[]", 1007: "integer[]",
    1009: "text[]", 1014: "character[]", 1015: "character varying[]", 1016: "bigint[]",
    1021: "real[]", 1022: "double precision[]", 1115: "timestamp without time zone[]",
    1185: "timestamp with time zone[]", 1182: "date[]", 1231: "numeric[]", 2951: "uuid[]",
    3807: "jsonb[]",
  ]
}
