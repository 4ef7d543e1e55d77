import Arguments
import Contracts
import FleetPostgres
import Foundation
import Kafka

/// `orderly group seek`: sets where a service goes on reading.
struct GroupSeek: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "seek",
    abstract: "Set the offsets at which a service goes on reading its topics.",
    discussion: """
      Shows what it would do, and does it with --execute. What is read again and was handled drops \
      out at the service's inbox; records from before the inbox's horizon ('orderly describe \
      group') would be handled again, and are refused. What is skipped is never handled: that \
      takes --yes. The service's workers have to be stopped.
      """,
    examples: [
      "orderly group seek payments --to start",
      "orderly group seek payments --to @2h --partition 3",
      "orderly group seek payments --to @2026-11-21T08:30:00Z --execute --reason 'restored backup'",
      "orderly group seek orders --to 1200 --topic payments.v1 --partition 3",
    ])

  @Argument(help: "The service.") var service: ServiceName

  @Option(
    help: ArgumentHelp(
      "start, end, @TIME (RFC 3339, or how long ago: @15m), or an offset.", valueName: "place"))
  var to: SeekTarget

  @Option(help: "One partition number; all of them if not given.")
  var partition: Int32?

  @Option(help: "One of the service's topics; all of them if not given.")
  var topic: String?

  @Flag(help: "Do it.")
  var execute = false

  @Option(
    help: ArgumentHelp(
      "Why; recorded with who, when and what. Required with --execute.", valueName: "text"))
  var reason: String?

  @OptionGroup var confirmation: ConfirmationOptions
  @OptionGroup var format: OutputOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  private var isPreview: Bool { !execute || confirmation.dryRun }

  func validate() throws {
    let topics = service.subscriptions.map(\.rawValue)
    if let topic, !topics.contains(topic) {
      throw ValidationError(
        "\(service.rawValue) does not read \(topic); it reads \(topics.joined(separator: ", ")).")
    }
    if case .offset = to, topic == nil || partition == nil {
      throw ValidationError("An offset is one of a partition: give --topic and --partition too.")
    }
    if !isPreview { _ = try OperatorReason(reason) }
  }

  func run() async throws {
    let (plan, group, isMock) = try await plan()
    printTable(plan.table, format.output, noun: "partitions")
    guard plan.obstacles.isEmpty else {
      throw ExitCode.refused(plan.obstacles.joined(separator: "; ") + ". Nothing was changed.")
    }
    if let skipped = plan.skippedText { printMessage("warning: \(skipped)") }
    if isPreview {
      if let active = group.activity { printMessage("note: \(active)") }
      printMessage("Nothing was changed; --execute does it. \(plan.summary).")
      return
    }
    if let active = group.activity { throw ExitCode.refused("\(active) Nothing was changed.") }
    if plan.skipped > 0, !confirmation.yes {
      throw ExitCode.refused("Skipping records takes --yes. Nothing was changed.")
    }
    try confirmation.confirm("Set the offsets of \(service.rawValue), \(plan.summary)?")
    try await global.record(
      "group seek", on: .init("group \(service.rawValue)", services: [service]),
      reason: OperatorReason(reason)
    ) {
      // Once more: a worker may have been started while somebody was thinking.
      if isMock, let active = try await global.groups([service]).groups.first?.activity {
        throw ExitCode.refused("\(active) Nothing was changed.")
      }
      try await commit(plan)
      return .done("\(plan.summary); \(plan.placesText)")
    }
    printMessage("Done: \(plan.summary).")
  }

  /// Commits as a consumer that is no member of the group. The group's coordinator refuses it while
  /// there are members; unlike the calls of an admin client it is one request for all partitions,
  /// and a mock cluster knows it.
  private func commit(_ plan: SeekPlan) async throws {
    let kafka = try global.kafka()
    let offsets = plan.moves.map { ($0.partition, $0.target) }
    do {
      let consumer = try Consumer(ConsumerConfiguration(kafka: kafka, groupID: service.rawValue))
      try await running {
        try await consumer.commit(Dictionary(uniqueKeysWithValues: offsets))
      } closing: {
        await consumer.close(timeout: .seconds(2))
      }
    } catch let error as KafkaError {
      switch error.code {
      case .unknownMemberID, .illegalGeneration, .rebalanceInProgress:
        throw ExitCode.refused(
          "A worker has joined the group \(service.rawValue) in the meantime. Nothing was changed.")
      default: throw CommandFailure(error.sentence(kafka.bootstrapServers))
      }
    }
  }

  // MARK: - Looking

  private func plan() async throws -> (plan: SeekPlan, group: GroupStatus, isMock: Bool) {
    let (groups, isMock) = try await global.groups([service])
    guard let group = groups.first else {
      throw CommandFailure("The cluster does not answer for the group \(service.rawValue).")
    }
    if isMock {
      printMessage(GroupStatus.mockNote)
      if case .time = to {
        throw ExitCode.refused(
          "librdkafka's mock cluster can't be asked for times. Give an offset.")
      }
    }
    let chosen = group.partitions.filter {
      (partition == nil || $0.partition.partition == partition)
        && (topic == nil || $0.partition.topic == topic)
    }
    guard !chosen.isEmpty else {
      throw CommandFailure(
        "There is no such partition of \(topic ?? "the topics of \(service.rawValue)"). Run "
          + "'orderly describe group \(service.rawValue)'.")
    }
    let lanes = try await global.read(service) { try LaneRow.all(on: $0) }
    let horizons = Dictionary(uniqueKeysWithValues: lanes.map { ($0.lane, $0.horizon) })
    let to = to
    let moves = try await global.withReader { reader in
      let targets = try await Self.targets(chosen, to, reader)
      let times = try await Self.times(of: targets, in: chosen, reader)
      return chosen.map { one in
        SeekPlan.Move(
          partition: one.partition, committed: one.committed, log: one.log,
          target: targets[one.partition] ?? one.log.lowerBound, time: times[one.partition],
          horizon: horizons[one.partition.partition] ?? nil)
      }
    }
    return (SeekPlan(service: service, moves: moves), group, isMock)
  }

  private static func targets(
    _ partitions: [GroupStatus.PartitionLag], _ to: SeekTarget, _ reader: PartitionReader
  ) async throws -> [TopicPartition: Int64] {
    var atTimes: [TopicPartition: Int64] = [:]
    if case .time(let date) = to {
      let milliseconds = Int64(max(0, (date.timeIntervalSince1970 * 1000).rounded()))
      atTimes = try await reader.offsets(
        forTimes: Dictionary(
          uniqueKeysWithValues: partitions.map { ($0.partition, milliseconds) }))
    }
    return Dictionary(
      uniqueKeysWithValues: partitions.map {
        ($0.partition, to.offset(in: $0.log, atTime: atTimes[$0.partition]))
      })
  }

  /// The times of the first records at or after the targets.
  private static func times(
    of targets: [TopicPartition: Int64], in partitions: [GroupStatus.PartitionLag],
    _ reader: PartitionReader
  ) async throws -> [TopicPartition: Date] {
    let logs = Dictionary(uniqueKeysWithValues: partitions.map { ($0.partition, $0.log) })
    var open = targets.filter { logs[$0.key]?.contains($0.value) ?? false }
    guard !open.isEmpty else { return [:] }
    try await reader.assign(open)
    var times: [TopicPartition: Date] = [:]
    let deadline = ContinuousClock.now + .seconds(30)
    while !open.isEmpty {
      guard .now < deadline else {
        throw CommandFailure(
          "The brokers do not give the records of \(open.keys.sorted().map(\.description)).")
      }
      for event in try await reader.poll(timeout: .milliseconds(200)) {
        switch event {
        case .messages(let messages):
          for message in messages where open.removeValue(forKey: message.topicPartition) != nil {
            times[message.topicPartition] = message.timestamp.map {
              Date(timeIntervalSince1970: Double($0) / 1000)
            }
          }
        // Nothing but the marks of transactions is left after the target.
        case .endOfPartition(let partition, _): open[partition] = nil
        case .error(let error) where error.isFatal: throw error
        default: break
        }
      }
    }
    return times
  }
}

extension GroupStatus {
  /// Who would have to be stopped first, in a sentence; nil when the group has no members.
  var activity: String? {
    guard !members.isEmpty else { return nil }
    let names = Set(members.map { "\($0.name) (\($0.host))" }).sorted()
    return "The group \(service.rawValue) has members: \(names.joined(separator: ", ")). Stop them "
      + "before its offsets are set."
  }
}

extension SeekPlan {
  /// The old and the new offsets, for the record.
  fileprivate var placesText: String {
    moves.map { "\($0.partition) \($0.committed.map { "\($0)" } ?? "none") → \($0.target)" }
      .joined(separator: ", ")
  }
}
