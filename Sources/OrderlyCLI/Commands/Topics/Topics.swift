import Arguments

/// `orderly topics`: the manifests of the Topics folder against the broker.
struct Topics: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "topics",
    abstract: "Create and check the topics that the manifests describe.",
    discussion: """
      The manifests are those of the folder Topics, or of the one that ORDERLY_TOPICS names.
      """,
    subcommands: [
      TopicsList.self, TopicsApply.self, TopicsVerify.self,
      TopicsDelete.self,
    ],
    examples: [
      "orderly topics list", "orderly topics apply --replication-factor 3",
      "orderly topics verify && echo as described",
    ])
}

/// What a cluster may have otherwise than the manifests.
struct TopicOverrides: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The number of partitions, the same for every topic; by default the manifests'.",
      valueName: "n"))
  var partitions: Int?

  @Option(
    name: .customLong("replication-factor"),
    help: ArgumentHelp(
      "On how many brokers each partition is kept; by default the manifests'.", valueName: "n"))
  var replicationFactor: Int?

  mutating func validate() throws {
    if let partitions, !(1...10_000).contains(partitions) {
      throw ValidationError("--partitions must be 1 to 10000, is \(partitions).")
    }
    if let replicationFactor, !(1...100).contains(replicationFactor) {
      throw ValidationError("--replication-factor must be 1 to 100, is \(replicationFactor).")
    }
  }
}
