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

      Refused (4) for a call to a provider that was given up on, while its order is open: without \
      an answer the order could never end.

      Without ids, the open letters that match are taken.
      """,
    examples: [
      "orderly dlq discard 3f2a91c0 --reason 'a test order'",
      "orderly dlq discard 3f2a 77b0 --release --reason 'sent twice' --yes",
      "orderly dlq discard --fingerprint 1f0a3c2d --since 2h --reason 'no events, INC-42'",
    ])

  @OptionGroup var selection: DeadLetterSelectionOptions

  @Flag(help: "Let the later events of the orders go on.")
  var release = false

  @OptionGroup var mutation: MutationOptions
  @OptionGroup var format: OutputOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let rows = try await selection.rows(global)
    guard !mutation.dryRun else {
      printTable(DeadLetterRow.table(rows, at: Date()), format.output, noun: "dead letters")
      let open = try await ServiceDesks.with(global) { desks in
        var open = 0
        for row in rows where row.state == .open {
          if let reason = try await row.reasonToKeep(desks) {
            printMessage("\(row.shortID): \(reason)")
          } else {
            open += 1
          }
        }
        return open
      }
      printMessage("dry run: \(counted(open, "open dead letter")) would be discarded")
      return
    }
    let held = rows.reduce(0) { $0 + $1.held }
    try mutation.confirm(
      "Discard \(counted(rows.count, "dead letter"))"
        + (held == 0
          ? "?"
          : ", behind which \(counted(Int(held), "event")) "
            + "\(held == 1 ? "waits" : "wait") and \(release ? "will go on" : "will stay")?"))
    try await mutation.record("dlq discard", on: .letters(rows), global) {
      try await ServiceDesks.with(global) { desks in
        var done: [LetterChange] = []
        for row in rows { done.append(await discard(row, desks)) }
        return LetterChange.report(done, "discarded", format.output)
      }
    }
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
