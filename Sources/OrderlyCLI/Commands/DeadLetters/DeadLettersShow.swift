import Arguments
import Contracts
import Foundation
import TopicCatalog

struct DeadLettersShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show a dead letter: its headers, why it failed, its order.",
    discussion: """
      The id may be shortened to its first four digits or more, as long as no other begins so. \
      What the message carries is shown only with --payload, and then without the fields that its \
      schema marks as sensitive.
      """,
    examples: ["orderly dlq show 3f2a91c0", "orderly dlq show 3f2a --payload -o json"])

  @Argument(help: "The dead letter's id, or the beginning of it.") var id: DeadLetterPrefix

  @Flag(help: "Show the payload, sensitive fields redacted.") var payload = false

  @Flag(help: "Show all of the payload, however long it is.") var full = false

  @OptionGroup var format: OutputOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let letter = try await WholeDeadLetter.find(id, global)
    var text: String?
    if payload || full {
      // Without the schemas nobody knows what must not be shown.
      let redaction = PayloadText(try TopicCatalog.find())
      text = letter.value.map {
        redaction.text(of: $0, type: letter.row.eventType, isFull: full)
      }
    }
    var states: [(ServiceName, String)] = []
    if let order = letter.row.orderID { states = try await OrderStates.load(order, global) }
    printData(letter.page(payload: text, states: states, at: Date()).render(format.output))
  }
}
