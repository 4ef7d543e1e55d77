import CPQ

/// Where a server is, who connects, and how long anything may take.
///
/// Whatever is not given comes from libpq's environment (`PGUSER`, `PGPASSWORD`, `~/.pgpass`,
/// `PGSSLMODE`, …), as in every program over libpq, but for `PGOPTIONS`, which the settings below
/// replace. The password is in no description.
public struct ConnectionConfiguration: Sendable {
  /// libpq's keywords, with the password among them: never printed.
  private var keywords: [String: String]

  /// How long making the connection may take; all addresses of the host together. The look-up of a
  /// host name comes before and has the resolver's own timeouts.
  public var connectTimeout: Duration = .seconds(5)
  /// How long one call waits for the server before it gives up and closes the connection.
  public var responseTimeout: Duration = .seconds(20)
  /// After this the server cancels a statement (`statement_timeout`, SQLSTATE 57014) and the
  /// connection stays usable. It should be shorter than ``responseTimeout``; nil for the server's.
  public var statementTimeout: Duration? = .seconds(15)
  /// After this the server ends a session that sits in an open transaction; nil for the server's.
  public var idleInTransactionTimeout: Duration? = .seconds(60)
  /// Shown in `pg_stat_activity`.
  public var applicationName: String?
  /// The schemas of unqualified names, as in `SET search_path`: `orders, public`.
  public var searchPath: String?
  /// The role to work as, as in `SET ROLE`.
  public var role: String?
  /// How many statements are kept prepared on a connection; 0 switches it off.
  public var statementCacheCapacity = 256
  /// Called with the server's notices on the thread of the connection; they are dropped if nil.
  public var onNotice: (@Sendable (Notice) -> Void)?

  /// Takes `postgresql://user:password@host:port/database?option=value`, or libpq's
  /// `host=… user=…` form.
  ///
  /// `connect_timeout` and `application_name` of the text become the properties of that name.
  /// `options` of the text win over ``statementTimeout``, ``searchPath`` and the like.
  ///
  /// - Throws: ``PostgresError/Kind/usage`` for a text that libpq cannot read. The error does not
  ///   repeat the text, because of the password.
  public init(url: String) throws(PostgresError) {
    var problem: UnsafeMutablePointer<CChar>?
    guard !url.utf8.contains(0), let options = PQconninfoParse(url, &problem) else {
      // What follows the first quotation mark is a piece of the text, perhaps of the password.
      let reason = problem.map { String(cString: $0).prefix { $0 != "\"" } } ?? "out of memory"
      PQfreemem(problem)
      throw PostgresError(
        .usage, .connect, "the connection URL cannot be read: \(oneLine(String(reason)))",
        hint: "it looks like postgresql://user:password@host:5432/database; "
          + "percent-encode special characters in the password")
    }
    defer { PQconninfoFree(options) }
    keywords = [:]
    var option = options
    while let keyword = option.pointee.keyword {
      if let value = option.pointee.val {
        keywords[String(cString: keyword)] = String(cString: value)
      }
      option += 1
    }
    if let seconds = keywords["connect_timeout"].flatMap({ Int64($0) }), seconds > 0 {
      connectTimeout = .seconds(seconds)
    }
    applicationName = keywords["application_name"]
  }

  /// The host or hosts, comma-separated, or the folder of a Unix socket; nil means libpq's default.
  public var host: String? {
    get { keywords["host"] }
    set { keywords["host"] = newValue }
  }
  /// The port or ports; nil means libpq's default.
  public var port: String? {
    get { keywords["port"] }
    set { keywords["port"] = newValue }
  }
  /// The user; nil means libpq's default.
  public var user: String? {
    get { keywords["user"] }
    set { keywords["user"] = newValue }
  }
  /// The password; nil means libpq's default.
  public var password: String? {
    get { keywords["password"] }
    set { keywords["password"] = newValue }
  }
  /// The database; nil means libpq's default.
  public var database: String? {
    get { keywords["dbname"] }
    set { keywords["dbname"] = newValue }
  }

  /// What PQconnectStartParams gets.
  var startParameters: [(keyword: String, value: String)] {
    var parameters = keywords
    parameters["client_encoding"] = "UTF8"
    parameters["application_name"] = applicationName
    // How long sent data may stay unacknowledged before the kernel ends the connection, in
    // milliseconds.
    parameters["tcp_user_timeout"] = parameters["tcp_user_timeout"] ?? "10000"
    let ours = sessionSettings.map { "-c \($0.name)=\(escapedOption($0.value))" }
    // The last of equal settings counts, so those of the URL win.
    let options = (ours + [keywords["options"] ?? ""]).joined(separator: " ")
    parameters["options"] = options
    return parameters.map { (keyword: $0.key, value: $0.value) }
  }

  private var sessionSettings: [(name: String, value: String)] {
    var settings: [(name: String, value: String)] = []
    if let statementTimeout {
      settings.append(("statement_timeout", String(statementTimeout.wholeMilliseconds)))
    }
    if let idleInTransactionTimeout {
      settings.append(
        ("idle_in_transaction_session_timeout", String(idleInTransactionTimeout.wholeMilliseconds)))
    }
    if let searchPath { settings.append(("search_path", searchPath)) }
    if let role { settings.append(("role", role)) }
    return settings
  }

  /// The server splits options at white space; a backslash takes it literally.
  private func escapedOption(_ value: String) -> String {
    String(value.flatMap { $0 == "\\" || $0.isWhitespace ? ["\\", $0] : [$0] })
  }
}

extension ConnectionConfiguration: CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  /// User, host, port and database.
  public var description: String {
    "postgresql://\(user.map { $0 + "@" } ?? "")\(host ?? "")\(port.map { ":" + $0 } ?? "")"
      + "/\(database ?? "")"
  }

  /// The same as ``description``: no password.
  public var debugDescription: String { description }

  /// Without children, so that `dump` does not show the password.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

extension Duration {
  /// Milliseconds, a started one counted; at least 0.
  var wholeMilliseconds: Int64 {
    let (seconds, attoseconds) = components
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1000)
    guard !overflow else { return seconds < 0 ? 0 : .max }
    let rest = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    let (total, tooMuch) = scaled.addingReportingOverflow(rest)
    return tooMuch ? .max : max(0, total)
  }
}
