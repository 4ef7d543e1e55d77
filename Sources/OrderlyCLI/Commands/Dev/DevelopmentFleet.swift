import Contracts
import FleetPostgres
import Foundation
import Kafka
import Settings
import TopicCatalog

/// Everything in one place: a throw-away Postgres, the embedded broker, and a worker process for
/// each service.
struct DevelopmentFleet: Sendable {
  let directory: URL
  let postgres: ThrowAwayPostgres
  let broker: MockCluster
  let workers: [ChildProcess]
  /// How to reach it, for commands run by this process and by others.
  let environment: [String: String]

  /// Starts all of it; what was started is stopped again when something fails.
  static func start(
    partitions: Int32, postgresSettings: [String], note: (String) -> Void
  ) async throws -> DevelopmentFleet {
    let directory = try temporaryDirectory()
    // When something fails its folder stays: the logs in it say why.
    note("Postgres: starting a throw-away server in \(directory.path)")
    let postgres: ThrowAwayPostgres
    do {
      postgres = try await ThrowAwayPostgres.start(in: directory, settings: postgresSettings)
    } catch let error as CancellationError {
      try? FileManager.default.removeItem(at: directory)
      throw error
    }
    do {
      return try await start(partitions, directory, postgres, note)
    } catch {
      await postgres.stop()
      // Nobody looks into the folder of what was interrupted.
      if error is CancellationError { try? FileManager.default.removeItem(at: directory) }
      throw error
    }
  }

  private static func start(
    _ partitions: Int32, _ directory: URL, _ postgres: ThrowAwayPostgres, _ note: (String) -> Void
  ) async throws -> DevelopmentFleet {
    note("Postgres: \(postgres.address)")
    let broker = try MockCluster()
    var workers: [ChildProcess] = []
    do {
      for topic in try TopicCatalog.find().topics {
        try broker.createTopic(topic.name, partitions: partitions)
      }
      note("Kafka:    \(broker.bootstrapServers) (embedded, in memory)")
      let environment = [
        "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrapServers, "ORDERLY_DATABASE_URL": postgres.url,
      ]
      let applied = try await migrate(environment)
      note("Schemas:  \(applied) migrations applied")
      for service in ServiceName.allCases {
        try Task.checkCancellation()
        let worker = try ChildProcess(
          try workerProgram(),
          [
            service.rawValue, "--http-port", "0",
            // The embedded broker takes this long to let a member join a group that has had one.
            "--session-timeout", "3",
          ],
          environment: environment.merging(["ORDERLY_LOG_FORMAT": "json"]) { $1 },
          log: directory.appending(path: "\(service.rawValue).log"))
        workers.append(worker)
      }
      note("Workers:  " + workers.map { "\($0.processID)" }.joined(separator: ", "))
      let fleet = DevelopmentFleet(
        directory: directory, postgres: postgres, broker: broker, workers: workers,
        environment: environment)
      try fleet.writeContext()
      return fleet
    } catch {
      await stop(workers)
      await broker.close()
      throw error
    }
  }

  /// Stops the workers, the broker and the database, and removes their files. Also in a task that is
  /// cancelled.
  func stop() async {
    removeContext()
    await Self.stop(workers)
    await broker.close()
    await postgres.stop()
    try? FileManager.default.removeItem(at: directory)
  }

  private static func stop(_ workers: [ChildProcess]) async {
    await withDiscardingTaskGroup { group in
      for worker in workers { group.addTask { await worker.stop(within: .seconds(30)) } }
    }
  }

  private static func migrate(_ environment: [String: String]) async throws -> Int {
    let settings = try Settings(environment: environment)
    var applied = 0
    for database in try Schemas.databases(settings) {
      applied += try await database.withMigrator { try $0.migrate(on: $1).count }
    }
    return applied
  }

  // MARK: - Files

  /// Only for this user, except that Postgres's user must get through.
  static func temporaryDirectory() throws -> URL {
    let directory = FileManager.default.temporaryDirectory
      .appending(path: "orderly-\(getpid())-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(
      at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
    return directory
  }

  private static func workerProgram() throws -> URL {
    let own = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    let worker = own.deletingLastPathComponent().appending(path: "orderly-worker")
    guard FileManager.default.isExecutableFile(atPath: worker.path) else {
      throw CommandFailure(
        "\(worker.path) is missing. Build it with 'swift build --product orderly-worker'.")
    }
    return worker
  }

  /// Lets other commands find the fleet without any settings, as long as it runs.
  private func writeContext() throws {
    let file = URL(
      filePath: DevelopmentEnvironment.file(ProcessInfo.processInfo.environment))
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    // The password is in it.
    try PrivateFile.write(
      """
      # Written by 'orderly dev', process \(getpid()); removed when it ends.
      contexts:
        \(DevelopmentEnvironment.name):
          kafka:
            bootstrap-servers: "\(broker.bootstrapServers)"
          database:
            url: "\(postgres.url)"

      """, to: file)
  }

  private func removeContext() {
    let path = DevelopmentEnvironment.file(ProcessInfo.processInfo.environment)
    // Another 'orderly dev' may have written its own since.
    guard let text = try? String(contentsOfFile: path, encoding: .utf8),
      text.contains(postgres.url)
    else { return }
    try? FileManager.default.removeItem(atPath: path)
  }
}
