import Arguments
import Contracts
import Foundation

struct DeadLettersShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show a dead letter: its headers, why it failed, its order.",
    discussion: """
      The id may be shortened to its first four digits or more, as long as no other begins so. \
      What the message carries is shown only with --payload, and then without the fields that its \
      schema marks as sensitive; what its schema does not fit, or no schema, only with \
      --show-sensitive. Of an edited letter both are shown: what came, and what a replay takes.
      """,
    examples: ["orderly dlq show 3f2a91c0", "orderly dlq show 3f2a --payload -o json"])

  @Argument(help: "The dead letter's id, or the beginning of it.") var id: DeadLetterPrefix

  @Flag(help: "Show the payload, sensitive fields redacted.") var payload = false

  @Flag(help: "Show all of the payload, however long it is.") var full = false

  @Flag(
    name: .customLong("show-sensitive"),
    help: "Show the payload as it is, with names, addresses and payment tokens.")
  var showSensitive = false

  @OptionGroup var format: OutputOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let letter = try await WholeDeadLetter.find(id, global)
    var payloads: WholeDeadLetter.Payloads?
    if payload || full || showSensitive {
      payloads = letter.payloads(try BodyPolicy(showsSensitive: showSensitive))
    }
    let saga = try await ServiceDesks.with(global) { desks in
      try await SagaState.load([letter.row.orderID].compactMap { $0 }, desks).values.first
    }
    let page = letter.page(
      payloads: payloads, isFull: full, saga: saga,
      actions: try await global.operatorActions(letter: letter.row.id), at: Date())
    printData(page.render(format.output))
  }
}
