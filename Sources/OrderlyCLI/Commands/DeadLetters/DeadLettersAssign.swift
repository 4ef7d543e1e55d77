import Arguments
import Contracts
import Fleet
import FleetPostgres
import Foundation

struct DeadLettersAssign: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "assign",
    abstract: "Say who looks after dead letters.",
    discussion: """
      It changes nothing else, and does not ask. Without ids, the open letters that match are taken.
      """,
    examples: [
      "orderly dlq assign 3f2a91c0 --owner ada", "orderly dlq assign 3f2a91c0 77b0 --nobody",
      "orderly dlq assign --service payments --owner ada",
    ])

  @OptionGroup var selection: DeadLetterSelectionOptions

  @Option(help: ArgumentHelp("Who looks after them from now on.", valueName: "name"))
  var owner: String?

  @Flag(help: "Nobody does any more.")
  var nobody = false

  @OptionGroup var format: OutputOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func validate() throws {
    guard (owner == nil) == nobody else { throw ValidationError("Give --owner NAME or --nobody.") }
    guard owner.map({ (1...100).contains($0.count) }) ?? true else {
      throw ValidationError("--owner must have 1 to 100 characters.")
    }
  }

  func run() async throws {
    let words = owner.map { "assigned to \($0)" } ?? "assigned to nobody"
    let rows = try await selection.rows(global)
    try await global.annotate("dlq assign", rows, words, format.output) { desk, id in
      try await desk.assign(id, to: owner)
    }
  }
}

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

extension GlobalOptions {
  /// Changes what is written about letters, on record like all changes; what is written is the
  /// reason.
  fileprivate func annotate(
    _ command: String, _ rows: [DeadLetterRow], _ words: String, _ output: OutputFormat,
    _ change: (DeadLetterDesk<PostgresDeadLetterStore>, UUID) async throws -> Void
  ) async throws {
    let reason = try OperatorReason(String(words.prefix(500)))
    try await record(command, on: .letters(rows), reason: reason) {
      try await ServiceDesks.with(self) { desks in
        await LetterChange.each(rows, "changed", output) { row in
          await LetterChange(of: row) {
            try await desks.change(row.service) { try await change($0, row.id) }
            return (.done, words)
          }
        }
      }
    }
  }
}
