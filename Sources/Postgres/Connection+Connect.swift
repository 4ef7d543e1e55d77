import CPQ

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension Connection {
  /// Connects, within ``ConnectionConfiguration/connectTimeout``.
  ///
  /// - Throws: `connection`, `timeout`, `authentication`, or `server` where the server gave another
  ///   reason (no such database, too many connections, starting up).
  public static func connect(_ configuration: ConnectionConfiguration) throws(PostgresError)
    -> Connection
  {
    let deadline = ContinuousClock.now + configuration.connectTimeout
    guard let handle = startConnecting(configuration.startParameters) else {
      throw PostgresError(.connection, .connect, "out of memory")
    }
    let notices = NoticeHandler(configuration.onNotice ?? { _ in })
    notices.attach(to: handle)
    do throws(PostgresError) {
      try finishConnecting(Wire(handle: handle, deadline: deadline), configuration)
    } catch {
      PQfinish(handle)
      throw error
    }
    return Connection(handle: handle, configuration: configuration, noticeHandler: notices)
  }

  /// Connects, runs the body, and closes the connection however the body ends.
  ///
  /// Throws as ``connect(_:)`` and what the body throws.
  @discardableResult
  public static func with<R>(
    _ configuration: ConnectionConfiguration, _ body: (Connection) throws -> R
  ) throws -> R {
    let connection = try connect(configuration)
    defer { connection.close() }
    return try body(connection)
  }

  private static func startConnecting(_ parameters: [(keyword: String, value: String)])
    -> OpaquePointer?
  {
    let keywords = parameters.map { strdup($0.keyword) }
    let values = parameters.map { strdup($0.value) }
    defer { for copy in keywords + values { free(copy) } }
    return PQconnectStartParams(
      keywords.map { UnsafePointer($0) } + [nil], values.map { UnsafePointer($0) } + [nil], 0)
  }

  private static func finishConnecting(_ wire: Wire, _ configuration: ConnectionConfiguration)
    throws(PostgresError)
  {
    // libpq 15 does not give the SQLSTATE of a failed connection, but writes it into the message.
    PQsetErrorVerbosity(wire.handle, PQERRORS_VERBOSE)
    // The state before the first PQconnectPoll, says the manual.
    var state = PGRES_POLLING_WRITING
    var wire = wire
    while state != PGRES_POLLING_OK {
      guard !wire.isLost, state != PGRES_POLLING_FAILED else {
        throw connectError(wire, configuration)
      }
      do throws(Wire.Failure) {
        try wire.wait(for: Int16(state == PGRES_POLLING_READING ? POLLIN : POLLOUT))
      } catch {
        switch error {
        case .deadline:
          throw PostgresError(
            .timeout, .connect,
            "no connection to \(configuration) within \(configuration.connectTimeout)",
            hint: "check that the server runs and answers at this address")
        case .connection(let message):
          throw PostgresError(.connection, .connect, message)
        }
      }
      state = PQconnectPoll(wire.handle)
    }
    PQsetErrorVerbosity(wire.handle, PQERRORS_DEFAULT)
    guard PQsetnonblocking(wire.handle, 1) == 0 else {
      throw PostgresError(.connection, .connect, wire.errorMessage)
    }
  }

  private static func connectError(_ wire: Wire, _ configuration: ConnectionConfiguration)
    -> PostgresError
  {
    var message = String(cString: PQerrorMessage(wire.handle))
    let needsPassword = PQconnectionNeedsPassword(wire.handle) != 0
    // "FATAL:  28P01: password authentication failed", then lines such as "LOCATION:  auth.c:…".
    var state: SQLState?
    if let match = message.firstMatch(of: #/:  ([0-9A-Z]{5}): /#) {
      state = SQLState(rawValue: String(match.1))
      message.replaceSubrange(match.range, with: ": ")
      message = message.split(whereSeparator: \.isNewline)
        .filter { !$0.hasPrefix("LOCATION:") }.joined(separator: "\n")
    }
    let kind: PostgresError.Kind =
      if needsPassword || state?.errorClass == "28" {
        .authentication
      } else if let state {
        .server(state)
      } else {
        .connection
      }
    return PostgresError(
      kind, .connect, oneLine(message),
      hint: kind == .authentication ? "check the user and password of \(configuration)" : nil,
      sqlState: state)
  }
}
