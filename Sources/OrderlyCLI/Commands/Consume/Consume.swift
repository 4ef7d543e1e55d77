import Arguments
import Contracts
import Foundation
import JSONSchema
import Kafka

/// `orderly consume TOPIC`: shows the records of a topic.
struct Consume: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "consume",
    abstract: "Show the records of a topic, and follow it.",
    discussion: """
      Joins no group, commits nothing, and disturbs nobody. Without -o it begins at the end, or, \
      with -e, at the start. Fields that the schemas mark as sensitive are redacted, and so are \
      bodies that no schema fits. Records of one partition come in their order; partitions come \
      as they are read.
      """,
    examples: [
      "orderly consume orders.v1", "orderly consume orders.v1 -b -e --key s42-000017",
      "orderly consume payments.v1 -o @15m --type payment.declined",
      "orderly consume orders.dlq -o -5 -e --format json",
    ])

  /// How records are printed.
  enum Format: String, CaseIterable, ExpressibleByArgument { case table, json }

  @Argument(help: "The topic.") var topic: String

  @Option(
    name: [.customShort("n"), .customLong("count")],
    help: ArgumentHelp("Exit after so many records.", valueName: "n"))
  var count: Int?

  @Option(
    name: [.customShort("o"), .customLong("offset")],
    help: ArgumentHelp(
      "Begin at start, end, an OFFSET, -N (the last N of each partition), or @TIME "
        + "(@2026-11-21T08:30:00Z, @15m ago).", valueName: "offset"))
  var offset: ConsumeStart?

  @Flag(name: [.customShort("b"), .customLong("from-beginning")], help: "The same as -o start.")
  var fromBeginning = false

  @Flag(
    name: [.customShort("e"), .customLong("exit")],
    help: "Exit at what is the end now, instead of following.")
  var exits = false

  @Option(help: ArgumentHelp("Only this partition.", valueName: "n"))
  var partition: Int32?

  @Option(help: ArgumentHelp("Only events of this type; may be repeated."))
  var type: [String] = []

  @Option(help: "Only records with this key: the events of one order.")
  var key: String?

  @Option(help: "A line for people, or one JSON object a line.")
  var format = Format.table

  @Flag(
    name: .customLong("show-sensitive"),
    help: "Show bodies as they are, with names, addresses and payment tokens.")
  var showSensitive = false

  @OptionGroup var global: GlobalOptions

  func validate() throws {
    if let count, count < 1 { throw ValidationError("-n must be at least 1, is \(count).") }
    if fromBeginning, let offset, offset != .start {
      throw ValidationError("-b and -o contradict each other.")
    }
  }

  func run() async throws {
    var view = ConsumeView(
      types: Set(type), key: key.map { Array($0.utf8) },
      policy: try BodyPolicy(showsSensitive: showSensitive))
    let (partitions, isMock) = try await partitions()
    var start = fromBeginning ? .start : offset ?? (exits ? .start : .end)
    if isMock, let time = start.milliseconds {
      view.since = time
      start = .start
    }
    try await global.withReader { [view, start] reader in
      let (offsets, ends) = try await begin(start, partitions, reader)
      try await reader.assign(offsets)
      try await show(view, reader, until: exits ? ends : nil, from: offsets)
    }
  }

  /// The partitions to read. All topics are asked for, since asking a mock for one makes it.
  private func partitions() async throws -> (partitions: [TopicPartition], isMock: Bool) {
    let metadata = try await global.withAdmin { admin, _ in
      try await admin.metadata(timeout: .seconds(5))
    }
    guard let found = metadata.topics.first(where: { $0.name == topic }) else {
      let names = metadata.topics.map(\.name).filter { !$0.hasPrefix("__") }.sorted()
      throw CommandFailure(
        "There is no topic \(printable(topic)). "
          + (names.isEmpty
            ? "There are none at all; run 'orderly topics apply'."
            : "There are: \(names.prefix(20).map { printable($0) }.joined(separator: ", "))."))
    }
    if let error = found.error { throw error }
    let all = found.partitions.map { TopicPartition(topic: topic, partition: $0.partition) }
      .sorted()
    guard let partition else { return (all, metadata.isMock) }
    guard let one = all.first(where: { $0.partition == partition }) else {
      throw CommandFailure(
        "\(topic) has no partition \(partition); it has 0 to \(all.count - 1).")
    }
    return ([one], metadata.isMock)
  }

  private func begin(
    _ start: ConsumeStart, _ partitions: [TopicPartition], _ reader: PartitionReader
  ) async throws(KafkaError) -> (
    offsets: [TopicPartition: Int64], ends: [TopicPartition: Int64]
  ) {
    var times: [TopicPartition: Int64] = [:]
    if let milliseconds = start.milliseconds {
      times = try await reader.offsets(
        forTimes: Dictionary(uniqueKeysWithValues: partitions.map { ($0, milliseconds) }))
    }
    var offsets: [TopicPartition: Int64] = [:]
    var ends: [TopicPartition: Int64] = [:]
    for partition in partitions {
      let range = try await reader.watermarks(partition)
      offsets[partition] = start.offset(in: range, atTime: times[partition])
      ends[partition] = range.upperBound
      if case .offset(let asked) = start, offsets[partition] != asked {
        printMessage(
          "\(partition) has \(range.lowerBound) to \(range.upperBound): begins at "
            + "\(offsets[partition] ?? asked)")
      }
    }
    return (offsets, ends)
  }

  private func show(
    _ view: ConsumeView, _ reader: PartitionReader, until ends: [TopicPartition: Int64]?,
    from offsets: [TopicPartition: Int64]
  ) async throws {
    let style = Style(global)
    // The partitions that have not been read to their end.
    var open = ends.map { ends in Set(offsets.filter { $0.value < ends[$0.key, default: 0] }.keys) }
    var shown = 0
    var troubles: Set<String> = []
    while open?.isEmpty != true {
      for event in try await reader.poll(timeout: .milliseconds(200)) {
        switch event {
        case .messages(let messages):
          for message in messages {
            if let ends, message.offset >= ends[message.topicPartition, default: 0] { continue }
            if view.shows(message) {
              let text = view.text(message)
              printData(
                format == .json
                  ? text.line
                  : text.lines(headers: global.verbose, style))
              shown += 1
              if shown == count { return }
            }
            if let end = ends?[message.topicPartition], message.offset + 1 >= end {
              open?.remove(message.topicPartition)
            }
          }
        case .endOfPartition(let partition, _): open?.remove(partition)
        case .offsetOutOfRange(_, _, let error): throw error
        case .error(let error):
          if error.isFatal { throw error }
          // librdkafka goes on trying; it is said once.
          if troubles.insert(error.message).inserted { printMessage("\(error)") }
        case .assigned, .revoked, .committed, .statistics, .log: break
        }
      }
    }
  }
}
