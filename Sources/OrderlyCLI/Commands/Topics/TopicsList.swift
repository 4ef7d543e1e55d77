import Arguments
import Contracts
import JSONSchema
import Kafka
import TopicCatalog

/// `orderly topics list`: the manifests' topics and what the broker has of them.
struct TopicsList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the topics of the manifests as the broker has them.",
    discussion: """
      RECORDS is how many offsets the broker keeps. With a mock broker, which tells no settings, \
      RETENTION is empty.
      """,
    examples: ["orderly topics list", "orderly topics list --all -o wide"])

  @Flag(help: "Also topics that no manifest describes.")
  var all = false

  @Option(name: .shortAndLong, help: "How the topics are printed.")
  var output = OutputFormat.table

  @OptionGroup var overrides: TopicOverrides
  @OptionGroup var global: GlobalOptions

  func run() async throws {
    let catalog = try TopicCatalog.find()
    let names = catalog.topics.map(\.name)
    let (cluster, records) = try await global.withAdmin { admin, _ in
      let cluster = try await ClusterTopics.read(from: admin, settingsOf: names)
      let shown = all ? Set(names).union(cluster.topics.keys) : Set(names)
      let partitions = cluster.topics.values.filter { shown.contains($0.name) }.flatMap { topic in
        (0..<Int32(topic.partitions)).filter { !topic.leaderless.contains($0) }
          .map { TopicPartition(topic: topic.name, partition: $0) }
      }
      let watermarks = try await admin.watermarks(partitions)
      let records = Dictionary(
        watermarks.map { ($0.key.topic, $0.value.count) }, uniquingKeysWith: +)
      return (cluster, records)
    }
    var rows = catalog.topics.map { manifest in
      let wanted = WantedTopic(manifest, overrides)
      let found = cluster.topics[manifest.name]
      return row(
        found ?? ClusterTopic(name: manifest.name, partitions: 0, replicationFactor: 0),
        records[manifest.name], events: manifest.messages, exists: found != nil,
        state: state(differences(wanted, found)))
    }
    if all {
      let others = cluster.topics.values.filter { catalog.topic($0.name) == nil }
      rows += others.sorted { $0.name < $1.name }.map {
        row($0, records[$0.name], events: [], exists: true, state: "no manifest")
      }
    }
    printData(ResultTable(Self.columns, rows: rows).render(output))
  }

  private static let columns: [ResultTable.Column] = [
    .init("topic"), .init("partitions", number: true), .init("replicas", number: true),
    .init("retention"), .init("records", number: true), .init("state"),
    .init("events", wide: true),
  ]

  private func state(_ differences: [TopicDifference]) -> String {
    if differences.isEmpty { return "ok" }
    if differences == [.missing] { return "missing" }
    return differences.map(\.description).joined(separator: "; ")
  }

  private func row(
    _ topic: ClusterTopic, _ records: Int?, events: [EventType], exists: Bool, state: String
  ) -> ResultTable.Row {
    let retention = topic.configuration?["retention.ms"].flatMap { Int64($0) }
    func number(_ value: Int?) -> JSONValue { value.map { .integer(Int64($0)) } ?? .null }
    return ResultTable.Row(
      name: "topic/\(topic.name)",
      cells: [
        topic.name, exists ? "\(topic.partitions)" : "-",
        exists ? "\(topic.replicationFactor)" : "-",
        retention.map(retentionText) ?? "-", records.map(String.init) ?? "-", state,
        events.isEmpty ? "-" : events.map(\.rawValue).joined(separator: ","),
      ],
      object: [
        ("topic", .string(topic.name)), ("partitions", number(exists ? topic.partitions : nil)),
        ("replicas", number(exists ? topic.replicationFactor : nil)),
        ("retentionMs", retention.map { .integer($0) } ?? .null), ("records", number(records)),
        ("state", .string(state)), ("events", .array(events.map { .string($0.rawValue) })),
      ])
  }
}

/// Milliseconds as an operator says them: `7d`, `36h`, `90s`; -1 is for ever.
func retentionText(_ milliseconds: Int64) -> String {
  if milliseconds < 0 { return "for ever" }
  for (unit, length) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)]
    as [(String, Int64)] where milliseconds >= length && milliseconds % length == 0
  {
    return "\(milliseconds / length)\(unit)"
  }
  return "\(milliseconds)ms"
}
