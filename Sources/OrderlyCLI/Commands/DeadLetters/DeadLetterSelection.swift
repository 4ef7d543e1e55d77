import Arguments
import Contracts
import Fleet
import Foundation

/// Which dead letters a command changes: those of some ids, or else the open ones that match.
struct DeadLetterSelectionOptions: ParsableArguments {
  @Argument(help: "The dead letters, by the beginnings of their ids.")
  var ids: [DeadLetterPrefix] = []

  @OptionGroup var match: DeadLetterMatchOptions

  // Not --reason, which is the operator's here.
  @Option(
    name: .customLong("letter-reason"),
    help: "Only those given up for this reason; may be repeated.")
  var letterReasons: [String] = []

  @Option(help: "How many may match at most; more than that are refused.")
  var limit: Int = 1_000

  func validate() throws {
    guard ids.isEmpty != (match.isEmpty && letterReasons.isEmpty) else {
      throw ValidationError(
        "Name dead letters by their ids, or else choose open ones by --service, --key, --type, "
          + "--fingerprint, --since or --letter-reason.")
    }
    guard (1...100_000).contains(limit) else {
      throw ValidationError("--limit must be from 1 to 100000.")
    }
  }

  /// Those that are chosen; of matching ones what failed first goes first.
  ///
  /// - Throws: ``CommandFailure``; a refusal when none matches, or too many.
  func rows(_ global: GlobalOptions) async throws -> [DeadLetterRow] {
    guard ids.isEmpty else { return try await DeadLetterRow.find(ids, global) }
    var rows: [DeadLetterRow] = []
    for service in match.services {
      rows += try await global.read(service) { [match, letterReasons, limit] connection in
        try match.rows(
          service, reasons: letterReasons, state: .open, limit: limit, on: connection)
      }
    }
    guard !rows.isEmpty else {
      throw ExitCode.refused("No open dead letter matches. See 'orderly dlq list'.")
    }
    try rows.check(limit: limit)
    return rows.firstFailedFirst
  }
}
