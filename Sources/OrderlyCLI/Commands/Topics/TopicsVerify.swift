import Arguments
import JSONSchema
import TopicCatalog

/// `orderly topics verify`: whether the broker's topics are those of the manifests.
struct TopicsVerify: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Compare the broker's topics with the manifests; changes nothing.",
    discussion: """
      Names each difference and exits with 1 if there is one. The manifests' number of replicas \
      is for development, so replicas are compared only with --replication-factor. A mock broker \
      tells no settings: there only topics and partitions are compared.
      """,
    examples: ["orderly topics verify", "orderly topics verify --replication-factor 3 -o json"])

  @Option(name: .shortAndLong, help: "How the differences are printed.")
  var output = OutputFormat.table

  @OptionGroup var overrides: TopicOverrides
  @OptionGroup var global: GlobalOptions

  func run() async throws {
    let catalog = try TopicCatalog.find()
    let wanted = catalog.topics.map { WantedTopic($0, overrides) }
    let cluster = try await global.withAdmin { admin, _ in
      try await ClusterTopics.read(from: admin, settingsOf: wanted.map(\.name))
    }
    let rows = wanted.flatMap { topic in
      differences(topic, cluster.topics[topic.name]).map { difference in
        ResultTable.Row(
          name: "topic/\(topic.name)", cells: [topic.name, difference.description],
          object: [
            ("topic", .string(topic.name)), ("difference", .string(difference.description)),
          ])
      }
    }
    if cluster.isMock {
      printMessage("a mock broker tells no settings: only topics and partitions are compared")
    }
    let table = ResultTable([.init("topic"), .init("difference")], rows: rows)
    if !rows.isEmpty || output == .json || output == .yaml { printData(table.render(output)) }
    guard !rows.isEmpty else {
      printMessage("\(counted(wanted.count, "topic")) as in \(catalog.folder)")
      return
    }
    throw CommandFailure(
      "\(counted(rows.count, "difference")) from \(catalog.folder). 'orderly topics apply' creates "
        + "what is missing.")
  }
}
