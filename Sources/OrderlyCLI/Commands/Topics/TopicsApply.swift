import Arguments
import JSONSchema
import Kafka
import TopicCatalog

/// `orderly topics apply`: creates the topics that are missing.
struct TopicsApply: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply",
    abstract: "Create the topics of the manifests that are missing.",
    discussion: """
      Existing topics are left as they are. Settings that differ are reported. A topic with \
      another number of partitions is refused, and then nothing is created: with more partitions, \
      orders would move to other partitions while their events still lie in the old ones, and the \
      order of events would break.
      """,
    examples: [
      "orderly topics apply --dry-run", "orderly topics apply --replication-factor 3",
      "orderly topics apply --partitions 24",
    ])

  @Flag(name: .customLong("dry-run"), help: "Change nothing, say what would be created.")
  var dryRun = false

  @Option(name: .shortAndLong, help: "How the result is printed.")
  var output = OutputFormat.table

  @OptionGroup var overrides: TopicOverrides
  @OptionGroup var global: GlobalOptions

  func run() async throws {
    let wanted = try TopicCatalog.find().topics.map { WantedTopic($0, overrides) }
    try await global.withAdmin { admin, configuration in
      let cluster = try await ClusterTopics.read(from: admin, settingsOf: wanted.map(\.name))
      let found = wanted.map { differences($0, cluster.topics[$0.name]) }
      try refuseOtherPartitions(wanted, found)
      let missing = zip(wanted, found).filter { $0.1 == [.missing] }.map(\.0)
      if cluster.isMock, !missing.isEmpty, !dryRun {
        throw ExitCode.refused(
          "Topics can't be created on \(configuration.bootstrapServers.joined(separator: ",")), "
            + "which is librdkafka's mock broker without an admin API: its topics are made by "
            + "'orderly dev', or by their first record (\(missing.map(\.name).joined(separator: ", ")))."
        )
      }
      let results = dryRun ? [:] : try await create(missing, admin)
      printData(table(wanted, found, results).render(output))
      try report(found, results, missing: missing.count)
    }
  }

  private func refuseOtherPartitions(
    _ wanted: [WantedTopic], _ found: [[TopicDifference]]
  ) throws {
    // The difference, and the topics that have it.
    var others: [(difference: TopicDifference, topics: [String])] = []
    for (topic, differences) in zip(wanted, found) {
      for difference in differences {
        guard case .partitions = difference else { continue }
        if let index = others.firstIndex(where: { $0.difference == difference }) {
          others[index].topics.append(topic.name)
        } else {
          others.append((difference, [topic.name]))
        }
      }
    }
    guard !others.isEmpty else { return }
    let problem = others.map { difference, topics in
      "\(topics.joined(separator: ", ")) \(topics.count == 1 ? "" : "each ")\(difference)"
    }.joined(separator: "; ")
    throw ExitCode.refused(
      """
      \(problem). The number of partitions of a topic is never changed: \
      keys would move to other partitions and the order of an order's events would break. Nothing \
      has been created. To go on with the number that is there: --partitions N; for another \
      number, make a new cluster, or delete the topics once nothing of them is needed.
      """)
  }

  private func create(
    _ topics: [WantedTopic], _ admin: Admin
  ) async throws(KafkaError) -> [String: Result<Void, KafkaError>] {
    try await admin.createTopics(
      topics.map { topic in
        NewTopic(
          name: topic.name, partitions: Int32(topic.partitions),
          replicationFactor: Int32(topic.replicationFactor), configuration: topic.configuration)
      })
  }

  private func table(
    _ wanted: [WantedTopic], _ found: [[TopicDifference]],
    _ results: [String: Result<Void, KafkaError>]
  ) -> ResultTable {
    let rows = zip(wanted, found).map { topic, differences in
      let outcome =
        switch results[topic.name] {
        case .success?: "created"
        case .failure(let error)? where error.code == .topicAlreadyExists: "exists"
        case .failure(let error)?: "failed: \(error.message)"
        case nil where differences == [.missing]: "would be created"
        case nil where differences.isEmpty: "unchanged"
        case nil: differences.map(\.description).joined(separator: "; ")
        }
      return ResultTable.Row(
        name: "topic/\(topic.name)", cells: [topic.name, "\(topic.partitions)", outcome],
        object: [
          ("topic", .string(topic.name)), ("partitions", .integer(Int64(topic.partitions))),
          ("result", .string(outcome)),
        ])
    }
    return ResultTable(
      [.init("topic"), .init("partitions", number: true), .init("result")], rows: rows)
  }

  /// What is not in the table, and the exit status.
  private func report(
    _ found: [[TopicDifference]], _ results: [String: Result<Void, KafkaError>], missing: Int
  ) throws {
    if dryRun { printMessage("dry run: \(counted(missing, "topic")) would be created") }
    let different = found.count { differences in differences.contains(where: \.isOfSettings) }
    if different > 0 {
      printMessage(
        "\(counted(different, "topic")) with other settings, left as they are. Change them with "
          + "'kafka-configs --alter', or change the manifests.")
    }
    // A topic that another made in the meantime is there, which is what was wanted.
    let failed = results.values.filter { result in
      guard case .failure(let error) = result else { return false }
      return error.code != .topicAlreadyExists
    }.count
    guard failed > 0 else { return }
    printMessage("Error: \(failed) of \(counted(results.count, "topic")) could not be created.")
    throw failed == results.count ? ExitCode.failure : ExitCode.partlyDone
  }
}
