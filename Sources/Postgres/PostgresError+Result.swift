import CPQ

// The pointers that libpq gives for messages die with the result or the next call on the
// connection, so everything is copied here at once.

/// One field of an error or notice.
func errorField(_ result: OpaquePointer?, _ field: Character) -> String? {
  guard let text = PQresultErrorField(result, Int32(field.asciiValue ?? 0)) else { return nil }
  return String(cString: text)
}

/// The codes of PG_DIAG_* in postgres_ext.h, which are character macros and do not import.
enum DiagnosticField {
  static let severity: Character = "V"
  static let sqlState: Character = "C"
  static let message: Character = "M"
  static let detail: Character = "D"
  static let hint: Character = "H"
  static let constraint: Character = "n"
  static let sourceFunction: Character = "R"
}

extension PostgresError {
  /// The error that a result carries. Without an SQLSTATE it comes from libpq itself, which then
  /// has lost the connection.
  init(result: OpaquePointer?, operation: Operation, statement: String?, retriable: Bool? = nil) {
    let state = errorField(result, DiagnosticField.sqlState).map(SQLState.init(rawValue:))
    let text =
      errorField(result, DiagnosticField.message)
      ?? PQresultErrorMessage(result).map { oneLine(String(cString: $0)) } ?? "connection lost"
    self.init(
      state.map(Kind.server) ?? .connection, operation, text,
      detail: errorField(result, DiagnosticField.detail),
      hint: errorField(result, DiagnosticField.hint),
      constraint: errorField(result, DiagnosticField.constraint),
      statement: statement, retriable: retriable)
  }

  /// The same failure, seen as the loss of a COMMIT's answer.
  func asCommitUnknown() -> PostgresError {
    PostgresError(
      .commitUnknown, .commit,
      "the answer to COMMIT was lost, the transaction may have taken effect: \(message)",
      detail: detail, hint: "read back what the transaction wrote before doing it again",
      statement: statement)
  }
}

/// libpq's own messages end with a line feed and may have several lines.
func oneLine(_ text: String) -> String {
  text.split(whereSeparator: \.isNewline)
    .map { $0.split(separator: " ").joined(separator: " ") }
    .joined(separator: "; ")
}
