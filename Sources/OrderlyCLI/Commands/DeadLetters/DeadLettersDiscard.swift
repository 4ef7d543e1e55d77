import Arguments
import Contracts
import Fleet
import FleetPostgres
import Foundation

struct DeadLettersDiscard: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "discard",
    abstract: "Give dead letters up for good.",
    discussion: """
      The later events of a letter's order stay parked until 'orderly dlq release', or go on at \
      once with --release: they are then handled as if the discarded event had never come.

      Refused (4; 3 when it is so for some) while the order is open for what it can't end without, \
      however long somebody waits: a call to a provider that was given up on, and the events by \
      which an order is accepted, turns back, ends, or gives its money and stock back. --dry-run \
      exits as the command would.

      Without ids, the open letters that match are taken. --reason says why you discard, and \
      chooses none; --letter-reason is what --reason is in 'dlq list'.
      """,
    examples: [
      "orderly dlq discard 3f2a91c0 --reason 'a test order'",
      "orderly dlq discard 3f2a 77b0 --release --reason 'sent twice' --yes",
      "orderly dlq discard --fingerprint 1f0a3c2d --since 2h --reason 'no events, INC-42'",
      "orderly dlq discard --service payments --letter-reason invalid-body --reason 'INC-42'",
    ])

  @OptionGroup var selection: DeadLetterSelectionOptions

  @Flag(help: "Let the later events of the orders go on.")
  var release = false

  @OptionGroup var mutation: MutationOptions
  @OptionGroup var format: OutputOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let rows = try await selection.rows(global)
    try await selection.check(mutation.reason, about: rows, global)
    guard !mutation.dryRun else { return try await tellDryRun(rows) }
    let held = rows.reduce(0) { $0 + $1.held }
    try mutation.confirm(
      "Discard \(counted(rows.count, "dead letter")) (\(DeadLetterReasons(rows).text))"
        + (held == 0
          ? "?"
          : ", behind which \(counted(Int(held), "event")) "
            + "\(held == 1 ? "waits" : "wait") and \(release ? "will go on" : "will stay")?"))
    try await mutation.record("dlq discard", on: .letters(rows), global) {
      try await ServiceDesks.with(global) { desks in
        await LetterChange.each(rows, "discarded", format.output) { await discard($0, desks) }
      }
    }
  }

  /// - Throws: the exit status where some or all would be refused.
  private func tellDryRun(_ rows: [DeadLetterRow]) async throws {
    printTable(DeadLetterRow.table(rows, at: Date()), format.output, noun: "dead letters")
    let open = try await ServiceDesks.with(global) { desks in
      var open: [DeadLetterRow] = []
      for row in rows where row.state == .open {
        if let reason = try await row.reasonToKeep(desks) {
          printMessage("\(row.shortID): \(reason)")
        } else {
          open.append(row)
        }
      }
      return open
    }
    printMessage(
      "dry run: \(counted(open.count, "open dead letter")) would be discarded"
        + (open.isEmpty ? "" : ": \(DeadLetterReasons(open).text)"))
    guard open.count < rows.count else { return }
    let status: ExitCode = open.isEmpty ? .refused : .partlyDone
    throw status
  }

  private func discard(_ row: DeadLetterRow, _ desks: ServiceDesks) async -> LetterChange {
    await LetterChange(of: row) {
      if let reason = try await row.reasonToKeep(desks) { throw Refusal(reason) }
      guard let fence = try await desks.change(row.service, { try await $0.discard(row.id) })
      else { return (.done, "discarded") }
      let key = fence.key.key
      let later = "'orderly dlq release --key \(key) --reason …'"
      guard release else {
        return (
          .done,
          "discarded; \(counted(fence.waiting, "event")) of \(key) stay parked until \(later)"
        )
      }
      do {
        let released = try await desks.change(row.service) { try await $0.release(key) }
        return (.done, "discarded; \(key) goes on with \(counted(released.waiting, "event"))")
      } catch let error where error is Refusal || error is CommandFailure {
        // The letter is discarded for good.
        return (.partlyDone, "discarded, but not released, which \(later) does: \(error)")
      }
    }
  }
}
