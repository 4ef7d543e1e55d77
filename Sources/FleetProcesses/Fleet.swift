package import Contracts
package import Foundation
package import Kafka
package import Postgres
import Synchronization

/// A database, a broker, and the worker processes that are started on them.
package final class Fleet: Sendable {
  /// How a worker process is started, where that is not the ordinary way.
  package struct Launch: Sendable {
    /// Where the program is; nil for beside this process's own.
    package var folder: URL?
    /// On top of the fleet's own.
    package var environment: [String: String] = [:]
    /// What a shell does before it becomes the worker, as `ulimit -n 40`.
    package var setup: String?

    /// The ordinary way, where nothing else is said.
    package init(folder: URL? = nil, environment: [String: String] = [:], setup: String? = nil) {
      self.folder = folder
      self.environment = environment
      self.setup = setup
    }
  }

  /// For the programs.
  package let environment: [String: String]
  /// `host:port` of each broker, with commas between them.
  package let bootstrapServers: String
  /// Whoever waits for a member's death waits that long. 6 s are the least that a real broker
  /// allows by default; a mock takes that long whenever a member joins, and allows less.
  private let sessionTimeout: Int
  /// For files of the run.
  package let folder: URL
  /// Connections to the database as a superuser, past any proxy.
  package let database: Pool
  private let started = Mutex<[Worker]>([])
  private let doomed = Mutex<Set<String>>([])

  private init(
    _ bootstrapServers: String, _ databaseURL: String, _ database: Pool, _ folder: URL,
    sessionTimeout: Int
  ) {
    self.bootstrapServers = bootstrapServers
    self.database = database
    self.folder = folder
    self.sessionTimeout = sessionTimeout
    environment = [
      "KAFKA_BOOTSTRAP_SERVERS": bootstrapServers, "ORDERLY_DATABASE_URL": databaseURL,
      "ORDERLY_LOG_FORMAT": "json",
    ]
  }

  /// Runs `body` with a fleet that has no workers yet, and kills those that it has left running.
  ///
  /// - Parameters:
  ///   - databaseURL: of a superuser.
  ///   - sessionTimeout: of the workers, in seconds.
  ///   - folder: for files of the run; nil for one that is removed at the end.
  ///   - isMigrated: whether the schemas are made before.
  package static func with(
    bootstrapServers: String, databaseURL: String, sessionTimeout: Int = 6, folder: URL? = nil,
    migrated isMigrated: Bool = true, _ body: (Fleet) async throws -> Void
  ) async throws {
    let own =
      folder
      ?? FileManager.default.temporaryDirectory.appending(
        path: "orderly-fleet-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
    let database = Pool(try ConnectionConfiguration(url: databaseURL), maximum: 2)
    let fleet = Fleet(
      bootstrapServers, databaseURL, database, own, sessionTimeout: sessionTimeout)
    let result = await catching {
      if isMigrated { try await fleet.succeeding("db", "migrate") }
      try await body(fleet)
    }
    await fleet.end()
    if folder == nil { try? FileManager.default.removeItem(at: own) }
    try result.get()
  }

  private func end() async {
    await killRunning()
    await database.close()
  }

  // MARK: - Workers

  /// All that were started, the ended ones too.
  package var workers: [Worker] { started.withLock { $0 } }

  /// Starts a worker.
  ///
  /// - Parameters:
  ///   - services: all of them if none is named.
  ///   - databaseURL: instead of the fleet's own, as of a proxy before it.
  package func start(
    _ services: ServiceName..., options: [String] = [], databaseURL: String? = nil,
    launch: Launch = Launch()
  ) throws -> Worker {
    let name =
      (services.first?.rawValue ?? "all") + "-\(started.withLock { $0.count })"
    var environment = self.environment.merging(launch.environment) { $1 }
    if let databaseURL { environment["ORDERLY_DATABASE_URL"] = databaseURL }
    let program = try Program(
      "orderly-worker", in: launch.folder,
      services.map(\.rawValue) + [
        "--name", name, "--http-port", "0", "--session-timeout", "\(sessionTimeout)",
      ] + options, environment: environment, after: launch.setup)
    let worker = Worker(
      name: name, services: services.isEmpty ? ServiceName.allCases : services, program: program)
    started.withLock { $0.append(worker) }
    return worker
  }

  /// Says that a worker need not end well.
  package func doom(_ worker: Worker) { doomed.withLock { _ = $0.insert(worker.name) } }

  /// Starts so many workers for each service, and waits until all are ready.
  @discardableResult
  package func startEach(
    _ count: Int = 1, options: [String] = [], databaseURL: String? = nil
  ) async throws -> [Worker] {
    let workers = try (0..<count).flatMap { _ in
      try ServiceName.allCases.map { try start($0, options: options, databaseURL: databaseURL) }
    }
    for worker in workers { try await worker.ready() }
    return workers
  }

  /// Stops all workers that run.
  ///
  /// - Returns: those that did not end with 0, as they must, and what they ended with.
  package func stopRunning() async -> [(name: String, status: Int32)] {
    await withTaskGroup { group in
      for worker in workers where worker.program.isRunning {
        group.addTask { (name: worker.name, status: await worker.stop()) }
      }
      return await group.reduce(into: []) { wrong, end in if end.status != 0 { wrong.append(end) } }
    }
  }

  /// Kills all workers that run, and waits for their ends.
  package func killRunning() async {
    await withDiscardingTaskGroup { group in
      for worker in workers where worker.program.isRunning {
        group.addTask { await worker.kill() }
      }
    }
  }

  // MARK: - Commands

  /// Runs `orderly` on the fleet's servers to its end, whatever its exit status is.
  package func orderly(_ arguments: [String]) async throws -> Program.Outcome {
    try await Program.run("orderly", arguments, environment: environment)
  }

  /// Runs `orderly` on the fleet's servers, and holds it to a success.
  ///
  /// - Throws: ``NotReached``, with all that it has written, when its exit status is not 0.
  @discardableResult
  package func succeeding(_ arguments: String...) async throws -> Program.Outcome {
    let outcome = try await orderly(arguments)
    try require(outcome.status == 0, "orderly \(arguments): \(outcome)")
    return outcome
  }

  // MARK: - Records

  /// By which clients of this process reach the brokers.
  package var kafka: KafkaConfiguration {
    KafkaConfiguration(bootstrapServers: bootstrapServers.split(separator: ",").map(String.init))
  }

  /// Writes records as any producer may, of up to 2 MB each.
  ///
  /// - Returns: where they are, in the order of the records.
  package func produce(_ records: [Record]) async throws -> [RecordPosition] {
    let producer = try Producer(
      ProducerConfiguration(kafka: kafka, maximumMessageSize: 2_000_000))
    let results = await producer.send(records)
    await producer.close(timeout: .seconds(5))
    return try results.map { try $0.get() }
  }

  /// All that is on these topics now; of a partition in its order.
  package func messages(on topics: [String]) async throws -> [Message] {
    var open = try await Servers.withAdmin(bootstrapServers) { admin in
      try await admin.watermarks(Servers.partitions(of: topics))
    }.filter { !$0.value.isEmpty }
    let reader = try PartitionReader(kafka)
    let result = await catching {
      var found: [Message] = []
      try await reader.assign(open.mapValues(\.lowerBound))
      try await eventually("\(topics) are read") {
        for case .messages(let messages) in try await reader.poll(
          maxMessages: 1_000, timeout: .milliseconds(100))
        {
          found += messages
          for message in messages
          where message.offset + 1 >= open[message.topicPartition]?.upperBound ?? 0 {
            open[message.topicPartition] = nil
          }
        }
        return open.isEmpty
      }
      return found
    }
    await reader.close()
    return try result.get()
  }

  /// Deletes all that is on these topics now, as retention does in the end.
  package func deleteRecords(of topics: [String]) async throws {
    try await Servers.withAdmin(bootstrapServers) { admin in
      let ends = try await admin.watermarks(Servers.partitions(of: topics))
        .mapValues(\.upperBound)
      for (_, result) in try await admin.deleteRecords(before: ends) { _ = try result.get() }
    }
  }

  // MARK: - Standing

  /// Waits until everything that is on the topics has been handled, and nothing is left to be
  /// published or tried again.
  ///
  /// - Throws: ``NotReached``, with what was left, after the limit; at once when a worker has ended
  ///   with anything but 0 or SIGKILL, unless ``doom(_:)`` had said so.
  package func quiet(
    _ services: [ServiceName] = ServiceName.allCases, within limit: Duration = .seconds(180)
  ) async throws {
    var standing = ""
    do {
      try await Servers.withAdmin(bootstrapServers) { admin in
        try await eventually("nothing is left to be done", within: limit) {
          for worker in workers where !worker.program.isRunning {
            let status = await worker.program.wait()
            let isDoomed = doomed.withLock { $0.contains(worker.name) }
            try require(
              isDoomed || status == 0 || status == -SIGKILL, "\(worker.name) ended with \(status)")
          }
          let lag: Int64
          do {
            lag = try await self.lag(services, admin)
          } catch let error as KafkaError where error.isRetriable {
            // A broker shows a new partition a moment before it leads it.
            standing = error.description
            return false
          }
          let waiting = try await self.waiting(services)
          standing = "lag \(lag), outbox rows and parked orders to be tried again \(waiting)"
          return lag == 0 && waiting == 0
        }
      }
    } catch let error as NotReached {
      throw NotReached(description: "\(error): \(standing)")
    }
  }

  /// Where the offsets are read before the ends, a lag of zero is true of a moment in between.
  private func lag(_ services: [ServiceName], _ admin: Admin) async throws -> Int64 {
    var committed: [(TopicPartition, Int64)] = []
    for service in services {
      let partitions = Self.partitions(of: service)
      let offsets = try await admin.listOffsets(group: service.rawValue, partitions: partitions)
      for partition in partitions { committed.append((partition, offsets[partition] ?? 0)) }
    }
    // -1 is the time of the end: one request for all of them, where watermarks take one for each.
    let ends = try await admin.offsets(
      forTimes: Dictionary(committed.map { ($0.0, -1) }, uniquingKeysWith: { first, _ in first }))
    return committed.reduce(0) { $0 + (ends[$1.0] ?? 0) - $1.1 }
  }

  private func waiting(_ services: [ServiceName]) async throws -> Int64 {
    var rows: Int64 = 0
    for service in services {
      rows += try await scalar(
        """
        SELECT (SELECT count(*) FROM \(service.rawValue).outbox)
          + (SELECT count(*) FROM \(service.rawValue).parked_key WHERE state = 'waiting')
        """)
    }
    return rows
  }

  /// All partitions that a service's group reads.
  package static func partitions(of service: ServiceName) -> [TopicPartition] {
    Servers.partitions(of: service.subscriptions.map(\.rawValue))
  }

  /// The only value of a statement's result.
  package func scalar<T: PostgresDecodable & Sendable>(
    _ sql: String, as type: T.Type = T.self
  ) async throws -> T {
    try await database.withConnection { try $0.execute(sql).scalar() }
  }

  /// Runs statements whose results nobody needs, as one transaction unless they say otherwise.
  package func run(_ script: String) async throws {
    try await database.withConnection { try $0.executeScript(script) }
  }

  /// How many ids of events a service remembers to have handled.
  package func inboxRows(of service: ServiceName) async throws -> Int64 {
    try await scalar("SELECT count(*) FROM \(service.rawValue).inbox")
  }
}

extension Fleet {
  /// Waits until the worker says in the database that it owns just these lanes of its service.
  package func owns(_ worker: Worker, _ lanes: [Int32]) async throws {
    let service = worker.services[0].rawValue
    let name = worker.name
    try await eventually("\(name) owns the lanes \(lanes)") {
      let owned = try await database.withConnection { connection in
        try connection.execute(
          """
          SELECT array(SELECT jsonb_array_elements_text(lanes -> $2)::int ORDER BY 1)
          FROM fleet.worker WHERE id = $1
          """, name, service
        ).map { try $0.decode(0, as: [Int32].self) }
      }
      return owned == [lanes]
    }
  }

  /// Waits until the groups of all services have no members. One that was killed is a member until
  /// its session has timed out.
  package func groupsAreEmpty() async throws {
    try await Servers.withAdmin(bootstrapServers) { admin in
      try await eventually("the groups have no members") {
        try await admin.describeGroups(ServiceName.allCases.map(\.rawValue))
          .allSatisfy { $0.members.isEmpty }
      }
    }
  }

  /// Lets all groups begin again, once they have no members.
  package func rewind() async throws {
    try await groupsAreEmpty()
    try await Servers.withAdmin(bootstrapServers) { admin in
      for service in ServiceName.allCases {
        let start = Fleet.partitions(of: service).map { ($0, Int64(0)) }
        for (_, result) in try await admin.alterOffsets(
          group: service.rawValue, to: Dictionary(uniqueKeysWithValues: start))
        {
          _ = try result.get()
        }
      }
    }
  }

  /// An MD5 of the rows of each table of the services, but for lanes, their marks and outboxes: who
  /// owns what changes with each start.
  package func checksums() async throws -> [String: String] {
    try await database.withConnection { connection in
      var sums: [String: String] = [:]
      for row in try connection.execute(
        """
        SELECT table_schema || '.' || table_name FROM information_schema.tables
        WHERE table_schema = ANY ($1) AND table_name NOT IN ('lane', 'reading_mark', 'outbox')
        """, ServiceName.allCases.map(\.rawValue))
      {
        let table = try row.decode(0, as: String.self)
        sums[table] = try connection.execute(
          "SELECT coalesce(md5(string_agg(t::text, E'\\n' ORDER BY t::text)), '') FROM \(table) AS t"
        ).scalar()
      }
      return sums
    }
  }
}
