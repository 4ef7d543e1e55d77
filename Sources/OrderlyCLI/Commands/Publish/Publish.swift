import Arguments
import Contracts
import Foundation
import JSONSchema
import Kafka
import TopicCatalog
import Workload

/// `orderly publish EVENT`: writes events as the shop, or a test, would.
struct Publish: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "publish",
    abstract: "Publish events: from a file, or orders made up from a seed.",
    discussion: """
      With -f, the file has the bodies of the events: one JSON object, an array of them, or one \
      on each line. Each is held to its schema and to the rules of the contracts first; if one is \
      not an event, nothing is published. Id, time, trace and the other headers are made here.

      Without -f, order.placed makes up --count realistic orders. --outcome says how they are to \
      end: NAME=SHARE (0.05 or 5%), and the rest is completed; a NAME alone takes the rest. Names: \
      completed, declined, fraud, stock-out, undeliverable, late-cancel, flaky, poison. The same \
      --seed makes the same orders with the same ids; the services know them again and do nothing \
      twice.
      """,
    examples: [
      "orderly publish order.placed",
      "orderly publish order.placed --count 500 --rate 100 --outcome declined=5%,stock-out=5%",
      "orderly publish order.placed -f order.json --dry-run",
      "echo '{\"orderId\":\"s1-000017\",\"requestedAt\":\"2026-11-21T08:30:00Z\"}' |\n"
        + "  orderly publish order.cancel-requested -f -",
    ])

  @Argument(help: "The type of the event.") var event: EventType

  @Option(
    name: [.customShort("f"), .customLong("file")],
    help: ArgumentHelp("The bodies of the events; - for standard input.", valueName: "file"),
    completion: .file())
  var file: String?

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "The record key, with -f; by default the order's id, which the services insist on.",
      valueName: "key"))
  var key: String?

  @Option(
    name: [.customShort("H"), .customLong("header")],
    help: ArgumentHelp("A header to add or replace; may be repeated.", valueName: "name=value"),
    transform: HeaderArgument.init(parsing:))
  var headers: [HeaderArgument] = []

  @Option(help: ArgumentHelp("How many orders to make up. (default: 1)", valueName: "n"))
  var count: Int?

  @Option(help: ArgumentHelp("The most records in a second; without it as fast as it goes."))
  var rate: Double?

  @Option(help: ArgumentHelp("Where the orders come from; without it a random one, printed."))
  var seed: UInt64?

  @Option(help: ArgumentHelp("The share of records that is written twice.", valueName: "share"))
  var duplicate: Share?

  @Option(help: ArgumentHelp("How orders are to end; see above.", valueName: "name[=share],…"))
  var outcome: [String] = []

  @Option(
    help: ArgumentHelp(
      "Write here, as JSON lines, what must become of each acknowledged order.",
      valueName: "file"), completion: .file())
  var expect: String?

  @Flag(name: .customLong("dry-run"), help: "Publish nothing, print the records.")
  var dryRun = false

  @Option(name: .shortAndLong, help: "How the published records are printed.")
  var output = OutputFormat.table

  @OptionGroup var global: GlobalOptions

  func validate() throws {
    if let count, !(1...100_000_000).contains(count) {
      throw ValidationError("--count must be 1 to 100000000, is \(count).")
    }
    if let rate, !(rate > 0 && rate <= 1_000_000) {
      throw ValidationError("--rate must be over 0 and up to 1000000 records a second, is \(rate).")
    }
    let shares = try OutcomeShares.parse(outcome)
    if file == nil {
      guard event == .orderPlaced else {
        throw ValidationError(
          "Only order.placed can be made up. Give the body of \(event.rawValue) with -f FILE.")
      }
      if key != nil {
        throw ValidationError("-k goes with -f: orders that are made up have their own ids.")
      }
    } else {
      for (name, isGiven) in [
        ("--count", count != nil), ("--seed", seed != nil), ("--duplicate", duplicate != nil),
        ("--outcome", !shares.isEmpty), ("--expect", expect != nil),
      ] where isGiven {
        throw ValidationError("\(name) is for orders that are made up, and does not go with -f.")
      }
    }
  }

  func run() async throws {
    let given = try file.map { try self.given($0) }
    let items = try given.map { AnySequence($0) } ?? madeUp()
    if dryRun {
      printRecords(items)
      return
    }
    try await checkTopics()
    let run = try PublishRun(
      total: given?.count ?? count ?? 1, rate: rate,
      keepsAll: global.verbose || (output != .table && output != .wide), expect: expect)
    let result = try await global.withProducer { await run.send(items, with: $0) }
    try report(result)
  }

  // MARK: - What is published

  private func given(_ path: String) throws -> [PublishItem] {
    let catalog = try TopicCatalog.find()
    let (bodies, unreadable) = PublishBodies.parse(try PublishBodies.read(path))
    let faults = unreadable + bodies.flatMap { PublishBodies.faults($0, event, catalog) }
    guard faults.isEmpty else {
      for fault in faults.sorted(by: { $0.place < $1.place }).prefix(20) {
        printMessage(printable(fault.description))
      }
      if faults.count > 20 { printMessage("… and \(faults.count - 20) more") }
      let wrong = Set(faults.map(\.place)).count
      throw CommandFailure(
        "\(wrong) of \(counted(max(wrong, bodies.count + unreadable.count), "event")) in "
          + "\(path == "-" ? "standard input" : path) "
          + "\(wrong == 1 ? "is" : "are") not a valid \(event.rawValue). "
          + "Nothing has been published.")
    }
    let items = bodies.map { body in
      let envelope = PublishBodies.Envelope(type: event, body: body.value, at: Date())
      return PublishItem(
        records: [
          record(
            event.topic, Array((key ?? envelope.order).utf8), envelope.value, envelope.headers)
        ])
    }
    for item in items {
      guard let problem = item.records.lazy.compactMap({ $0.unreadable }).first else { continue }
      printMessage(
        "warning: with this key or these headers the services can't read it, and will dead-letter "
          + "it: \(printable(problem.description))")
      break
    }
    return items
  }

  private func madeUp() throws -> AnySequence<PublishItem> {
    let seed = seed ?? UInt64.random(in: 1...999_999)
    if self.seed == nil { printMessage("seed \(seed)") }
    let workload = Workload(
      WorkloadOptions(
        seed: seed, count: count ?? 1, shares: try OutcomeShares.parse(outcome),
        duplicateShare: duplicate?.value ?? 0, start: Date()))
    return AnySequence(
      workload.lazy.map { item in
        PublishItem(
          records: item.records.map { record($0.topic, $0.key, $0.value, $0.headers) },
          planned: item)
      })
  }

  private func record(
    _ topic: Topic, _ key: [UInt8], _ value: [UInt8]?, _ given: [EventHeader]
  ) -> Record {
    var result = given.map { Header(name: $0.name, value: $0.value) }
    for header in headers {
      result.removeAll { $0.name == header.name }
      result.append(Header(header.name, header.value))
    }
    return Record(topic: topic.rawValue, key: key, value: value, headers: result)
  }

  // MARK: - Before and after

  private func printRecords(_ items: AnySequence<PublishItem>) {
    let style = Style(global)
    var count = 0
    for record in items.lazy.flatMap(\.records) {
      let text = RecordText(record)
      printData(
        output == .json ? text.line : text.lines(headers: true, style))
      count += 1
    }
    printMessage("dry run: \(counted(count, "record")) would be published")
  }

  /// Finds out what would otherwise look like a slow broker: a topic that nobody has made.
  private func checkTopics() async throws {
    let name = event.topic.rawValue
    try await global.withAdmin { admin, _ in
      let metadata = try await admin.metadata(timeout: .seconds(5))
      guard let topic = metadata.topics.first(where: { $0.name == name }) else {
        throw CommandFailure(
          "The topic \(name) does not exist. "
            + (metadata.isMock ? "'orderly dev' makes it." : "Run 'orderly topics apply'."))
      }
      if let error = topic.error { throw error }
    }
  }

  private func report(_ result: PublishRun.Result) throws {
    if output == .table || output == .wide {
      // A few are listed; of many there is a summary only.
      if result.count <= 20 || global.verbose, !result.kept.isEmpty {
        printData(result.table.render(output))
      }
    } else {
      printData(result.table.render(output))
    }
    printMessage(
      "\(counted(result.count, "record")) published on \(event.topic.rawValue)"
        + (result.items == result.count ? "" : ", of \(counted(result.items, "order"))"))
    guard result.failed > 0 else { return }
    for (reason, count) in result.failures.sorted(by: { $0.key < $1.key }) {
      printMessage("Error: \(counted(count, "record")): \(reason)")
    }
    printMessage(
      result.count == 0
        ? "Nothing has been acknowledged. Run 'orderly doctor'."
        : "\(result.failed) of \(result.failed + result.count) records were not acknowledged; they "
          + "may have been written. The same --seed can be published again.")
    throw result.count == 0 ? ExitCode.failure : ExitCode.partlyDone
  }
}
