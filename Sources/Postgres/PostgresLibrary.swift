import CPQ

/// The C library underneath.
public enum PostgresLibrary {
  /// The version of libpq that is loaded, such as `15.14`.
  public static var version: String { text(Int(PQlibVersion())) }

  /// A version of libpq or of a server, from 10 on, as text: 150018 is `15.18`.
  public static func text(_ number: Int) -> String { "\(number / 10_000).\(number % 10_000)" }
}
