public import Arguments
public import Contracts
import Fleet
import Foundation
import HTTPServer
import Settings
import Telemetry

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
    version: WorkerVersion.current,
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
  var logLevel = LogLevel.info

  @Option(
    name: .customLong("log-format"),
    help: "json, text, or text on a terminal only; also ORDERLY_LOG_FORMAT.")
  var logFormat: LogFormat?

  mutating func validate() throws {
    guard (1...64).contains(connections) else {
      throw ValidationError("'--connections' must be 1 to 64.")
    }
    guard orderDeadline >= 1 else { throw ValidationError("'--order-deadline' must be positive.") }
    guard ParkedTier.attempts.contains(parkedAttempts) else {
      throw ValidationError("'--parked-attempts' must be 1 to 1000.")
    }
    guard ParkedTier.waits.contains(parkedWait) else {
      throw ValidationError("'--parked-wait' must be 1 to 86400.")
    }
    guard (0...31_536_000).contains(forgetAfter) else {
      throw ValidationError("'--forget-after' must be 0 to 31536000.")
    }
    guard (1...256).contains(providerCalls) else {
      throw ValidationError("'--provider-calls' must be 1 to 256.")
    }
    guard (1...300).contains(providerTimeout) else {
      throw ValidationError("'--provider-timeout' must be 1 to 300.")
    }
    guard (1...1_000).contains(providerAttempts) else {
      throw ValidationError("'--provider-attempts' must be 1 to 1000.")
    }
    guard (1...86_400).contains(providerWait) else {
      throw ValidationError("'--provider-wait' must be 1 to 86400.")
    }
    guard (2...300).contains(sessionTimeout) else {
      throw ValidationError("'--session-timeout' must be 2 to 300.")
    }
    guard shutdownTimeout >= 1 else {
      throw ValidationError("'--shutdown-timeout' must be positive.")
    }
  }

  mutating func run() async throws {
    let environment = ProcessInfo.processInfo.environment
    let format =
      logFormat ?? environment["ORDERLY_LOG_FORMAT"].flatMap(LogFormat.init) ?? .automatic
    let level = logLevel
    LoggingSystem.bootstrap { label in
      StreamLogHandler.standardError(label: label, format: format.value, level: level.value)
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
  private var effects: EffectPolicy {
    var backoff = Backoff.parked
    backoff.cap = .seconds(providerWait)
    return EffectPolicy(
      concurrency: providerCalls, deadline: .seconds(providerTimeout), attempts: providerAttempts,
      backoff: backoff)
  }
}

enum WorkerVersion {
  static let current = "0.1.0"
}

extension ServiceName: ExpressibleByArgument {}

enum LogLevel: String, ExpressibleByArgument, CaseIterable {
  case trace, debug, info, notice, warning, error, critical

  var value: Logger.Level { Logger.Level(rawValue: rawValue) ?? .info }
}

enum LogFormat: String, ExpressibleByArgument, CaseIterable {
  case json, text, automatic

  var value: StreamLogHandler.Format {
    switch self {
    case .json: .json
    case .text: .text
    case .automatic: .automatic
    }
  }
}

extension [ServiceName] {
  fileprivate var removingDuplicates: [ServiceName] {
    ServiceName.allCases.filter(contains)
  }
}
