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
