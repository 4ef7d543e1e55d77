import Contracts
import Fleet
import FleetKafka
import FleetPostgres
import Foundation
import Fulfilment
import HTTPProvider
import Inventory
import Kafka
import Orders
import Payments
import Postgres
import Settings
import Telemetry

/// A service of this process, whatever its types are.
struct AssembledService: Sendable {
  let service: ServiceName
  let health: Health
  let pool: Pool
  let run: @Sendable () async -> Void
  let stop: @Sendable () -> Void
  /// Why `run` has ended by itself.
  let failure: @Sendable () -> FatalClientError?

  /// Why it does no work, each behind the service's name.
  var problems: [String] { health.problems.map { "\(service.rawValue): \($0)" } }
  /// What it can't do while it works, each behind the service's name.
  var limitations: [String] { health.limitations.map { "\(service.rawValue): \($0)" } }
}

/// Puts the services together from their deciders, tables and ports. The order in which things are
/// made is the order in which they depend on each other; shutting down goes the other way.
struct Assembly {
  let settings: Settings
  let options: Worker.Options
  let producer: KafkaEventProducer
  /// The worker's name.
  let name: String
  #if DEBUG
    /// Where the process ends in the midst of its work, if it has been asked to.
    let failpoint = Failpoint(environment: ProcessInfo.processInfo.environment)
  #endif

  func assemble(_ service: ServiceName) throws -> AssembledService {
    switch service {
    case .orders:
      let orders = OrdersService(deadlineAfter: options.orderDeadline)
      return try assemble(service, orders.decider, orders.performer, orders.store)
    case .inventory:
      let inventory = InventoryService()
      return try assemble(service, inventory.decider, inventory.performer, inventory.store)
    case .payments:
      let payments = PaymentsService(provider: TestProvider())
      let provider = try settings.paymentProvider().map { HTTPPaymentProvider(caller($0)) }
      return try assemble(
        service, payments.decider, payments.performer, payments.store, provider: provider)
    case .fulfilment:
      let fulfilment = FulfilmentService(carrier: TestCarrier())
      let carrier = try settings.carrier().map { HTTPCarrier(caller($0)) }
      return try assemble(
        service, fulfilment.decider, fulfilment.performer, fulfilment.store, provider: carrier)
    }
  }

  private func caller(_ provider: ProviderSettings) -> HTTPCaller {
    HTTPCaller(
      url: provider.url, authorization: provider.authorization,
      timeout: options.effects.deadline * 2, connections: options.effects.concurrency)
  }

  private func assemble<D: Decider, Tables: ServiceStore, Performer: EffectPerformer>(
    _ service: ServiceName, _ decider: D, _ performer: Performer, _ tables: Tables,
    provider: (any EffectProvider<D.Effect, D.Outcome>)? = nil
  ) throws -> AssembledService
  where Tables.Rows == D.Rows, Performer.Effect == D.Effect, Performer.Outcome == D.Outcome {
    let database = try settings.database(of: service, applicationName: name)
    // There are more lanes than connections, so that waiting for one is no trouble in itself. A
    // server that is silent is told by whoever holds a connection, who knows what is wrong, and not
    // by those who wait for theirs.
    let pool = Pool(
      database, maximum: options.connections, acquireTimeout: database.responseTimeout * 3)
    let consumer = try KafkaEventConsumer(
      service, configuration: try settings.kafka(clientID: name),
      sessionTimeout: options.sessionTimeout, commitTimeout: options.stopPart)
    var limits = FleetLimits()
    limits.parking = options.parking[service] ?? ParkingTiers()
    limits.forgetGrace = options.forgetAfter
    limits.stopTimeout = options.stopPart
    let store = PostgresLaneStore(pool: pool, tables: tables)
    #if DEBUG
      if let failpoint {
        return assembled(
          ServiceRunner(
            service: service, decider: decider, performer: performer, provider: provider,
            effectPolicy: options.effects,
            store: FailingStore(store: store, failpoint: failpoint),
            consumer: FailingConsumer(consumer: consumer, failpoint: failpoint),
            producer: FailingProducer(producer: producer, failpoint: failpoint), limits: limits,
            owner: name, logger: Logger(label: service.rawValue)),
          pool)
      }
    #endif
    return assembled(
      ServiceRunner(
        service: service, decider: decider, performer: performer, provider: provider,
        effectPolicy: options.effects, store: store, consumer: consumer, producer: producer,
        limits: limits, owner: name, logger: Logger(label: service.rawValue)),
      pool)
  }

  private func assembled<D: Decider, Store: LaneStore, Performer: EffectPerformer>(
    _ runner: ServiceRunner<D, Store, Performer>, _ pool: Pool
  ) -> AssembledService
  where Store.Rows == D.Rows, Performer.Effect == D.Effect, Performer.Outcome == D.Outcome {
    AssembledService(
      service: runner.service, health: runner.health, pool: pool, run: { await runner.run() },
      stop: { runner.stop() }, failure: { runner.failure })
  }
}
