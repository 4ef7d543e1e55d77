import Arguments
import FleetPostgres
import Foundation
import Postgres
import Settings

/// What a command takes that asks before it changes something.
struct ConfirmationOptions: ParsableArguments {
  @Flag(name: .shortAndLong, help: "Do not ask. Required without a terminal.")
  var yes = false

  @Flag(name: .customLong("dry-run"), help: "Change nothing, say what would change.")
  var dryRun = false

  /// Asks, unless `--yes` has answered already.
  ///
  /// - Throws: a refusal when the answer is no, or there is nobody to ask.
  func confirm(_ question: String) throws {
    if yes { return }
    guard Terminal.isInteractive else {
      throw ExitCode.refused("\(question) There is no terminal to ask on: say --yes.")
    }
    printProgress("\(printable(question)) [y/N] ")
    guard ["y", "yes"].contains(readLine()?.lowercased() ?? "") else {
      throw ExitCode.refused("Nothing was changed.")
    }
  }
}

/// What a command takes besides that changes the running system: it says why, and that is recorded
/// with who and when.
struct MutationOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Why; recorded with who, when and what. Required, but for a dry run.", valueName: "text"))
  var reason: String?

  @OptionGroup var confirmation: ConfirmationOptions

  var dryRun: Bool { confirmation.dryRun }

  func validate() throws {
    if reason == nil, dryRun { return }
    _ = try OperatorReason(reason)
  }

  /// As ``ConfirmationOptions/confirm(_:)``.
  func confirm(_ question: String) throws { try confirmation.confirm(question) }

  /// As ``GlobalOptions/record(_:on:reason:_:)``, for the reason that was given.
  func record(
    _ command: String, on target: OperatorAction.Target, _ global: GlobalOptions,
    _ body: () async throws -> MutationResult
  ) async throws {
    try await global.record(command, on: target, reason: OperatorReason(reason), body)
  }
}

/// An operator's words about why.
struct OperatorReason {
  /// Without control characters, 1 to 500 characters.
  let text: String

  /// - Throws: `ValidationError` for none.
  init(_ given: String?) throws {
    let text = (given ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
    guard !text.isEmpty else {
      throw ValidationError("Say why with --reason TEXT: it is recorded.")
    }
    guard text.count <= 500 else {
      throw ValidationError("--reason has \(text.count) characters; 500 are the most.")
    }
    self.text = printable(text)
  }
}

/// What has come of a command that changes something.
struct MutationResult: Sendable {
  let outcome: OperatorAction.Outcome
  /// In a sentence, for the record.
  let summary: String

  static func done(_ summary: String) -> MutationResult {
    MutationResult(outcome: .done, summary: summary)
  }

  /// The status to exit with; nil where all is well.
  var status: ExitCode? {
    switch outcome {
    case .done: nil
    case .started, .failed: .failure
    case .partlyDone: .partlyDone
    case .refused: .refused
    }
  }
}

extension OperatorAction.Outcome {
  /// How several changes have ended as a whole.
  static func ofAll(_ outcomes: [OperatorAction.Outcome]) -> OperatorAction.Outcome {
    if outcomes.allSatisfy({ $0 == .done }) { return .done }
    if outcomes.contains(.done) || outcomes.contains(.partlyDone) { return .partlyDone }
    return outcomes.allSatisfy { $0 == .refused } ? .refused : .failed
  }
}

extension GlobalOptions {
  /// Runs `body` as an action on record: it is entered in `fleet.operator_action` before it begins,
  /// and how it ended after it. Nothing is done that can't be recorded.
  ///
  /// - Throws: ``CommandFailure`` when the record can't be made; what `body` throws; the exit
  ///   status of a result that is not `done`.
  func record(
    _ command: String, on target: OperatorAction.Target, reason: OperatorReason,
    _ body: () async throws -> MutationResult
  ) async throws {
    let database = try operatorDatabase()
    let pool = Pool(database, maximum: 1)
    let ended = try await running { () async throws -> MutationResult in
      let log = OperatorLog(pool: pool)
      let number: Int64
      do {
        number = try await log.begin(command, on: target, by: operatorName, reason: reason.text)
      } catch let error as PostgresError {
        throw CommandFailure(
          error.operatorTrouble(at: database.description) + " Nothing was changed.")
      }
      let result = await Self.result(of: body)
      let (outcome, summary): (OperatorAction.Outcome, String) =
        switch result {
        case .success(let result): (result.outcome, result.summary)
        case .failure(let error as ExitCode) where error == .refused: (.refused, "refused")
        case .failure(let error): (.failed, "\(error)")
        }
      do {
        try await log.end(number, outcome, detail: String(printable(summary).prefix(1000)))
      } catch {
        // It is done; that must not look as if it were not.
        printMessage(
          "warning: action \(number) stays on record as started; how it ended can't be entered: "
            + "\(error)")
      }
      return try result.get()
    } closing: {
      await pool.close()
    }
    if let status = ended.status { throw status }
  }

  /// How operators reach the fleet's schema.
  func operatorDatabase() throws -> ConnectionConfiguration {
    try settings().operatorDatabase(
      role: SchemaDefinition.operatorRole, applicationName: "orderly-cli")
  }

  /// Runs `body` in a transaction on the fleet's schema, as an operator.
  ///
  /// - Throws: ``CommandFailure`` in the place of a `PostgresError`; what else `body` throws.
  func withOperatorTables<R: Sendable>(
    _ body: @escaping @Sendable (Connection) throws -> R
  ) async throws -> R {
    let database = try operatorDatabase()
    do {
      return try await withConnection(database) { try $0.transaction { try body($0) } }
    } catch let error as PostgresError {
      throw CommandFailure(error.operatorTrouble(at: database.description))
    }
  }

  /// Who acts: ORDERLY_OPERATOR, or else the user and the machine.
  var operatorName: String {
    let environment = ProcessInfo.processInfo.environment
    if let name = environment["ORDERLY_OPERATOR"], !name.isEmpty { return printable(name) }
    return printable("\(NSUserName())@\(ProcessInfo.processInfo.hostName)")
  }

  private static func result(
    of body: () async throws -> MutationResult
  ) async -> Result<MutationResult, any Error> {
    do { return .success(try await body()) } catch { return .failure(error) }
  }
}

extension PostgresError {
  /// The trouble in sentences, of a connection that takes the operators' role.
  fileprivate func operatorTrouble(at address: String) -> String {
    let role = SchemaDefinition.operatorRole
    if operation == .connect, sqlState == .insufficientPrivilege, message.contains(role) {
      return "\(address): this user may not act as \(role). "
        + "Run 'GRANT \(role) TO …' as a superuser."
    }
    return sentence(address)
  }
}
