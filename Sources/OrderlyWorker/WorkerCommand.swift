public import Arguments
public import Contracts
import Fleet
import Foundation
import HTTPServer
import Settings
public import Telemetry

/// The `orderly-worker` process.
@main
struct WorkerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "orderly-worker",
    abstract: "Run services of the fleet: one, several or all.",
    discussion: """
      A worker keeps nothing: it may be killed at any time, and any number of them share the \
      partitions of their service. Where Kafka and Postgres are is taken from \
      KAFKA_BOOTSTRAP_SERVERS and ORDERLY_DATABASE_URL; see the README for the others.

      SIGTERM and SIGINT let it finish what it is at and leave its consumer groups.
      """,
    version: OrderlyVersion.current,
    examples: [
      "orderly-worker",
      "orderly-worker payments fulfilment --http-port 8081",
      "ORDERLY_LOG_FORMAT=json orderly-worker orders",
    ])

  @Argument(help: "The services to run; all of them if none is named.")
  var services: [ServiceName] = []

  @Option(help: "A context of the configuration file.")
  var context: String?

  @Option(help: "The name of this worker in the fleet; host and process id if not given.")
  var name: String?

  @Option(
    name: .customLong("http-host"),
    help: "The address that serves /livez, /readyz and /metrics; 0.0.0.0 for all.")
  var httpHost = "127.0.0.1"

  @Option(name: .customLong("http-port"), help: "Its port; 0 for any free one.")
  var httpPort: UInt16 = 8080

  @Option(help: "Database connections for each service: as many lanes work at the same time.")
  var connections = 2

  @Option(
    name: .customLong("order-deadline"),
    help: ArgumentHelp("Orders that are open for longer are cancelled.", valueName: "seconds"))
  var orderDeadline = 900

  @Option(
    name: .customLong("parked-attempts"),
    help: "Tries of a parked order's first event before it is dead-lettered.")
  var parkedAttempts = 8

  @Option(
    name: .customLong("parked-wait"),
    help: ArgumentHelp(
      "The longest wait between two of them; the first is a second.", valueName: "seconds"))
  var parkedWait = 900

  @Option(
    name: .customLong("parked-tier"),
    help: ArgumentHelp(
      "Other attempts and waits for failures of one reason, in one service or in all, for "
        + "instance payments/provider-unavailable=20,3600; may be repeated.",
      valueName: "[service/]reason=attempts,seconds"))
  var parkedTiers: [ParkedTier] = []

  @Option(
    name: .customLong("forget-after"),
    help: ArgumentHelp(
      "How long an event's id is remembered after Kafka has deleted its record.",
      valueName: "seconds"))
  var forgetAfter = 86_400

  @Option(
    name: .customLong("provider-calls"),
    help: "Most calls of a provider under way at a time.")
  var providerCalls = 16

  @Option(
    name: .customLong("provider-timeout"),
    help: ArgumentHelp("After how long a call is given up and made again.", valueName: "seconds"))
  var providerTimeout = 30

  @Option(
    name: .customLong("provider-attempts"),
    help: "Calls for a capture, a refund or a parcel before it is dead-lettered.")
  var providerAttempts = 10

  @Option(
    name: .customLong("provider-wait"),
    help: ArgumentHelp(
      "The longest wait between two of them; the first is a second.", valueName: "seconds"))
  var providerWait = 900

  @Option(
    name: .customLong("session-timeout"),
    help: ArgumentHelp(
      "After how long without a sign of life others take this worker's partitions.",
      valueName: "seconds"))
  var sessionTimeout = 30

  @Option(
    name: .customLong("shutdown-timeout"),
    help: ArgumentHelp("The most that a graceful stop may take.", valueName: "seconds"))
  var shutdownTimeout = 25

  @Option(name: .customLong("log-level"), help: "The least severe records that are logged.")
  var logLevel = Logger.Level.info

  @Option(
    name: .customLong("log-format"),
    help: "json, text, or text on a terminal only; also ORDERLY_LOG_FORMAT.")
  var logFormat: StreamLogHandler.Format?

  mutating func validate() throws {
    let bounds: [(option: String, value: Int, allowed: ClosedRange<Int>)] = [
      ("--connections", connections, 1...64),
      ("--order-deadline", orderDeadline, 1...31_536_000),
      ("--parked-attempts", parkedAttempts, ParkedTier.attempts),
      ("--parked-wait", parkedWait, ParkedTier.waits),
      ("--forget-after", forgetAfter, 0...31_536_000),
      ("--provider-calls", providerCalls, 1...256),
      ("--provider-timeout", providerTimeout, 1...300),
      ("--provider-attempts", providerAttempts, ParkedTier.attempts),
      ("--provider-wait", providerWait, ParkedTier.waits),
      ("--session-timeout", sessionTimeout, 2...300),
      ("--shutdown-timeout", shutdownTimeout, 1...86_400),
    ]
    for (option, value, allowed) in bounds where !allowed.contains(value) {
      throw ValidationError("'\(option)' must be \(allowed.lowerBound) to \(allowed.upperBound).")
    }
  }

  mutating func run() async throws {
    try FileLimit.check()
    let environment = ProcessInfo.processInfo.environment
    let (format, level) = (try Self.logFormat(logFormat, environment), logLevel)
    LoggingSystem.bootstrap { label in
      StreamLogHandler.standardError(label: label, format: format, level: level)
    }
    let registry = PrometheusRegistry()
    WorkerMetrics.describe(registry)
    MetricsSystem.bootstrap(registry)

    let host = ProcessInfo.processInfo.hostName
    let worker = try Worker(
      name: name ?? "\(host)-\(ProcessInfo.processInfo.processIdentifier)", host: host,
      services: services.isEmpty ? ServiceName.allCases : services.removingDuplicates,
      settings: try Settings(environment: environment, context: context),
      options: Worker.Options(
        connections: connections, orderDeadline: Double(orderDeadline),
        parking: ParkedTier.byService(
          parkedTiers, standard: ParkingPolicy(attempts: parkedAttempts, longestWait: parkedWait)),
        forgetAfter: .seconds(forgetAfter),
        effects: effects,
        sessionTimeout: .seconds(sessionTimeout), shutdownTimeout: .seconds(shutdownTimeout),
        httpHost: httpHost, httpPort: httpPort),
      registry: registry)
    try await worker.run()
  }
}

extension WorkerCommand {
  /// What the option says, or else the variable.
  static func logFormat(
    _ option: StreamLogHandler.Format?, _ environment: [String: String]
  ) throws -> StreamLogHandler.Format {
    guard option == nil, let text = environment["ORDERLY_LOG_FORMAT"], !text.isEmpty else {
      return option ?? .automatic
    }
    guard let format = StreamLogHandler.Format(rawValue: text) else {
      throw ValidationError("ORDERLY_LOG_FORMAT must be json, text or automatic, is '\(text)'.")
    }
    return format
  }

  private var effects: EffectPolicy {
    EffectPolicy(
      concurrency: providerCalls, deadline: .seconds(providerTimeout), attempts: providerAttempts,
      backoff: .parked(longestWait: providerWait))
  }
}

extension ServiceName: ExpressibleByArgument {}

extension Logger.Level: ExpressibleByArgument {}

extension StreamLogHandler.Format: ExpressibleByArgument {}

extension [ServiceName] {
  fileprivate var removingDuplicates: [ServiceName] {
    ServiceName.allCases.filter(contains)
  }
}
