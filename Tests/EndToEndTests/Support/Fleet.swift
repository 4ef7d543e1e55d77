import Contracts
import Foundation
import Kafka
import Postgres
import Synchronization
import Testing

/// A database, a broker, and the worker processes that a test starts on them.
final class Fleet: Sendable {
  /// For the programs.
  let environment: [String: String]
  let bootstrapServers: String
  /// Tests wait until a session has timed out: 6 s are the least that a real broker allows by
  /// default. A mock takes that long whenever a member joins, and allows less.
  private var isOnMock: Bool { bootstrapServers != Servers.kafka }
  /// For files of the test.
  let folder: URL
  /// Connections to the database as a superuser, past any proxy.
  let database: Pool
  private let started = Mutex<[Worker]>([])

  private init(
    _ bootstrapServers: String, _ databaseURL: String, _ database: Pool, _ folder: URL
  ) {
    self.bootstrapServers = bootstrapServers
    self.database = database
    self.folder = folder
    environment = [
      "KAFKA_BOOTSTRAP_SERVERS": bootstrapServers, "ORDERLY_DATABASE_URL": databaseURL,
      "ORDERLY_LOG_FORMAT": "json",
    ]
  }

  /// Runs `body` with a fleet that has no workers yet, and ends those that it starts.
  ///
  /// - Parameters:
  ///   - databaseURL: of a superuser; nil for a database of its own on the common server.
  ///   - isMigrated: whether the schemas are made before.
  static func with(
    broker: String, databaseURL: String? = nil, migrated isMigrated: Bool = true,
    _ body: (Fleet) async throws -> Void
  ) async throws {
    guard let databaseURL else {
      return try await Servers.withDatabase { url in
        try await with(broker: broker, databaseURL: url, migrated: isMigrated, body)
      }
    }
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "orderly-endtoend-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let database = Pool(try ConnectionConfiguration(url: databaseURL), maximum: 2)
    let fleet = Fleet(broker, databaseURL, database, folder)
    let result = await catching {
      if isMigrated { try await fleet.succeeding("db", "migrate") }
      try await body(fleet)
    }
    if case .failure = result { fleet.showComplaints() }
    await fleet.end()
    try result.get()
  }

  /// The same, on the real Kafka with fresh topics.
  static func onKafka(_ body: (Fleet) async throws -> Void) async throws {
    let servers = try #require(Servers.kafka)
    try await Servers.wipe(servers)
    try await with(broker: servers) { fleet in
      try await fleet.succeeding("topics", "apply")
      try await body(fleet)
    }
  }

  /// The same, on a mock cluster.
  static func onMock(_ body: (Fleet, MockCluster) async throws -> Void) async throws {
    try await Servers.withMock { mock in
      try await with(broker: mock.bootstrapServers) { try await body($0, mock) }
    }
  }

  private func end() async {
    await withDiscardingTaskGroup { group in
      for worker in workers where worker.program.isRunning {
        group.addTask { await worker.kill() }
      }
    }
    await database.close()
    try? FileManager.default.removeItem(at: folder)
  }

  /// What a failed test's workers had to say.
  private func showComplaints() {
    for worker in workers {
      for line in worker.complaints.filter({ $0.message != "message dead-lettered" }).suffix(10) {
        print("\(worker.name): \(line.text)")
      }
    }
  }

  // MARK: - Workers

  /// All that were started, the ended ones too.
  var workers: [Worker] { started.withLock { $0 } }

  /// Starts a worker.
  ///
  /// - Parameters:
  ///   - services: all of them if none is named.
  ///   - databaseURL: instead of the fleet's own, as of a proxy before it.
  ///   - settings: variables besides those of the fleet.
  func start(
    _ services: ServiceName..., options: [String] = [], databaseURL: String? = nil,
    settings: [String: String] = [:]
  ) throws -> Worker {
    let name =
      (services.first?.rawValue ?? "all") + "-\(started.withLock { $0.count })"
    var environment = self.environment.merging(settings) { $1 }
    if let databaseURL { environment["ORDERLY_DATABASE_URL"] = databaseURL }
    let program = try Program(
      "orderly-worker",
      services.map(\.rawValue) + [
        "--name", name, "--http-port", "0", "--session-timeout", isOnMock ? "3" : "6",
      ] + options, environment: environment)
    let worker = Worker(
      name: name, services: services.isEmpty ? ServiceName.allCases : services, program: program)
    started.withLock { $0.append(worker) }
    return worker
  }

  /// Starts so many workers for each service, and waits until all are ready.
  func startEach(_ count: Int = 1, options: [String] = []) async throws -> [Worker] {
    let workers = try (0..<count).flatMap { _ in
      try ServiceName.allCases.map { try start($0, options: options) }
    }
    for worker in workers { try await worker.ready() }
    return workers
  }

  /// Stops all workers that run, and holds them to a clean end.
  func stopAll() async {
    await withTaskGroup { group in
      for worker in workers where worker.program.isRunning {
        group.addTask { (worker.name, await worker.stop()) }
      }
      for await (name, status) in group { #expect(status == 0, "\(name)") }
    }
  }

  // MARK: - Commands

  func orderly(_ arguments: [String]) async throws -> Program.Outcome {
    try await Program.run("orderly", arguments, environment: environment)
  }

  @discardableResult
  func succeeding(_ arguments: String...) async throws -> Program.Outcome {
    let outcome = try await orderly(arguments)
    try #require(outcome.status == 0, "orderly \(arguments): \(outcome.testDescription)")
    return outcome
  }

  // MARK: - Standing

  /// Waits until everything that is on the topics has been handled and nothing is left to be
  /// published.
  func quiet(
    _ services: [ServiceName] = ServiceName.allCases, within limit: Duration = .seconds(180)
  ) async throws {
    var standing = ""
    do {
      try await Servers.withAdmin(bootstrapServers) { admin in
        try await eventually("nothing is left to be done", within: limit) {
          for worker in workers where !worker.program.isRunning {
            let status = await worker.program.wait()
            try #require(status == 0 || status == -SIGKILL, "\(worker.name) ended with \(status)")
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
          standing = "lag \(lag), outbox rows \(waiting)"
          return lag == 0 && waiting == 0
        }
      }
    } catch {
      Issue.record("not quiet: \(standing)")
      throw error
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
      rows += try await scalar("SELECT count(*) FROM \(service.rawValue).outbox")
    }
    return rows
  }

  static func partitions(of service: ServiceName) -> [TopicPartition] {
    service.subscriptions.flatMap { topic in
      (0..<Servers.partitions).map { TopicPartition(topic: topic.rawValue, partition: $0) }
    }
  }

  /// The only value of a statement's result.
  func scalar<T: PostgresDecodable & Sendable>(
    _ sql: String, as type: T.Type = T.self
  ) async throws -> T {
    try await database.withConnection { try $0.execute(sql).scalar() }
  }
}

extension Fleet {
  /// Waits until the worker says in the database that it owns just these lanes of its service.
  func owns(_ worker: Worker, _ lanes: [Int32]) async throws {
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

  /// An MD5 of the rows of each table of the services, but for lanes and outboxes: who owns what
  /// changes with each start.
  func checksums() async throws -> [String: String] {
    try await database.withConnection { connection in
      var sums: [String: String] = [:]
      for row in try connection.execute(
        """
        SELECT table_schema || '.' || table_name FROM information_schema.tables
        WHERE table_schema = ANY ($1) AND table_name NOT IN ('lane', 'outbox')
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
