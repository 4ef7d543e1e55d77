import Arguments
import Contracts
import Fleet
import FleetPostgres
import Foundation

struct DeadLettersNote: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "note",
    abstract: "Keep a remark on a dead letter, in the place of an earlier one.",
    discussion: "It changes nothing else, and does not ask. An empty text takes the remark away.",
    examples: ["orderly dlq note 3f2a91c0 'waits for the provider, INC-42'"])

  @Argument(help: "The dead letter's id, or the beginning of it.") var id: DeadLetterPrefix

  @Argument(help: "The remark, of 1000 characters at most.") var text: String

  @OptionGroup var format: OutputOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func validate() throws {
    guard text.count <= 1_000 else {
      throw ValidationError("The remark has \(text.count) characters; 1000 are the most.")
    }
  }

  func run() async throws {
    let words = text.isEmpty ? "note taken away" : "noted: \(text)"
    let rows = try await DeadLetterRow.find([id], global)
    try await global.annotate("dlq note", rows, words, format.output) { desk, letter in
      try await desk.note(letter, text.isEmpty ? nil : text)
    }
  }
}
