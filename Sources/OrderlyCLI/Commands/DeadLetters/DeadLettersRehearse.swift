import Arguments
import Contracts
import Fleet

struct DeadLettersRehearse: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rehearse",
    abstract: "Show what a replay of a dead letter would do; changes nothing.",
    discussion: """
      The service's own rules handle the letter's event, as it came or as it was edited, in a \
      transaction that is rolled back, with an in-process provider in the place of the outside \
      world. Events that wait behind the letter are left out. Bodies are shown without the fields \
      that their schema marks as sensitive.

      Exits with 1 when a replay would not handle it.
      """,
    examples: ["orderly dlq rehearse 3f2a91c0", "orderly dlq rehearse 3f2a -o yaml"])

  @Argument(help: "The dead letter's id, or the beginning of it.") var id: DeadLetterPrefix

  @Flag(
    name: .customLong("show-sensitive"),
    help: "Show bodies and rows as they are, with names, addresses and payment tokens.")
  var showSensitive = false

  @OptionGroup var format: OutputOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let row = try await DeadLetterRow.find([id], global)[0]
    let page = try await ServiceDesks.with(global) { desks in
      let letter = try await desks.letter(row)
      var page = try await desks.page(of: letter, showsSensitive: showSensitive)
      if let order = (try? letter.replayedEvent())?.orderID.rawValue, page.verdict == .handled,
        let ending = try await SagaState.load([order], desks)[order]?.ending
      {
        page = page.refused(ending)
      }
      return page
    }
    printData(page.page.render(format.output))
    if page.verdict != .handled { throw ExitCode.failure }
  }
}

extension RehearsalPage {
  /// The page for a letter whose order is over.
  fileprivate func refused(_ ending: String) -> RehearsalPage {
    RehearsalPage(
      letter: letter, result: result, verdict: .orderEnded, detail: "not be replayed: \(ending)",
      policy: policy, showsSensitive: showsSensitive)
  }
}
