import Contracts
import Fleet
import FleetKafka
import FleetPostgres
import Foundation
import HTTPServer
import Kafka
import Postgres
import Settings
import Telemetry

/// One worker process: its services, its HTTP endpoint, its entry in the fleet.
struct Worker: Sendable {
  struct Options: Sendable {
    let connections: Int
    /// In seconds.
    let orderDeadline: Double
    /// By service.
    let parking: [ServiceName: ParkingTiers]
    let forgetAfter: Duration
    let effects: EffectPolicy
    let sessionTimeout: Duration
    let shutdownTimeout: Duration
    let httpHost: String
    let httpPort: UInt16

    /// The bound on each of the four parts of a stop, one after the other: the lanes' steps, the
    /// commit of their offsets, leaving the group, and writing what the producer has. What is left
    /// of the whole is for the databases.
    var stopPart: Duration { min(.seconds(10), shutdownTimeout / 5) }
  }

  private let name: String
  /// Where others find the endpoint.
  private let reachableHost: String
  private let options: Options
  private let services: [AssembledService]
  private let producer: KafkaEventProducer
  private let fleetPool: Pool
  private let server: HTTPServer
  private let logger = Logger(label: "worker")
  private let registration: Registration
  private let metrics: DatabaseMetrics

  /// Makes everything and connects to nothing yet: what can't be reached is retried while it runs.
  ///
  /// - Throws: what is wrong with the settings, in a sentence.
  init(
    name: String, host: String, services: [ServiceName], settings: Settings, options: Options,
    registry: PrometheusRegistry
  ) throws {
    self.name = name
    reachableHost = Self.reachableHost(options.httpHost, on: host)
    self.options = options
    let logger = self.logger
    producer = try KafkaEventProducer(try settings.kafka(clientID: name)) { event in
      // The lanes report what they can't publish; this is librdkafka's own view of it.
      if case .log(let line) = event { logger.debug("producer", metadata: ["line": "\(line)"]) }
    }
    let assembly = Assembly(settings: settings, options: options, producer: producer, name: name)
    var assembled: [AssembledService] = []
    for service in services { assembled.append(try assembly.assemble(service)) }
    self.services = assembled
    var fleet = try settings.fleetDatabase(applicationName: name)
    // The fleet's schema lets the roles of the services write, and the worker needs no other right.
    fleet.role = services.first?.databaseRole
    fleetPool = Pool(fleet, maximum: 1)
    server = HTTPServer(
      host: options.httpHost, port: options.httpPort,
      handler: Endpoints(services: assembled, registry: registry).router.respond)
    registration = Registration(name: name, host: host, services: assembled, pool: fleetPool)
    metrics = DatabaseMetrics(services: assembled)
  }

  /// Works until a signal asks to stop, then stops within the bound.
  ///
  /// - Throws: when the HTTP endpoint can't be served, before any group is joined; and
  ///   ``FatalClientError`` when a Kafka client has failed for good, after everything has been
  ///   stopped. A new process can go on at once: this one has kept nothing.
  func run() async throws {
    try server.start()
    logger.info(
      "worker started",
      metadata: [
        "worker": "\(name)", "version": "\(OrderlyVersion.current)",
        "services": "\(services.map(\.service.rawValue).joined(separator: ","))",
        "http": "\(options.httpHost):\(server.port)", "pid": "\(getpid())",
      ])
    let signals = StopSignals()
    let address = "\(reachableHost):\(server.port)"
    await withTaskGroup { group in
      group.addTask { await registration.keep(address: address) }
      group.addTask { await metrics.keep() }
      group.addTask { await metrics.keepReadiness() }
      group.addTask {
        let signal = await signals.first()
        if Task.isCancelled { return }
        logger.info("stopping", metadata: ["signal": "\(signal)"])
        endProcess(after: options.shutdownTimeout)
        for service in services { service.stop() }
      }
      await withDiscardingTaskGroup { running in
        for service in services {
          running.addTask {
            await service.run()
            guard service.failure() != nil else { return }
            endProcess(after: options.shutdownTimeout)
            for other in services { other.stop() }
          }
        }
      }
      group.cancelAll()
    }
    await registration.remove()
    await producer.close(timeout: options.stopPart)
    for service in services { await service.pool.close() }
    await fleetPool.close()
    server.stop()
    logger.info("worker stopped")
    for service in services {
      if let failure = service.failure() { throw failure }
    }
  }

  /// What stands for all addresses of a machine is none that others could use; its name is.
  static func reachableHost(_ httpHost: String, on machine: String) -> String {
    ["0.0.0.0", "::"].contains(httpHost) ? machine : httpHost
  }

  /// The bound on shutting down: what hangs is left to the next owner of the lanes.
  private func endProcess(after timeout: Duration) {
    let logger = self.logger
    DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(Int(timeout.components.seconds)))
    {
      logger.error("not stopped in time; ending the process")
      _exit(1)
    }
  }
}
