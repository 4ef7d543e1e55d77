import Arguments

struct DeadLetters: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dlq", abstract: "Work through the messages that a service could not handle.",
    discussion: """
      Look with summary, list and show; find out with rehearse what a replay would do; mend with \
      edit; replay with plan and apply; give up with discard and release. What changes something \
      takes --reason, asks on a terminal and needs --yes elsewhere, and is on record.
      """,
    subcommands: [
      DeadLettersSummary.self, DeadLettersList.self, DeadLettersShow.self,
      DeadLettersRehearse.self, DeadLettersEdit.self, DeadLettersPlan.self,
      DeadLettersApply.self, DeadLettersRelease.self, DeadLettersDiscard.self,
      DeadLettersAssign.self, DeadLettersNote.self,
    ],
    examples: [
      "orderly dlq summary",
      "orderly dlq list --service payments --reason provider-unavailable",
      "orderly dlq show 3f2a91c0 --payload",
      "orderly dlq plan --service payments && orderly dlq apply 9b1c --reason 'provider is back'",
    ])
}
