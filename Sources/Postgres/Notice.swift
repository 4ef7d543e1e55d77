import CPQ

/// A message of the server that is no error: RAISE NOTICE, "relation exists, skipping".
public struct Notice: Sendable, CustomStringConvertible {
  /// `WARNING`, `NOTICE`, `INFO`, `LOG` or `DEBUG`, whatever the language of the server.
  public let severity: String
  /// The server's code; `00000` for most notices.
  public let sqlState: SQLState?
  /// The primary message, one line.
  public let message: String
  /// The server's DETAIL; nil where it gave none.
  public let detail: String?
  /// The server's HINT; nil where it gave none.
  public let hint: String?

  /// `NOTICE: relation "x" already exists, skipping`.
  public var description: String { "\(severity): \(message)" }
}

/// Keeps the handler alive for libpq, which holds an unretained pointer to it.
final class NoticeHandler {
  private let handle: @Sendable (Notice) -> Void
  /// Whether the server said, between two statements, that it ends the session.
  private(set) var sawFatal = false

  init(_ handle: @escaping @Sendable (Notice) -> Void) { self.handle = handle }

  /// libpq writes notices to stderr when it has no receiver, so there is always one.
  func attach(to connection: OpaquePointer) {
    PQsetNoticeReceiver(connection, receiveNotice, Unmanaged.passUnretained(self).toOpaque())
  }

  fileprivate func received(_ result: OpaquePointer?) {
    let severity = errorField(result, DiagnosticField.severity) ?? "NOTICE"
    sawFatal = sawFatal || severity == "FATAL" || severity == "PANIC"
    handle(
      Notice(
        severity: severity,
        sqlState: errorField(result, DiagnosticField.sqlState).map(SQLState.init(rawValue:)),
        message: errorField(result, DiagnosticField.message)
          ?? PQresultErrorMessage(result).map { oneLine(String(cString: $0)) } ?? "",
        detail: errorField(result, DiagnosticField.detail),
        hint: errorField(result, DiagnosticField.hint)))
  }
}

/// Called by libpq on the thread that reads from the connection, within one of our calls.
private func receiveNotice(_ context: UnsafeMutableRawPointer?, _ result: OpaquePointer?) {
  guard let context else { return }
  Unmanaged<NoticeHandler>.fromOpaque(context).takeUnretainedValue().received(result)
}
