import Contracts
import Fleet
import FleetPostgres
import Foundation
import Kafka
import Postgres
import Settings
import Synchronization

/// The dead letters of all services, as somebody works through them: one pool of connections for
/// each service, which connect when they are needed.
struct ServiceDesks: Sendable {
  private let pools: [ServiceName: Pool]
  private let addresses: [ServiceName: String]
  private let partitions: PartitionCount

  /// Runs `body`, and closes the connections after it.
  ///
  /// - Throws: ``CommandFailure`` in the place of what a database has thrown; what else `body`
  ///   throws.
  static func with<R>(
    _ global: GlobalOptions, _ body: (ServiceDesks) async throws -> R
  ) async throws -> R {
    let settings = try global.settings()
    var pools: [ServiceName: Pool] = [:]
    var addresses: [ServiceName: String] = [:]
    for service in ServiceName.allCases {
      let database = try settings.database(of: service, applicationName: "orderly-cli")
      pools[service] = Pool(database, maximum: 1)
      addresses[service] = database.description
    }
    let desks = ServiceDesks(
      pools: pools, addresses: addresses, partitions: PartitionCount(global: global))
    return try await running {
      try await body(desks)
    } closing: {
      for pool in desks.pools.values { await pool.close() }
    }
  }

  /// Reads in one transaction on a service's schema, as of one moment.
  func read<R: Sendable>(
    _ service: ServiceName, _ body: @Sendable (Connection) throws -> R
  ) async throws -> R {
    try await explaining(service) { pool in
      try await pool.withTransaction(isolation: .repeatableRead, readOnly: true, body)
    }
  }

  /// Changes something with the desk of a service.
  ///
  /// - Throws: `Refusal` for what can't be done.
  func change<R: Sendable>(
    _ service: ServiceName,
    _ body: (DeadLetterDesk<PostgresDeadLetterStore>) async throws -> R
  ) async throws -> R {
    try await explaining(service) { pool in
      try await body(DeadLetterDesk(service: service, pool: pool))
    }
  }

  /// The letter with all that it carries.
  ///
  /// - Throws: ``CommandFailure`` when it is gone.
  func letter(_ row: DeadLetterRow) async throws -> DeadLetter {
    guard let letter = try await change(row.service, { try await $0.letter(row.id) }) else {
      throw CommandFailure("\(row.service.rawValue) has no dead letter \(row.shortID) any more.")
    }
    return letter
  }

  /// The letters among some ids that are there, with all that they carry, in no order.
  func letters(_ ids: [UUID], of service: ServiceName) async throws -> [DeadLetter] {
    try await explaining(service) { pool in
      try await PostgresDeadLetterStore(service: service, pool: pool).letters(ids)
    }
  }

  /// Puts a letter's event back at the head of its order's queue.
  ///
  /// - Throws: as ``change(_:_:)``.
  func replay(_ id: UUID, of service: ServiceName) async throws {
    try await change(service) { desk in
      guard let letter = try await desk.letter(id) else {
        throw Refusal("\(service.rawValue) has no such dead letter any more.")
      }
      _ = try await desk.replay(id, lane: try await lane(of: letter))
    }
  }

  /// The lane of the order, where the original does not tell: it could not be read, and may lie on
  /// any partition.
  ///
  /// - Throws: ``CommandFailure`` when Kafka has to be asked for the number of partitions, and does
  ///   not answer.
  func lane(of letter: DeadLetter) async throws -> Int32? {
    guard letter.eventID == nil, let order = (try? letter.replayedEvent())?.orderID else {
      return nil
    }
    return KeyHash.partition(
      of: Array(order.rawValue.utf8), count: try await partitions.value())
  }

  /// How often something is done before a conflict with others is taken for trouble.
  private static let attempts = 3

  /// Runs `body` with a service's connections, and says in a sentence what they have thrown. After a
  /// conflict with others, such as a deadlock, which leaves nothing behind, `body` is run again.
  func explaining<R>(
    _ service: ServiceName, _ body: (Pool) async throws -> R
  ) async throws -> R {
    guard let pool = pools[service], let address = addresses[service] else {
      preconditionFailure("each service has a pool")
    }
    var attempt = 1
    while true {
      do {
        return try await body(pool)
      } catch StoreError.conflict(_) where attempt < Self.attempts {
        attempt += 1
      } catch let error as PostgresError {
        throw CommandFailure(error.sentence(address))
      } catch let error as StoreError {
        throw CommandFailure("\(service.rawValue) at \(address): \(error)")
      }
    }
  }
}

/// How many partitions the topics have, asked once. All have the same number.
private final class PartitionCount: Sendable {
  private let global: GlobalOptions
  private let known = Mutex<Int32?>(nil)

  init(global: GlobalOptions) {
    self.global = global
  }

  func value() async throws -> Int32 {
    if let count = known.withLock({ $0 }) { return count }
    let name = Topic.orders.rawValue
    let count = try await global.withAdmin { admin, _ in
      try await admin.metadata().topics.first { $0.name == name && $0.error == nil }
        .map { Int32($0.partitions.count) }
    }
    guard let count, count > 0 else {
      throw CommandFailure("The topic \(name) does not exist. Run 'orderly topics apply'.")
    }
    known.withLock { $0 = count }
    return count
  }
}
